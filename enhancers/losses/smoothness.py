"""Smoothness terms that several objectives share."""

from collections.abc import Iterator

import torch
from torch import Tensor

WINDOW_RADIUS = 2


def total_variation(values: Tensor) -> Tensor:
    """2/B·(ΣΔ_h²/((H−1)·W) + ΣΔ_w²/(H·(W−1))) of B×C×H×W; C is not in the counts."""
    batch, _, height, width = values.shape
    vertical = values.diff(dim=-2).square().sum() / ((height - 1) * width)
    horizontal = values.diff(dim=-1).square().sum() / (height * (width - 1))
    return 2 * (vertical + horizontal) / batch


def smoothness(illumination: Tensor, colours: Tensor, sigma: float) -> Tensor:
    """Σ over the 24 neighbour offsets of mean[exp(−‖Δcolours‖²/(2σ²))·‖Δt‖₁], B×3×H×W both."""
    pairs = zip(neighbour_differences(colours), neighbour_differences(illumination), strict=True)
    terms = [
        ((-colour.square().sum(1) / (2 * sigma**2)).exp() * step.abs().sum(1)).mean()
        for colour, step in pairs
    ]
    # An offset and its opposite compare the same pairs of pixels.
    return 2 * torch.stack(terms).sum()


def neighbour_differences(values: Tensor) -> Iterator[Tensor]:
    """Neighbour minus pixel, where both exist, of 12 offsets; the other 12 are their opposites."""
    height, width = values.shape[-2:]
    for down in range(WINDOW_RADIUS + 1):
        for right in range(-WINDOW_RADIUS, WINDOW_RADIUS + 1):
            if (down, right) > (0, 0):
                start, stop = max(0, -right), width - max(0, right)
                here = values[..., : height - down, start:stop]
                yield values[..., down:, start + right : stop + right] - here
