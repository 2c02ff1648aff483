"""Training recipes: YAML files checked against the dataclasses that they fill."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from pipeline.errors import PipelineError
from tasks import yaml_files

T = TypeVar("T")
WORDS = {int: "a whole number", bool: "true or false", str: "text"}


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping.

    Raises:
        TaskError: no such file, or not YAML.
        PipelineError: no mapping.
    """
    content = yaml_files.read_yaml(path)
    if not isinstance(content, dict):
        raise PipelineError(f"{path}: must be a mapping of keys to values")
    return content


def fill(kind: type[T], values: Any, path: Path, section: str = "") -> T:
    """Make the dataclass `kind` from a section of a recipe, each value checked by its field's type.

    Lists become tuples, and 3e-4, which YAML 1.1 reads as text, becomes a number.

    Raises:
        PipelineError: names the file and the key that is unknown, missing or of the wrong type.
    """
    where = f"{path}: {section}." if section else f"{path}: "
    if not isinstance(values, Mapping):
        raise PipelineError(f"{path}: '{section}' must be a mapping of keys to values")
    types = get_type_hints(kind)
    given = {}
    for key, value in values.items():
        if key not in types:
            raise PipelineError(f"{where}{key} is no known key; known: {', '.join(types)}")
        try:
            given[key] = _typed(value, types[key])
        except TypeError as error:
            raise PipelineError(f"{where}{key} must be {error}, not {value!r}") from None
    for field in fields(kind):
        required = field.default is MISSING and field.default_factory is MISSING
        if required and field.name not in values:
            raise PipelineError(f"{where}{field.name} is missing")
    try:
        return kind(**given)
    except ValueError as error:
        raise PipelineError(f"{where.rstrip('. ')} {error}") from None


def differing_key(ours: Any, theirs: Any, prefix: str = "") -> str | None:
    """The first key at which two plain recipes differ, with both values; None where they agree."""
    if isinstance(ours, list) and isinstance(theirs, list):
        ours, theirs = dict(enumerate(ours)), dict(enumerate(theirs))
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return None if ours == theirs else f"{prefix.rstrip('.')} is {ours!r}, it was {theirs!r}"
    for key in [*ours, *(theirs.keys() - ours.keys())]:
        found = differing_key(ours.get(key), theirs.get(key), f"{prefix}{key}.")
        if found:
            return found
    return None


def _typed(value: Any, wanted: Any) -> Any:
    """`value` as `wanted`, or a TypeError whose text says what was wanted."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is UnionType:
        return _one_of(value, arguments)
    if origin is Literal:
        if value not in arguments:
            raise TypeError(" or ".join(map(str, arguments)))
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple) or len(value) != len(arguments):
            raise TypeError(f"a list of {len(arguments)} numbers")
        return tuple(_typed(v, a) for v, a in zip(value, arguments, strict=True))
    if wanted is float:
        return _number(value)
    if type(value) is not wanted:
        raise TypeError(WORDS.get(wanted, "a mapping of keys to values"))
    return value


def _one_of(value: Any, kinds: tuple[Any, ...]) -> Any:
    if value is None and NoneType in kinds:
        return None
    wanted = []
    for kind in kinds:
        if kind is not NoneType:
            try:
                return _typed(value, kind)
            except TypeError as error:
                wanted.append(str(error))
    raise TypeError(" or ".join(wanted))


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("a number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError("a number") from None
