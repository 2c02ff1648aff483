"""What an enhancer costs, without running it: parameters, and multiply-adds at a size."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from enhancers.base import EncodeDecode
from enhancers.baselines import CLAHE, Gamma, Identity
from enhancers.lfpv import LFPVEnhancer

HEIGHT, WIDTH = 1080, 1920
SPLIT = (EncodeDecode, LFPVEnhancer)
FREE = (Identity, Gamma, CLAHE)
"""No learnt value, no convolution and no matrix product in them."""


@dataclass(frozen=True)
class Cost:
    """None is what cannot be counted: a foreign enhancer may compute out of torch's sight.

    Attributes:
        parameters: learnt values, LFPV's nodes included.
        lfpv: how many of them are the store's; None without one.
        macs: of convolutions and matrix products (MAC = FLOP / 2), for one image of `size`.
        size: (height, width).
    """

    parameters: int | None = None
    lfpv: int | None = None
    macs: int | None = None
    size: tuple[int, int] = (HEIGHT, WIDTH)


def cost(model: nn.Module) -> Cost:
    """The cost of an enhancer with its options; it is not run and stays as it is."""
    if isinstance(model, FREE):
        return Cost(0, None, 0)
    if not isinstance(model, SPLIT):
        # None registered is no proof that there is none.
        return Cost(parameters(model) or None)
    try:
        counted = macs(model, HEIGHT, WIDTH)
    except RuntimeError:
        # A plug-in's network that looks at values, of which there are none here.
        counted = None
    store = sum(model.extra_parameters().values()) if isinstance(model, LFPVEnhancer) else None
    return Cost(parameters(model), store, counted)


def parameters(model: nn.Module) -> int:
    """Number of learnt values at inference: LFPV's nodes included, S and M not."""
    if isinstance(model, LFPVEnhancer):
        return parameters(model.network) + sum(model.extra_parameters().values())
    return sum(parameter.numel() for parameter in model.parameters())


@torch.no_grad()
def macs(model: nn.Module, height: int, width: int) -> int:
    """Multiply-adds of the convolutions and matrix products for one image (MAC = FLOP / 2).

    On the meta device, where shapes are computed and nothing else; `model` stays as it is.
    """
    state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    shapes = {name: value.to("meta") for name, value in state.items()}
    image = torch.empty(1, 3, height, width, device="meta")
    counter = FlopCounterMode(display=False)
    with counter:
        torch.func.functional_call(model, shapes, (image,))
    return counter.get_total_flops() // 2


def in_giga(macs: int | None) -> str:
    """In `three_digits`; a dash for what was not counted."""
    if macs is None:
        return "–"
    return three_digits(macs / 1e9)


def three_digits(value: float) -> str:
    """`0.145`, `20.9`, and `1,801` above 100."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
