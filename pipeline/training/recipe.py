"""What a training does, from a file of `configs/enhancers` and the command line."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import configs
from enhancers.lfpv import Options
from enhancers.training import Nodes
from pipeline.errors import PipelineError
from pipeline.recipes import fill, read_yaml
from tasks.augmentation import Augmentation

Supervision = Literal["own", "paired"]
Perceptual = Literal["vgg", "vgg16", "none"]
FOLDER = configs.ROOT / "enhancers"


@dataclass(frozen=True)
class Optimiser:
    """Adam, AdamW (with `betas`) or SGD (with `momentum`); all take `weight_decay`."""

    rate: float
    kind: Literal["adam", "adamw", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.9
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf or not 0 <= self.weight_decay < math.inf:
            raise PipelineError("needs rate > 0 and weight_decay >= 0, both finite")
        if not all(0 <= share < 1 for share in (*self.betas, self.momentum)):
            raise PipelineError("needs betas and momentum from 0 to below 1")


@dataclass(frozen=True)
class Schedule:
    """Learning rate over a phase: as it is until `start`, a share of the steps, then to `end`.

    `end` is a share of the learning rate, reached at once (step) or at the last step.
    """

    kind: Literal["constant", "linear", "cosine", "step"] = "constant"
    start: float = 0.0
    end: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.start < 1 or not 0 <= self.end <= 1:
            raise PipelineError("needs 0 <= start < 1 and 0 <= end <= 1")

    def factor(self, step: int, steps: int) -> float:
        """The learning rate of step 0, 1, … as a share of the first one."""
        done = (step / steps - self.start) / (1 - self.start)
        if self.kind == "constant" or done < 0:
            return 1.0
        if self.kind == "step":
            return self.end
        left = 1 - done if self.kind == "linear" else (1 + math.cos(math.pi * done)) / 2
        return self.end + (1 - self.end) * left


@dataclass(frozen=True)
class Phase:
    """A part of a training with an objective and optimisers of its own.

    Attributes:
        objective: a name of `pipeline.registry.OBJECTIVES`.
        nodes: of a model with LFPV: learn (and both paths), fixed (both paths, the stored nodes),
            none (the plain path alone: what this phase trains comes before f_d).
        clip_norm: largest norm of the gradient; None does not clip.
        weights: parts of the network that start from a file, by their names; "" is the whole, also
            by the name of its weights (`{"": Epoch99}`).
    """

    objective: str
    steps: int
    optimiser: Optimiser
    schedule: Schedule = Schedule()
    clip_norm: float | None = None
    nodes: Nodes = "learn"
    weights: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.steps < 1 or (self.clip_norm is not None and not self.clip_norm > 0):
            raise PipelineError("needs steps >= 1 and clip_norm > 0")


@dataclass(frozen=True)
class Settings:
    """Section `training`: what all phases share.

    Attributes:
        lfpv_weight: λ of the LFPV path.
        amp: mixed precision.
        ema: decay of the averaged weights that are validated and written; 0 takes the last ones.
        skip_nonfinite: how many steps in a row may be left out for a loss or gradient that is not
            finite; 0 stops at the first.
        validate_every, save_every, log_every: steps; each also at the end of a phase.
        keep: training checkpoints that are kept.
    """

    lfpv_weight: float = 1.0
    amp: bool = False
    ema: float = 0.0
    skip_nonfinite: int = 0
    validate_every: int = 1000
    save_every: int = 1000
    log_every: int = 20
    keep: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.ema < 1 or self.skip_nonfinite < 0:
            raise PipelineError("needs 0 <= ema < 1 and skip_nonfinite >= 0")
        if min(self.validate_every, self.save_every, self.log_every, self.keep) < 1:
            raise PipelineError("validate_every, save_every, log_every and keep are 1 or more")


@dataclass(frozen=True)
class Data:
    """Section `data`: images a step (of all ranks together), how they are cut, reading processes.

    `crop` None takes whole images; `resize` makes them square first. `validation` pairs of the
    training split choose the best weights; at 0 the set's test split does, so that its score is
    only to be reported for the last weights.
    """

    batch: int
    crop: int | None
    resize: int | None = None
    flips: bool = True
    rotations: bool = False
    workers: int = 2
    validation: int = 0

    def __post_init__(self) -> None:
        if self.batch < 1 or self.workers < 0 or (self.crop is not None and self.crop < 16):
            raise PipelineError("needs batch >= 1, crop >= 16 and workers >= 0")
        if self.validation < 0:
            raise PipelineError("needs validation >= 0")
        self.augmentation()

    def augmentation(self) -> Augmentation:
        """What happens to an image; TaskError where crop and resize do not go together."""
        return Augmentation(self.crop, self.flips, self.rotations, self.resize)


@dataclass(frozen=True)
class Recipe:
    """All that decides a training, besides data and seed; `plain` is what a header records.

    Attributes:
        network, lfpv: options of the network, and of LFPV where the name has it.
        control: two_path trains a plain network with two paths and no nodes, for comparison.
        supervision: own (the enhancer's objectives) or paired (Charbonnier); chooses `phases`.
        perceptual: vgg (what the objective asks for), vgg16 (in VGG19's place too), none.
    """

    network: dict
    lfpv: Options
    data: Data
    phases: tuple[Phase, ...] = ()
    supervision: Supervision = "own"
    perceptual: Perceptual = "vgg"
    control: Literal["none", "two_path"] = "none"
    training: Settings = Settings()

    @property
    def steps(self) -> int:
        """Of all phases."""
        return sum(phase.steps for phase in self.phases)

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return json.loads(json.dumps(asdict(self)))

    def changed(self, steps: int | None, amp: bool) -> "Recipe":
        """With `steps` in all, of which each phase keeps its share; mixed precision if `amp`.

        Raises:
            PipelineError: fewer steps than phases.
        """
        training = replace(self.training, amp=self.training.amp or amp)
        lengths = [phase.steps for phase in self.phases]
        if steps:
            lengths = [max(1, steps * length // self.steps) for length in lengths]
            lengths[-1] += steps - sum(lengths)
        if lengths[-1] < 1:
            raise PipelineError(f"--steps {steps} are too few for {len(lengths)} phases")
        phases = zip(self.phases, lengths, strict=True)
        phases = tuple(replace(phase, steps=length) for phase, length in phases)
        return replace(self, phases=phases, training=training)


def find_recipe(base: str, config: str | Path | None) -> Path:
    """A packaged recipe (None: the published one, "short": the short one) or the user's file.

    Raises:
        PipelineError: there is none.
    """
    packaged = {"published": FOLDER / f"{base}.yaml", "short": FOLDER / f"{base}_short.yaml"}
    path = packaged.get(str(config or "published"), Path(str(config)))
    if not path.is_file():
        raise PipelineError(
            f"there is no recipe {path.name} for '{base}'; --config is short, published or a file"
        )
    return path


def read_recipe(path: Path, supervision: str | None = None) -> Recipe:
    """The recipe of a file; `supervision` is instead of its own.

    Raises:
        PipelineError: names the file and the key that is unknown, missing or wrong.
    """
    content = dict(read_yaml(path))
    phases = content.pop("phases", None)
    if supervision:
        content["supervision"] = supervision
    if not isinstance(content.get("network", {}), dict):
        raise PipelineError(f"{path}: network must be a mapping; write {{}} for no options")
    for section, kind in (("data", Data), ("training", Settings), ("lfpv", Options)):
        if section in content:
            content[section] = fill(kind, content[section], path, section)
    chosen = content.get("supervision", "own")
    if not isinstance(phases, Mapping) or not isinstance(phases.get(chosen), list):
        raise PipelineError(f"{path}: phases.{chosen} must be a list of phases")
    if not phases[chosen]:
        raise PipelineError(f"{path}: phases.{chosen} is empty")
    recipe = fill(Recipe, content, path)
    named = ((values, f"phases.{chosen}[{index}]") for index, values in enumerate(phases[chosen]))
    return replace(recipe, phases=tuple(_phase(values, path, where) for values, where in named))


def _phase(values: Any, path: Path, where: str) -> Phase:
    if not isinstance(values, Mapping):
        raise PipelineError(f"{path}: '{where}' must be a mapping of keys to values")
    values = dict(values)
    for section, kind in (("optimiser", Optimiser), ("schedule", Schedule)):
        if section in values:
            values[section] = fill(kind, values[section], path, f"{where}.{section}")
    return fill(Phase, values, path, where)
