"""What an enhancer costs, without running it: parameters, and multiply-adds at a size."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameters(model: nn.Module) -> int:
    """Number of learnable values."""
    return sum(parameter.numel() for parameter in model.parameters())


@torch.no_grad()
def macs(model: nn.Module, height: int, width: int) -> int:
    """Multiply-adds of the convolutions and matrix products for one image (MAC = FLOP / 2).

    Moves `model` to the meta device, where shapes are computed and nothing else: it cannot be
    used afterwards.
    """
    counter = FlopCounterMode(display=False)
    with counter:
        model.to("meta")(torch.empty(1, 3, height, width, device="meta"))
    return counter.get_total_flops() // 2
