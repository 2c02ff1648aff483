"""Evaluators: a frozen model, a task's protocol and a metric.

`measure` turns a batch of enhanced images into one record each; `run` turns records into scores.
Scores depend on records alone, so they can be resampled and recomputed without any model.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from tasks import metrics
from tasks.classification import require_class
from tasks.errors import TaskError
from tasks.measurer import Measurer, Record, classes_of, require_finite, scored_logits
from tasks.models import DownstreamModel
from tasks.resize import resize_label
from tasks.task import ClassReader, LabelReader, Sample, Task, require_size


class Evaluator(Measurer):
    """A measurer with a metric: from records to scores.

    Attributes:
        units: metric → unit; "%" is of a fraction, anything else is printed as it is.
        notes: what a reader of the scores must know.
    """

    units: ClassVar[Mapping[str, str]]
    notes: Sequence[str] = ()

    @abstractmethod
    def scores(self, records: Sequence[Record], weight: np.ndarray | None = None) -> dict:
        """Scores of one split's records, fractions where the unit is %.

        `weight` (R, N), how often each image counts in each resample, gives (R,) arrays instead.
        """

    @abstractmethod
    def per_class(self, records: Sequence[Record]) -> dict[str, float | None]:
        """The class-wise score of one split as fractions; None where a class does not count."""

    def run(self, records: Sequence[Record]) -> Iterator[tuple[str, float]]:
        """Yield every score as ("split/metric", value in its unit).

        Raises:
            TaskError: nothing but void in a split.
        """
        for split in self.task.splits:
            chosen = [record for record in records if record.split == split]
            for name, value in self.scores(chosen).items() if chosen else ():
                if np.isnan(value):
                    raise TaskError(f"{self.task.name}: every labelled pixel of '{split}' is void")
                yield f"{split}/{name}", self.scale(name) * float(value)

    def scale(self, metric: str) -> float:
        """Factor from a score to its unit."""
        return 100.0 if self.units[metric] == "%" else 1.0


class ClassificationEvaluator(Evaluator):
    """Top-1 of a frozen classifier."""

    model: DownstreamModel
    units: ClassVar = {"top1": "%"}

    def __init__(self, model: DownstreamModel, task: Task) -> None:
        super().__init__(model, task, classes_of(model, task))
        for sample in task.samples:
            require_class(str(sample.target), self.classes, sample.image.parent)
        self.read_target = ClassReader(self.classes)
        self.notes = _unnamed_note(model)

    def measure(
        self, enhanced: torch.Tensor, samples: Sequence[Sample], targets: Sequence[torch.Tensor]
    ) -> list[Record]:
        logits = self.model(self.chain(enhanced)).float()
        largest = logits.topk(min(5, logits.shape[1]), 1)
        require_finite(largest.values[:, :1], samples)
        rows = zip(
            samples,
            targets,
            logits.argmax(1).tolist(),
            largest.indices.tolist(),
            _margins(largest.values),
            strict=True,
        )
        return [
            Record(sample.id, sample.split, int(target), prediction, tuple(top5), margin)
            for sample, target, prediction, top5, margin in rows
        ]

    def scores(self, records: Sequence[Record], weight: np.ndarray | None = None) -> dict:
        correct = np.array([record.label == record.prediction for record in records])
        return {"top1": metrics.mean(correct, weight)}

    def per_class(self, records: Sequence[Record]) -> dict[str, float | None]:
        recall: dict[str, float | None] = {}
        for index, name in enumerate(self.classes):
            hits = [record.prediction == index for record in records if record.label == index]
            recall[name] = float(np.mean(hits)) if hits else None
        return recall


class SegmentationEvaluator(Evaluator):
    """mIoU of a frozen segmentor, from one int64 confusion matrix over the dataset."""

    model: DownstreamModel
    units: ClassVar = {"mIoU": "%", "pixel_accuracy": "%"}

    def __init__(self, model: DownstreamModel, task: Task) -> None:
        super().__init__(model, task, classes_of(model, task))
        self.read_target = LabelReader(task)
        self.notes = _unnamed_note(model)

    def measure(
        self, enhanced: torch.Tensor, samples: Sequence[Sample], targets: Sequence[torch.Tensor]
    ) -> list[Record]:
        protocol = self.task.protocol
        source_size = enhanced.shape[-2:]
        # Of equal ones both give the first; argmax takes three times as long on a CPU.
        largest, predictions = scored_logits(self, enhanced).max(1)
        require_finite(largest, samples)
        records = []
        for sample, target, prediction in zip(samples, targets, predictions, strict=True):
            require_size(sample, target.shape, source_size)
            if protocol.score_at == "input" and protocol.size:
                target = resize_label(target, protocol.size)
            confusion = metrics.confusion_matrix(
                prediction,
                target.to(prediction.device),
                len(self.classes),
                self.task.ignore_index,
                self.model.void_output,
            )
            predicted_map = prediction.to(torch.uint8).cpu().numpy()
            records.append(
                Record(sample.id, sample.split, confusion=confusion, predicted_map=predicted_map)
            )
        return records

    def scores(self, records: Sequence[Record], weight: np.ndarray | None = None) -> dict:
        confusion = self._total(records, weight)
        return {
            "mIoU": metrics.mean_iou(confusion),
            "pixel_accuracy": metrics.pixel_accuracy(confusion),
        }

    def per_class(self, records: Sequence[Record]) -> dict[str, float | None]:
        iou = metrics.class_iou(self._total(records, None))
        values = [None if np.isnan(value) else float(value) for value in iou]
        return dict(zip(self.classes, values, strict=True))

    def _total(self, records: Sequence[Record], weight: np.ndarray | None) -> np.ndarray:
        return metrics.total(np.stack([record.confusion for record in records]), weight)


def create_evaluator(model: DownstreamModel, task: Task) -> Evaluator:
    """Join a frozen model to a task.

    Raises:
        TaskError: the model is of another kind than the task, or their classes do not agree, or
            the task's truth is not public.
    """
    if task.kind == "submission":
        raise TaskError(
            f"task {task.name} has no public labels; `pipeline submit` writes the archive that its "
            "server scores"
        )
    if model.kind != task.kind:
        raise TaskError(f"task {task.name} needs a {task.kind} evaluator, not a {model.kind} one")
    if task.kind == "classification":
        return ClassificationEvaluator(model, task)
    return SegmentationEvaluator(model, task)


def _margins(largest: torch.Tensor) -> list[float | None]:
    """Largest logit over the next one, of (B, K) logits in falling order."""
    if largest.shape[1] < 2:
        return [None] * len(largest)
    return (largest[:, 0] - largest[:, 1]).tolist()


def _unnamed_note(model: DownstreamModel) -> tuple[str, ...]:
    if model.info.classes is not None:
        return ()
    return ("the evaluator's weights name no classes: its outputs are taken in the task's order",)
