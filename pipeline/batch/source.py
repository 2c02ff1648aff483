"""A YAML file with the place of every value, its includes, and ${VARIABLES} filled in."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import configs
from pipeline.errors import PipelineError

PACKAGED = configs.ROOT / "batch"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
Key = tuple[str | int, ...]
Problem = tuple[Path, int, str]


class ConfigErrors(PipelineError):
    """All that is wrong with a config, one line each, in the order of the lines."""

    def __init__(self, problems: list["Problem"]) -> None:
        ordered = sorted(dict.fromkeys(problems), key=lambda problem: problem[:2])
        self.problems = [f"{path}:{line}: {text}" for path, line, text in ordered]
        super().__init__("; ".join(self.problems))


@dataclass
class Source:
    """A config as plain values.

    Attributes:
        places: key → file and line of its value.
        problems: what is wrong so far: file, line, and a text with the key.
    """

    content: dict[str, Any] = field(default_factory=dict)
    places: dict[Key, tuple[Path, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, key: Key, message: str) -> None:
        """Note a problem with the value at `key`, or with the nearest one above that is there."""
        known = next(key[:end] for end in range(len(key), -1, -1) if key[:end] in self.places)
        path, line = self.places[known]
        self.problems.append((path, line, f"{_dotted(key)}{message}"))


def read_source(path: Path) -> Source:
    """Read a config and what it includes; a key of a file replaces the included one.

    Raises:
        PipelineError: there is no such file.
    """
    source = Source()
    source.places[()] = (path, 1)
    _read(path, source, ())
    source.content.pop("include", None)
    return source


def find_config(name: str | Path, beside: Path = Path()) -> Path:
    """A file `beside` another, or one that ships with the product, with or without `.yaml`.

    Raises:
        PipelineError: there is none.
    """
    for path in (beside / name, PACKAGED / name, PACKAGED / f"{name}.yaml"):
        if path.is_file():
            return path
    packaged = ", ".join(path.stem for path in sorted(PACKAGED.glob("*.yaml")))
    raise PipelineError(f"{beside / name}: no such batch file; those that ship are {packaged}")


def _read(path: Path, source: Source, above: tuple[Path, ...]) -> None:
    """Add a file to `source`, after the files that it includes."""
    try:
        loader = yaml.SafeLoader(path.read_text())
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        source.problems.append((path, line, f"not valid YAML ({error.problem})"))
        return
    except (yaml.YAMLError, ValueError) as error:
        source.problems.append((path, 1, f"not valid YAML ({str(error).splitlines()[0]})"))
        return
    own = Source(places={(): (path, 1)}, problems=source.problems)
    try:
        content = _plain(node, (), own, loader) if node else {}
    except RecursionError:
        source.problems.append((path, 1, "a value holds itself"))
        return
    if not isinstance(content, dict):
        source.problems.append((path, 1, "must be a mapping of keys to values"))
        return
    included = content.get("include", [])
    for name in included if isinstance(included, list) else [included]:
        _include(name, path, own, source, above)
    source.content |= content
    source.places = {k: v for k, v in source.places.items() if not k or k[0] not in content}
    source.places |= {key: place for key, place in own.places.items() if key}


def _include(name: Any, path: Path, own: Source, source: Source, above: tuple[Path, ...]) -> None:
    if not isinstance(name, str):
        own.wrong(("include",), "must be a file or a list of files")
        return
    try:
        found = find_config(name, path.parent)
    except PipelineError as error:
        own.wrong(("include",), str(error))
        return
    if found.resolve() in {one.resolve() for one in (*above, path)}:
        own.wrong(("include",), f"{name} includes itself")
        return
    _read(found, source, (*above, path))


def _plain(node: yaml.Node, key: Key, source: Source, loader: yaml.SafeLoader) -> Any:
    """The value of a node; notes its place, and problems with keys and variables."""
    path = source.places[()][0]
    source.places[key] = (path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*key, i), source, loader) for i, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, _ in node.value:
            source.places[(*key, str(name.value))] = (path, name.start_mark.line + 1)
            if name.value in seen:
                source.wrong((*key, str(name.value)), "is given twice")
            seen.add(name.value)
        loader.flatten_mapping(node)
        return {
            str(name.value): _plain(value, (*key, str(name.value)), source, loader)
            for name, value in node.value
        }
    value = loader.construct_object(node)
    return _filled(value, key, source) if isinstance(value, str) else value


def _filled(text: str, key: Key, source: Source) -> str:
    """The text with ${VARIABLES} replaced by the environment's."""
    for name in _VARIABLE.findall(text):
        if not os.environ.get(name):
            source.wrong(key, f"the environment variable {name} is not set; export {name}=DIR")
    return _VARIABLE.sub(lambda found: os.environ.get(found[1], found[0]), text)


def _dotted(key: Key) -> str:
    """`tasks[1].root: `."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return f"{text.lstrip('.')}: " if text else ""
