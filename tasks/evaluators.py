"""Evaluators: a frozen model, a task's protocol and a metric.

`measure` turns a batch of enhanced images into one record each; `run` turns records into scores.
Scores depend on records alone, so they can be resampled and recomputed without any model.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from tasks import metrics
from tasks.classes import resolve_classes
from tasks.classification import require_class
from tasks.errors import TaskError
from tasks.models import DownstreamModel
from tasks.resize import resize, resize_label
from tasks.task import ClassReader, LabelReader, Sample, Task, require_size


@dataclass(frozen=True)
class Record:
    """What one image contributes.

    Attributes:
        id, split: of the sample.
        label, prediction: class indices (classification), else None.
        values: metric → value of this image (restoration), else None.
        confusion: (C, C) int64 pixel counts (segmentation), else None.
        predicted_map: (H, W) uint8 class indices (segmentation), for pictures; not stored.
    """

    id: str
    split: str
    label: int | None = None
    prediction: int | None = None
    values: dict[str, float] | None = None
    confusion: np.ndarray | None = None
    predicted_map: np.ndarray | None = field(default=None, repr=False, compare=False)


class Evaluator(ABC):
    """A task's protocol and metric, with the frozen model that they need.

    Attributes:
        model: the frozen model; None where the metric needs none.
        classes: class names in the order of the model's outputs.
        units: metric → unit; "%" is of a fraction, anything else is printed as it is.
        notes: what a reader of the scores must know.
        read_target: a sample → its truth, () or (H, W) int64 class indices or an (H, W, 3) uint8
            image; free of the model, so that it can be sent to worker processes.
    """

    units: ClassVar[Mapping[str, str]]
    notes: Sequence[str] = ()
    read_target: Callable[[Sample], torch.Tensor]

    def __init__(self, model: nn.Module | None, task: Task, classes: tuple[str, ...] = ()) -> None:
        self.model = model.eval() if model else None
        self.task = task
        self.classes = classes

    def to(self, device: torch.device) -> None:
        """Move the model."""
        if self.model:
            self.model.to(device)

    def chain(self, enhanced: torch.Tensor) -> torch.Tensor:
        """Round to 8 bits and resize, as the protocol says; (B, 3, H, W) float32 in [0, 1]."""
        protocol = self.task.protocol
        # Mixed precision is for the two networks; the protocol's own arithmetic stays float32.
        with torch.autocast(enhanced.device.type, enabled=False):
            if protocol.eight_bit == "round":
                enhanced = enhanced.mul(255).round_().div_(255)
            elif protocol.eight_bit == "truncate":
                enhanced = enhanced.mul(255).floor_().div_(255)
            if protocol.size:
                rounded = protocol.eight_bit != "none"
                enhanced = resize(enhanced, protocol.size, protocol.filter, rounded)
        return enhanced

    @abstractmethod
    def measure(
        self, enhanced: torch.Tensor, samples: Sequence[Sample], targets: Sequence[torch.Tensor]
    ) -> list[Record]:
        """Evaluate a batch.

        Args:
            enhanced: (B, 3, H, W) float32 RGB in [0, 1], from the enhancer.
            samples, targets: of length B.
        """

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
        super().__init__(model, task, _classes(model, task))
        for sample in task.samples:
            require_class(str(sample.target), self.classes, sample.image.parent)
        self.read_target = ClassReader(self.classes)

    def measure(self, enhanced, samples, targets):
        predictions = self.model(self.chain(enhanced)).argmax(1).tolist()
        return [
            Record(sample.id, sample.split, label=int(target), prediction=prediction)
            for sample, target, prediction in zip(samples, targets, predictions, strict=True)
        ]

    def scores(self, records, weight=None):
        correct = np.array([record.label == record.prediction for record in records])
        return {"top1": metrics.top1(correct, weight)}

    def per_class(self, records):
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
        super().__init__(model, task, _classes(model, task))
        self.read_target = LabelReader(task)

    def measure(self, enhanced, samples, targets):
        protocol = self.task.protocol
        source_size = enhanced.shape[-2:]
        logits = self.model(self.chain(enhanced))
        if protocol.score_at == "source" and logits.shape[-2:] != source_size:
            logits = torch.nn.functional.interpolate(logits, source_size, mode="bilinear")
        predictions = logits.argmax(1)
        records = []
        for sample, target, prediction in zip(samples, targets, predictions, strict=True):
            require_size(sample, target.shape, source_size)
            if protocol.score_at == "input" and protocol.size:
                target = resize_label(target, protocol.size)
            confusion = metrics.confusion_matrix(
                prediction, target.to(prediction.device), len(self.classes), self.task.ignore_index
            )
            predicted_map = prediction.to(torch.uint8).cpu().numpy()
            records.append(
                Record(sample.id, sample.split, confusion=confusion, predicted_map=predicted_map)
            )
        return records

    def scores(self, records, weight=None):
        confusion = self._total(records, weight)
        return {
            "mIoU": metrics.mean_iou(confusion),
            "pixel_accuracy": metrics.pixel_accuracy(confusion),
        }

    def per_class(self, records):
        iou = metrics.class_iou(self._total(records, None))
        values = [None if np.isnan(value) else float(value) for value in iou]
        return dict(zip(self.classes, values, strict=True))

    def _total(self, records: Sequence[Record], weight: np.ndarray | None) -> np.ndarray:
        confusion = np.stack([record.confusion for record in records])
        if weight is None:
            return confusion.sum(0)
        count = len(self.classes)
        # Counts below 2**53 are exact in float64, which has a fast product; int64 has none.
        flat = confusion.reshape(len(records), -1).astype(np.float64)
        return (weight.astype(np.float64) @ flat).reshape(-1, count, count)


def create_evaluator(model: DownstreamModel, task: Task) -> Evaluator:
    """Join a frozen model to a task.

    Raises:
        TaskError: the model is of another kind than the task, or their classes do not agree.
    """
    if model.kind != task.kind:
        raise TaskError(f"task {task.name} needs a {task.kind} evaluator, not a {model.kind} one")
    if task.kind == "classification":
        return ClassificationEvaluator(model, task)
    return SegmentationEvaluator(model, task)


def _classes(model: DownstreamModel, task: Task) -> tuple[str, ...]:
    by_name = task.kind == "classification"
    return resolve_classes(task.classes, model.info.classes, model.num_outputs, by_name)
