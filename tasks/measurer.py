"""From enhanced images to one record each, by a task's protocol and a frozen model."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from tasks.classes import resolve_classes
from tasks.errors import TaskError
from tasks.models import DownstreamModel
from tasks.resize import resize
from tasks.task import Sample, Task


@dataclass(frozen=True)
class Record:
    """What one image contributes.

    Attributes:
        id, split: of the sample.
        label, prediction: class indices (classification), else None.
        top5: the five largest outputs, or as many as there are, in order (classification).
        margin: logit of the largest output over the next one's (classification).
        values: metric → value of this image (restoration), else None.
        confusion: (C, C) or, with void as an output, (C, C+1) int64 pixel counts (segmentation),
            else None.
        predicted_map: (H, W) uint8 class indices (segmentation); not stored.
        confidence: (H, W) uint16 share of 65535 (submission); not stored.
    """

    id: str
    split: str
    label: int | None = None
    prediction: int | None = None
    top5: tuple[int, ...] | None = None
    margin: float | None = None
    values: dict[str, float] | None = None
    confusion: np.ndarray | None = None
    predicted_map: np.ndarray | None = field(default=None, repr=False, compare=False)
    confidence: np.ndarray | None = field(default=None, repr=False, compare=False)


class Measurer(ABC):
    """A task's protocol with the frozen model that it needs: from images to records.

    Attributes:
        model: the frozen model; None where the metric needs none.
        classes: class names in the order of the model's outputs.
        read_target: a sample → its truth, () or (H, W) int64 class indices or an (H, W, 3) uint8
            image; free of the model, so that it can be sent to worker processes.
    """

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


def scored_logits(measurer: Measurer, enhanced: torch.Tensor) -> torch.Tensor:
    """A segmentor's logits (B, K, h, w) at the size at which the protocol scores."""
    size = enhanced.shape[-2:]
    logits = measurer.model(measurer.chain(enhanced))
    if measurer.task.protocol.score_at == "source" and logits.shape[-2:] != size:
        logits = torch.nn.functional.interpolate(logits, size, mode="bilinear")
    return logits


def require_finite(largest: torch.Tensor, samples: Sequence[Sample]) -> None:
    """TaskError: an image whose largest logits, (B, …), are not finite, which predict nothing."""
    if largest.isfinite().all():
        return
    bad = next(s for s, values in zip(samples, largest, strict=True) if not values.isfinite().all())
    raise TaskError(
        f"{bad.image}: the frozen model's outputs are not finite; its weights are damaged, or they "
        "overflow (with --amp)"
    )


def classes_of(model: DownstreamModel, task: Task) -> tuple[str, ...]:
    """Class names in output order; TaskError where model and task do not agree."""
    by_name = task.kind == "classification"
    return resolve_classes(task.classes, model.info.classes, model.num_outputs, by_name)
