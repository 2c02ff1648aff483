"""Training recipes: YAML files checked against the dataclasses that they fill."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from pipeline.errors import PipelineError

T = TypeVar("T")


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping.

    Raises:
        PipelineError: no such file, not YAML, or no mapping.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise PipelineError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise PipelineError(f"{path}: not valid YAML ({reason})") from None
    if not isinstance(content, dict):
        raise PipelineError(f"{path}: must be a mapping of keys to values")
    return content


def fill(kind: type[T], values: Mapping[str, Any], path: Path) -> T:
    """Make the dataclass `kind` from a recipe's values; lists become tuples.

    Raises:
        PipelineError: an unknown or missing key, or a value that the dataclass refuses.
    """
    known = {field.name for field in fields(kind)}
    if unknown := sorted(set(values) - known):
        raise PipelineError(
            f"{path}: unknown key '{unknown[0]}'; known: {', '.join(sorted(known))}"
        )
    given = {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise PipelineError(f"{path}: {error}") from None
