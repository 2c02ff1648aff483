"""How weights are updated: steps, optimiser, curves, precision."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from pipeline.training.recipe import Optimiser

# Of step 0, 1, … and the number of steps.
Curve = Callable[[int, int], float]

# In float16 the gradient scale is found by steps that overflow.
SCALE_SEARCH = 20


@dataclass(frozen=True)
class Plan:
    """Updates over a number of steps.

    Attributes:
        rate: the learning rate of a step as a share of the optimiser's.
        momentum: of a step, β₁ of Adam; None keeps the optimiser's.
        clip_norm: largest norm of the gradient; None does not clip.
    """

    steps: int
    optimiser: Optimiser
    rate: Curve
    momentum: Curve | None = None
    clip_norm: float | None = None

    def optimizer(self, weights: list[nn.Parameter]) -> Optimizer:
        """torch's, for these weights."""
        options = self.optimiser
        common = {"lr": options.rate, "weight_decay": options.weight_decay, "fused": True}
        if options.kind == "sgd":
            return torch.optim.SGD(weights, momentum=options.momentum, **common)
        adam = torch.optim.AdamW if options.kind == "adamw" else torch.optim.Adam
        return adam(weights, betas=options.betas, **common)


def mixed_precision(device: torch.device) -> torch.dtype:
    """bfloat16, which needs no scaling; float16 on a GPU that lacks it."""
    lacking = device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.float16 if lacking else torch.bfloat16
