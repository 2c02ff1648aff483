"""What an evaluator's training is, and what of it lasts from the first step to the file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.chain import ChainOptions
from pipeline.checkpoints import read_checkpoint, write_checkpoint
from pipeline.errors import PipelineError
from pipeline.evaluator_training.data import kind_of
from pipeline.evaluator_training.recipe import Recipe
from pipeline.evaluator_training.validation import Validation
from pipeline.evaluators import evaluator_config
from pipeline.provenance import environment, manifest
from pipeline.ranks import Ranks
from pipeline.signals import Stop
from pipeline.training import checkpoint
from pipeline.training.session import BEST
from pipeline.training.watch import Watch
from tasks.labelled_sets import LabelledSet
from tasks.models import DownstreamModel, ModelInfo
from tasks.trainable import (
    imagenet_state,
    start_from,
    synchronised,
    untrained_classifier,
    untrained_segmentor,
)


@dataclass(frozen=True)
class Job:
    """What is to be trained, on what, and where it goes.

    `folder` holds training checkpoints, the log and the best weights on the validation split;
    `out` the weights of the last step.
    """

    model: str
    recipe: Recipe
    data_name: str
    data: LabelledSet
    seed: int
    device: torch.device
    out: Path
    folder: Path
    ranks: Ranks
    tensorboard: Path | None = None

    def identity(self) -> dict[str, Any]:
        """All that decides the result; a checkpoint of another identity is not gone on from."""
        train = self.data.train
        size = self.recipe.images.resize
        # One rank reads all files for their hash.
        found = self.ranks.gather(manifest(train.samples) if self.ranks.first else {})[0]
        return {
            "evaluator": self.model,
            "classes": list(train.classes or ()),
            "input_size": list(size) if size else None,
            "recipe": self.recipe.plain(),
            "data": {"name": self.data_name, **found},
            "seed": self.seed,
            "ranks": self.ranks.size,
        }


class Session:
    """The model of a job and what became of it.

    Attributes:
        steps, total: of the whole training, and done.
        best: the best score on the validation split.
        last: the last training checkpoint.
    """

    def __init__(self, job: Job, stop: Stop) -> None:
        self.job, self.stop = job, stop
        self.steps = job.recipe.steps(len(job.data.train.samples))
        checkpoint.seed_everything(job.seed)
        self.model = new_model(job)
        if job.ranks.size > 1 and job.device.type == "cuda":
            synchronised(self.model)
        # The layout in which convolutions are fastest, on tensor cores and on a CPU.
        self.model.to(job.device, memory_format=torch.channels_last)
        checkpoint.seed_everything(job.seed, job.ranks.rank)
        self.validation = self._validation()
        self.identity = job.identity()
        self.total, self.best = 0, float("-inf")
        self.last: Path | None = None

    def watch(self) -> Watch:
        """What shows this training, from the steps done on."""
        job, title = self.job, f"training {self.job.model}"
        quiet = not job.ranks.first
        return Watch(title, self.steps, self.total, job.folder, job.tensorboard, quiet)

    def saved(self) -> dict[str, Any]:
        """The last training checkpoint of this job.

        Raises:
            PipelineError: there is none, or one of another job; the first difference is named.
        """
        self.last, content = checkpoint.last(self.job.folder, self.identity)
        self.total, self.best = content["total"], content["best"]
        return content

    def write(self, path: Path, **more: Any) -> None:
        """The weights, for --evaluator-weights, and how they were made."""
        header = {**self.identity, "steps": self.total, **more}
        header["environment"] = environment(self.job.device)
        write_checkpoint(path, self.model.network.state_dict(), header)

    def finish(self) -> None:
        """Write the weights that the recipe asks for to where they were asked for."""
        if self.job.recipe.training.weights == "last":
            self.write(self.job.out)
        else:
            best = read_checkpoint(self.job.folder / BEST)
            write_checkpoint(self.job.out, best.state, best.header)

    def selected_on(self, scores: dict[str, float]) -> dict[str, Any]:
        """For the header of the best weights: by which score they were chosen."""
        main = self.validation.main
        data, images = f"{self.job.data_name} val", self.validation.images
        return {"data": data, "images": images, "metric": main, "score": scores[main]}

    def _validation(self) -> Validation | None:
        job, val = self.job, self.job.data.val
        if val is None:
            if job.recipe.training.weights == "best":
                raise PipelineError(f"training.weights: best: {job.data_name} has no val split")
            return None
        data = job.recipe.data
        batch = data.batch if val.kind == "classification" else 1
        chain = ChainOptions(job.device, job.recipe.training.amp, batch, data.processes())
        return Validation(self.model, val, job.recipe, chain, job.ranks)


def new_model(job: Job) -> DownstreamModel:
    """The model of a job as its training starts.

    Raises:
        PipelineError, TaskError: no such model, or not for so many classes; weights that it starts
            from are not here, or do not fit.
    """
    info = ModelInfo(job.data.train.classes, job.recipe.images.resize)
    if kind_of(job.model) == "classification":
        model = untrained_classifier(job.model, info)
    else:
        model = untrained_segmentor(evaluator_config(job.model), info)
    start = job.recipe.start
    if start == "imagenet":
        start_from(model, imagenet_state(model), "ImageNet weights")
    elif start != "none":
        start_from(model, read_checkpoint(Path(start)).state, start)
    return model
