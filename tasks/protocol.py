"""Evaluation protocols: versioned data read from `configs/tasks/*.yaml`."""

from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any

import yaml

import configs
from tasks import cityscapes
from tasks.errors import TaskError

EIGHT_BIT = ("round", "truncate", "none")


@dataclass(frozen=True)
class Protocol:
    """How an enhanced image becomes a score; part of every result's identity.

    Attributes:
        name: key in the task's YAML file.
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
        splits: official number of images of each split.
        sequence: the one folder of the official split, where that is part of it.
        note: what a reader of its scores must know.
    """

    name: str
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
    note: str = ""

    def protocol(self, name: str | None) -> Protocol:
        """The protocol of that name, or the default one.

        Raises:
            TaskError: unknown name; the nearest one is offered.
        """
        name = name or self.default_protocol
        if name not in self.protocols:
            near = get_close_matches(name, self.protocols, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.protocols)}"
            raise TaskError(f"task {self.name} has no protocol '{name}'; {hint}")
        return self.protocols[name]


def load_card(name: str) -> TaskCard:
    """Read the card of a task that ships with the product."""
    path = configs.ROOT / "tasks" / f"{name}.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    classes = content.pop("classes", None)
    if classes == "cityscapes":
        classes = cityscapes.CLASSES
    protocols = {key: _protocol(key, value) for key, value in content.pop("protocols").items()}
    return TaskCard(
        name=name,
        protocols=protocols,
        classes=tuple(classes) if classes else None,
        **content,
    )


def task_cards() -> list[TaskCard]:
    """The cards of all tasks that ship with the product, by name."""
    return [load_card(path.stem) for path in sorted((configs.ROOT / "tasks").glob("*.yaml"))]


def _protocol(name: str, values: dict[str, Any]) -> Protocol:
    known = {f.name for f in fields(Protocol)}
    if unknown := set(values) - known:
        raise TaskError(f"protocol {name}: unknown key {sorted(unknown)[0]}")
    if values["eight_bit"] not in EIGHT_BIT:
        raise TaskError(f"protocol {name}: eight_bit is one of {', '.join(EIGHT_BIT)}")
    if values.get("size"):
        values["size"] = tuple(values["size"])
    return Protocol(name=name, **values)
