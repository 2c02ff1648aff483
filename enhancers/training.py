"""A simple training loop for a plain network and for one with LFPVs."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from enhancers.base import EncodeDecode
from enhancers.errors import EnhancerError
from enhancers.lfpv import LFPVEnhancer
from enhancers.losses import Objective

Batch = tuple[Tensor, Tensor | None]
OnStep = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class TrainingConfig:
    """Adam's options and the length of the training; `lfpv_weight` is the λ of the LFPV path.

    `cosine` takes the learning rate down to 0 at the last step. EnhancerError for a wrong value.
    """

    steps: int
    learning_rate: float
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip_norm: float = math.inf
    lfpv_weight: float = 1.0
    schedule: Literal["constant", "cosine"] = "constant"

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.learning_rate > 0 or not self.clip_norm > 0:
            raise EnhancerError("steps, learning_rate and clip_norm must be positive")
        if self.schedule not in ("constant", "cosine"):
            raise EnhancerError(f"schedule is constant or cosine, not {self.schedule!r}")

    def rate_factor(self, step: int) -> float:
        """Learning rate of step 0, 1, … over the first one."""
        if self.schedule == "constant":
            return 1.0
        return (1 + math.cos(math.pi * step / self.steps)) / 2


def train(
    model: EncodeDecode | LFPVEnhancer,
    objective: Objective,
    batches: Iterator[Batch],
    config: TrainingConfig,
    on_step: OnStep,
) -> None:
    """Train `model` and the objective's own parameters in place, in training mode throughout.

    `batches` gives (low, normal or None), B×3×H×W in [0, 1] on the model's device.
    `on_step(step, parts)` is called after every step, 1 to `config.steps`, with `loss` and its
    parts. EnhancerError when the loss is not finite or the batches run out.
    """
    model.train()
    objective.train()
    parameters = [*model.parameters(), *objective.parameters()]
    optimizer = torch.optim.Adam(
        parameters, config.learning_rate, config.betas, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, config.rate_factor)
    for step in range(1, config.steps + 1):
        low, normal = _next(batches, step, config.steps)
        loss, parts = total_loss(model, objective, low, normal, config.lfpv_weight)
        if not math.isfinite(parts["loss"]):
            raise EnhancerError(f"the loss is {parts['loss']} at step {step}: lower learning_rate")
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, config.clip_norm)
        optimizer.step()
        schedule.step()
        on_step(step, parts)


def total_loss(
    model: EncodeDecode | LFPVEnhancer,
    objective: Objective,
    low: Tensor,
    normal: Tensor | None,
    lfpv_weight: float,
) -> tuple[Tensor, dict[str, float]]:
    """L(Î, I), and with LFPVs + λ·L(Ī, I) after one update of the nodes; and its float parts."""
    if not isinstance(model, LFPVEnhancer):
        loss, parts = objective(model.run, low, normal)
        return loss, {"loss": loss.item(), **parts}
    paths = model.training_paths(low)
    plain, plain_parts = objective(paths.plain, low, normal)
    lfpv, lfpv_parts = objective(paths.lfpv, low, normal)
    loss = plain + lfpv_weight * lfpv
    parts = {"loss": loss.item(), "plain": plain.item(), "lfpv": lfpv.item()}
    parts |= {f"plain.{name}": value for name, value in plain_parts.items()}
    parts |= {f"lfpv.{name}": value for name, value in lfpv_parts.items()}
    return loss, parts


def _next(batches: Iterator[Batch], step: int, steps: int) -> Batch:
    try:
        return next(batches)
    except StopIteration:
        raise EnhancerError(f"the training data ended at step {step} of {steps}") from None
