"""What a training is, and what of it lasts over its phases."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from enhancers.base import Enhancer
from enhancers.lfpv import TwoPath
from enhancers.training import plain_network
from pipeline.checkpoints import write_checkpoint
from pipeline.errors import PipelineError
from pipeline.factory import new_network
from pipeline.names import EnhancerName
from pipeline.provenance import environment
from pipeline.ranks import Ranks
from pipeline.signals import Stop
from pipeline.training import checkpoint
from pipeline.training.average import Average, inference_state
from pipeline.training.data import identity
from pipeline.training.objectives import Objectives
from pipeline.training.recipe import Recipe
from pipeline.training.validation import Validation
from pipeline.training.watch import Watch
from tasks.pairs import TrainingSet

BEST = "best.safetensors"


@dataclass(frozen=True)
class Job:
    """What is to be trained, on what, and where it goes.

    `folder` holds training checkpoints, the log and the best weights on held-out pairs; `out` the
    weights of the last step.
    """

    name: EnhancerName
    recipe: Recipe
    data_name: str
    data: TrainingSet
    seed: int
    device: torch.device
    out: Path
    folder: Path
    ranks: Ranks
    tensorboard: Path | None = None

    def identity(self) -> dict[str, Any]:
        """All that decides the result; a checkpoint of another identity is not gone on from."""
        return {
            "enhancer": self.name.bare,
            "recipe": self.recipe.plain(),
            "data": identity(self.data, self.data_name),
            "seed": self.seed,
            "ranks": self.ranks.size,
        }


class Session:
    """What lasts over the phases of a job.

    Attributes:
        total: steps done, of all phases.
        best: the best score on held-out pairs in the last phase.
        last: the last training checkpoint.
    """

    def __init__(self, job: Job, stop: Stop) -> None:
        self.job, self.stop = job, stop
        self.identity = job.identity()
        checkpoint.seed_everything(job.seed)
        self.model = new_model(job.name, job.recipe).to(job.device)
        if job.ranks.size > 1 and job.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(plain_network(self.model))
        checkpoint.seed_everything(job.seed, job.ranks.rank)
        decay = job.recipe.training.ema
        self.average = Average(self.model, decay) if decay else None
        self.objectives = Objectives(job.recipe.perceptual)
        self.validation = (
            Validation(job.data.held_out, job.device, job.ranks) if job.data.held_out else None
        )
        self.total, self.best = 0, float("-inf")
        self.last: Path | None = None

    def watch(self) -> Watch:
        """What shows this training, from the steps done on."""
        job = self.job
        title, quiet = f"training {job.name}", not job.ranks.first
        return Watch(title, job.recipe.steps, self.total, job.folder, job.tensorboard, quiet)

    def saved(self) -> dict[str, Any]:
        """The last training checkpoint of this job.

        Raises:
            PipelineError: there is none, or one of another job; the first difference is named.
        """
        self.last, content = checkpoint.last(self.job.folder, self.identity)
        self.total, self.best = content["total"], content["best"]
        self.objectives.used = content["perceptual"]
        return content

    def write(self, path: Path, **more: Any) -> None:
        """The weights for inference, averaged where the recipe says so, and how they were made."""
        model = self.model
        header = {**self.identity, "steps": self.total, **more}
        header["options"] = plain_network(model).options
        if self.job.name.lfpv:
            header["lfpv"] = model.options
        if self.objectives.used:
            header["perceptual"] = self.objectives.used
        header["environment"] = environment(self.job.device)
        if self.average is None:
            write_checkpoint(path, inference_state(model), header)
            return
        with self.average.in_place():
            write_checkpoint(path, inference_state(model), header)


def new_model(name: EnhancerName, recipe: Recipe) -> Enhancer:
    """An untrained model of that name, or its control with two paths.

    Raises:
        PipelineError: a control of what has LFPV.
        EnhancerError: a wrong option.
    """
    model = new_network(name, recipe.network, asdict(recipe.lfpv))
    if recipe.control == "none":
        return model
    if name.lfpv:
        raise PipelineError(f"control: {recipe.control} is for a network without LFPV, not {name}")
    return TwoPath(model.encode, model.decode)
