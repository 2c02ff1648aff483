"""Evaluation protocols: versioned data read from `configs/tasks/*.yaml`, or from a user's file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

import configs
from tasks import cityscapes
from tasks.errors import TaskError
from tasks.yaml_files import read_yaml

EIGHT_BIT = ("round", "truncate", "none")
FILTERS = ("lanczos", "bilinear")
SCORE_AT = ("source", "input")

# What a protocol may say beside `version`, `eight_bit` and `about`, by kind of task.
_KEYS = {
    "classification": ("size", "filter"),
    "segmentation": ("size", "filter", "score_at", "labels"),
    "submission": ("size", "filter", "score_at"),
    "restoration": ("match_brightness",),
}


@dataclass(frozen=True)
class Protocol:
    """How an enhanced image becomes a score; part of every result's identity.

    Attributes:
        name: key in the task's YAML file, or the stem of a user's own file.
        version: raised whenever a change of the protocol could change a score.
        eight_bit: the enhanced image's way to 8 bits, as when it is saved to disk in between:
            "round" to the nearest level, "truncate" (as many released scripts do), or "none".
        size: (H, W) at which the evaluator sees the image; None is the source size.
        filter: "lanczos" or "bilinear" (both antialiased), used when `size` is set.
        score_at: "source" scores against the stored label, "input" against the label reduced to
            `size` by nearest neighbour.
        labels: which label files are read, where a dataset has several.
        match_brightness: scale the enhanced image to the mean grey level of the truth first
            (restoration); it tells the enhancer the answer's brightness.
        about: one line for people.
    """

    name: str
    version: int
    eight_bit: str
    size: tuple[int, int] | None = None
    filter: str = "lanczos"
    score_at: str = "source"
    labels: str = "labelTrainIds"
    match_brightness: bool = False
    about: str = ""


@dataclass(frozen=True)
class TaskCard:
    """What `configs/tasks/NAME.yaml` says about a task: where it is published and how it is run.

    Attributes:
        kind: as `Task.kind`.
        splits: official number of images of each split.
        sequence: the one folder of the official split, where that is part of it.
        labels: label variants → their files below the root, the default variant first.
        beside: protocol → the published figures that its scores stand beside, or do not.
        quick_evaluator: a listed evaluator that is small, where the default one is not.
        note: what a reader of its scores must know.
    """

    name: str
    kind: str
    title: str
    metric: str
    layout: str
    published: str
    terms: str
    default_protocol: str
    protocols: dict[str, Protocol]
    classes: tuple[str, ...] | None = None
    splits: dict[str, int] = field(default_factory=dict)
    sequence: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    quick_evaluator: str = ""
    note: str = ""

    def protocol(self, name: str | None) -> Protocol:
        """The protocol of that name, the default one, or the one in the user's file NAME.yaml.

        Raises:
            TaskError: unknown name (the nearest one is offered), or the file is no protocol.
        """
        name = name or self.default_protocol
        if name.endswith((".yaml", ".yml")):
            return self._own_protocol(Path(name))
        if name not in self.protocols:
            hint = _nearest(name, self.protocols)
            raise TaskError(f"task {self.name} has no protocol '{name}'; {hint}")
        return self.protocols[name]

    def _own_protocol(self, path: Path) -> Protocol:
        if path.stem in self.protocols:
            raise TaskError(
                f"{path}: task {self.name} has a protocol '{path.stem}'; name yours otherwise"
            )
        return _protocol(path.stem, read_yaml(path), self.kind, self.labels, str(path))


@cache
def load_card(name: str) -> TaskCard:
    """Read the card of a task that ships with the product."""
    path = configs.ROOT / "tasks" / f"{name}.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    classes = content.pop("classes", None)
    if classes == "cityscapes":
        classes = cityscapes.CLASSES
    kind, labels = content["kind"], content.get("labels", {})
    protocols = {
        key: _protocol(key, values, kind, labels, f"{path.name}, protocol {key}")
        for key, values in content.pop("protocols").items()
    }
    return TaskCard(
        name=name,
        protocols=protocols,
        classes=tuple(classes) if classes else None,
        **content,
    )


def task_cards() -> list[TaskCard]:
    """The cards of all tasks that ship with the product, by name."""
    return [load_card(path.stem) for path in sorted((configs.ROOT / "tasks").glob("*.yaml"))]


def _protocol(name: str, values: Any, kind: str, labels: Mapping[str, str], where: str) -> Protocol:
    """A checked protocol; TaskError names `where` and the key."""
    if not isinstance(values, dict):
        raise TaskError(f"{where}: a protocol is lines of `key: value`")
    _require_keys(values, kind, where)
    values = ({"labels": next(iter(labels))} if labels else {}) | values
    choices = {"eight_bit": EIGHT_BIT, "filter": FILTERS, "score_at": SCORE_AT}
    for key, allowed in (choices | {"labels": tuple(labels)}).items():
        if key in values and not allowed:
            raise TaskError(f"{where}: the task has no {key} to choose from; leave it out")
        if key in values and values[key] not in allowed:
            raise TaskError(f"{where}: {key} is one of {', '.join(allowed)}, not {values[key]!r}")
    for key, (wanted, words) in _TYPES.items():
        if key in values and type(values[key]) is not wanted:
            raise TaskError(f"{where}: {key} is {words}, not {values[key]!r}")
    if "size" in values:
        values["size"] = _size(values["size"], where)
    elif "filter" in values or values.get("score_at") == "input":
        raise TaskError(f"{where}: `filter` and `score_at: input` need a `size`")
    return Protocol(name=name, **values)


_TYPES = {
    "version": (int, "a whole number"),
    "match_brightness": (bool, "true or false"),
    "about": (str, "text"),
}


def _require_keys(values: Mapping[str, Any], kind: str, where: str) -> None:
    known = ("version", "eight_bit", "about", *_KEYS[kind])
    for key in values:
        if key not in known:
            hint = _nearest(str(key), known)
            raise TaskError(f"{where}: '{key}' is no key of a {kind} protocol; {hint}")
    for key in ("version", "eight_bit"):
        if key not in values:
            raise TaskError(f"{where}: `{key}` is missing")


def _size(value: Any, where: str) -> tuple[int, int]:
    right = isinstance(value, list) and len(value) == 2
    if not right or not all(type(side) is int and side > 0 for side in value):
        raise TaskError(f"{where}: size is [height, width] in pixels, not {value!r}")
    return value[0], value[1]


def _nearest(name: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    near = get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
