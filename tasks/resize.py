"""Antialiased resizing of image batches, on any device, as Pillow does it."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch


def resize(
    image: torch.Tensor, size: tuple[int, int], filter: str, eight_bit: bool
) -> torch.Tensor:
    """Resize with a filter stretched by the reduction, first across, then down.

    Args:
        image: (B, 3, H, W) float32 in [0, 1].
        size: (H', W') of the result.
        filter: "lanczos" (3 lobes) or "bilinear".
        eight_bit: round to 8 bits after each of the two passes, as an 8-bit Pillow image is
            resized; agrees with Pillow to one level.

    Returns:
        (B, 3, H', W') float32; in [0, 1] when `eight_bit`, else Lanczos may leave it slightly.
    """
    height, width = image.shape[-2:]
    if (height, width) == tuple(size):
        return image
    across = _weights(width, size[1], filter).to(image.device)
    down = _weights(height, size[0], filter).to(image.device)
    image = _rounded(image @ across.T) if eight_bit else image @ across.T
    image = down @ image
    return _rounded(image) if eight_bit else image


def resize_label(label: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Nearest-neighbour resizing as Pillow's; (H, W) integer → (H', W')."""
    rows, columns = (_nearest(old, new) for old, new in zip(label.shape, size, strict=True))
    return label[rows][:, columns]


def _nearest(old: int, new: int) -> torch.Tensor:
    # Pillow adds the step up from pixel to pixel; rounding decides where a centre lies on an edge.
    step = old / new
    position = np.cumsum(np.r_[step / 2, np.full(new - 1, step)])
    return torch.from_numpy(position.astype(np.int64)).clamp(max=old - 1)


def _rounded(image: torch.Tensor) -> torch.Tensor:
    return image.mul(255).round_().clamp_(0, 255).div_(255)


def _lanczos(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.clip(1 - np.abs(x), 0, None)


_FILTERS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "lanczos": (_lanczos, 3.0),
    "bilinear": (_triangle, 1.0),
}


@lru_cache(maxsize=16)
def _weights(old: int, new: int, filter: str) -> torch.Tensor:
    """(new, old) float32 resampling matrix whose rows sum to one."""
    kernel, support = _FILTERS[filter]
    scale = old / new
    stretch = max(scale, 1.0)
    centre = (np.arange(new) + 0.5) * scale
    first = np.maximum(np.floor(centre - support * stretch + 0.5), 0)
    last = np.minimum(np.floor(centre + support * stretch + 0.5), old)
    position = np.arange(old)
    weight = kernel((position[None] + 0.5 - centre[:, None]) / stretch)
    weight[(position[None] < first[:, None]) | (position[None] >= last[:, None])] = 0
    return torch.from_numpy(weight / weight.sum(1, keepdims=True)).float()
