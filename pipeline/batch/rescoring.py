"""Scores from a cell's records, without the model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from pipeline.result import Result
from pipeline.summary import Light, summarise
from tasks.evaluators import Evaluator, create_evaluator
from tasks.models import DownstreamModel, ModelInfo
from tasks.protocol import Protocol
from tasks.restoration import RestorationEvaluator
from tasks.task import Sample, Task


class RecordedModel(DownstreamModel):
    """Stands for a model of which the records are there: its classes, and no outputs."""

    def __init__(self, kind: str, classes: tuple[str, ...], void_output: bool) -> None:
        super().__init__(ModelInfo(classes))
        self.kind, self.num_outputs, self.void_output = kind, len(classes), void_output

    def forward(self, image: Tensor) -> Tensor:
        """RuntimeError: there are records only."""
        raise RuntimeError("a recorded model has no outputs")


def rescored(result: Result, images: Sequence[Light]) -> Result:
    """A cell's result with all that its records say computed again."""
    evaluator = _evaluator(result, images)
    again = summarise(result.enhancer, evaluator, images, {})
    return replace(
        result,
        scores=again.scores,
        per_class=again.per_class,
        per_image=again.per_image,
        seconds=again.seconds,
        seconds_p90=again.seconds_p90,
    )


def _evaluator(result: Result, images: Sequence[Light]) -> Evaluator:
    """The evaluator of the records, as far as scores need it."""
    first = images[0].record
    classes = tuple(next(iter(result.per_class.values()), {}))
    kind = "classification"
    if first.values is not None:
        kind = "restoration"
    elif first.confusion is not None:
        kind = "segmentation"
    samples = tuple(
        Sample(r.id, r.split, Path(r.id), classes[r.label] if r.label is not None else None)
        for r in (one.record for one in images)
    )
    protocol = Protocol(**result.protocol)
    task = Task(result.task, kind, samples, protocol, classes or None)
    if kind == "restoration":
        return RestorationEvaluator(None, task)
    void = kind == "segmentation" and first.confusion.shape[1] > len(classes)
    return create_evaluator(RecordedModel(kind, classes, void), task)
