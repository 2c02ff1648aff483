"""What an evaluator's training does, from a file of `configs/evaluators` and the command line."""

import json
import math
import os
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import configs
from pipeline.errors import PipelineError
from pipeline.recipes import fill, read_yaml
from pipeline.training.plan import Plan
from pipeline.training.recipe import Optimiser
from tasks.labelled_augmentation import LabelledAugmentation

FOLDER = configs.ROOT / "evaluators"

# The recipe of a model on some data; others get the one of their kind.
PUBLISHED = {
    ("refinenet_r101.py", "cityscapes"): "refinenet_cityscapes",
    ("refinenet_r18.py", "cityscapes"): "refinenet_cityscapes",
    ("refinenet_r18_camvid11.py", "camvid_day"): "refinenet_r18_camvid",
    ("resnet18", "codan_day"): "resnet18_codan",
    ("cgnet_street19.py", "sample"): "sample_street",
    ("test_resnet", "sample"): "sample_objects",
}


@dataclass(frozen=True)
class Schedule:
    """Learning rate: constant; `gamma` times as much every `every` epochs (step); or one cycle.

    The cycle is torch's OneCycleLR with its own defaults: up from 1/25 in 30 % of the steps, down
    to almost nothing, by cosines; the momentum falls from .95 to .85 and rises again.
    """

    kind: Literal["constant", "step", "onecycle"] = "constant"
    every: float | None = None
    gamma: float = 0.1

    def __post_init__(self) -> None:
        if (self.kind == "step") != (self.every is not None):
            raise PipelineError("`every` (epochs) belongs to kind: step")
        if self.every is not None and not self.every > 0:
            raise PipelineError("needs every > 0")


@dataclass(frozen=True)
class Data:
    """Section `data`: images a step (of all ranks together), reading processes."""

    batch: int
    workers: int = 2

    def __post_init__(self) -> None:
        if self.batch < 1 or self.workers < 0:
            raise PipelineError("needs batch >= 1 and workers >= 0")

    def processes(self) -> int:
        """Those that read: no more than there are processors, of which nothing else depends."""
        return min(self.workers, os.cpu_count() or 1)


@dataclass(frozen=True)
class Settings:
    """Section `training`.

    Attributes:
        amp: mixed precision.
        clip_norm: largest norm of the gradient; None does not clip.
        validate_every, save_every: epochs; each also at the end.
        log_every: steps.
        keep: training checkpoints that are kept.
        weights: which are written: those of the last step, or the best on the validation split.
    """

    amp: bool = False
    clip_norm: float | None = None
    validate_every: int = 1
    save_every: int = 1
    log_every: int = 20
    keep: int = 2
    weights: Literal["last", "best"] = "last"

    def __post_init__(self) -> None:
        if min(self.validate_every, self.save_every, self.log_every, self.keep) < 1:
            raise PipelineError("validate_every, save_every, log_every and keep are 1 or more")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise PipelineError("needs clip_norm > 0")


@dataclass(frozen=True)
class Recipe:
    """All that decides a training, besides model, data and seed.

    Attributes:
        epochs: passes over the data.
        start: none (fresh weights), imagenet (timm's, downloaded: of a classifier but its head, of
            a segmentor's backbone), or a file with these.
        images: what is done to every image.
    """

    epochs: int
    optimiser: Optimiser
    data: Data
    images: LabelledAugmentation = field(default_factory=LabelledAugmentation)
    schedule: Schedule = Schedule()
    start: str = "none"
    training: Settings = Settings()

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise PipelineError("epochs must be at least 1")

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return json.loads(json.dumps(asdict(self)))

    def changed(self, epochs: int | None, amp: bool) -> "Recipe":
        """With `epochs`, over which the schedule is stretched; mixed precision if `amp`."""
        training = replace(self.training, amp=self.training.amp or amp)
        if epochs is None:
            return replace(self, training=training)
        every = self.schedule.every
        schedule = replace(self.schedule, every=every and every * epochs / self.epochs)
        return replace(self, epochs=epochs, schedule=schedule, training=training)

    def steps(self, images: int, epochs: int | None = None) -> int:
        """Whole batches in `epochs` (None: all) passes over as many images; at least one."""
        return max(1, (epochs or self.epochs) * images // self.data.batch)

    def plan(self, images: int) -> Plan:
        """The updates of a training on as many images."""
        cycled = self.schedule.kind == "onecycle"
        return Plan(
            self.steps(images),
            self.optimiser,
            self.rate,
            momentum=partial(one_cycle, first=0.95, turn=0.85, last=0.95) if cycled else None,
            clip_norm=self.training.clip_norm,
        )

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of step 0, 1, … as a share of the optimiser's."""
        schedule = self.schedule
        if schedule.kind == "constant":
            return 1.0
        if schedule.kind == "step":
            return schedule.gamma ** int(step * self.epochs // (steps * schedule.every))
        return one_cycle(step, steps, first=1 / 25, turn=1.0, last=1 / 25e4)


def one_cycle(step: int, steps: int, *, first: float, turn: float, last: float) -> float:
    """From `first` to `turn` in 30 % of the steps and on to `last`, by cosines."""
    peak = 0.3 * steps - 1
    if step <= peak:
        return _between(first, turn, step / peak)
    return _between(turn, last, (step - peak) / (steps - 1 - peak))


def find_recipe(model: str, data: str, kind: str, config: str | None) -> Path:
    """A file, or a packaged recipe by its name; None is the one for `model` on `data`.

    Raises:
        PipelineError: there is none.
    """
    name = config or PUBLISHED.get((model, data), kind)
    packaged = FOLDER / f"{name}.yaml"
    path = Path(name) if Path(name).is_file() else packaged
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml") if _is_recipe(p)))
        raise PipelineError(f"there is no recipe '{config}'; it is a YAML file or one of {known}")
    return path


def read_recipe(path: Path) -> Recipe:
    """The recipe of a file.

    Raises:
        PipelineError: names the file and the key that is unknown, missing or wrong.
    """
    content = read_yaml(path)
    sections = {
        "optimiser": Optimiser,
        "data": Data,
        "images": LabelledAugmentation,
        "schedule": Schedule,
        "training": Settings,
    }
    for section, kind in sections.items():
        if section in content:
            content[section] = fill(kind, content[section], path, section)
    return fill(Recipe, content, path)


def _is_recipe(path: Path) -> bool:
    return "epochs" in read_yaml(path)


def _between(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
