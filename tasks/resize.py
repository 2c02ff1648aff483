"""Antialiased resizing of image batches, on any device, as Pillow does it."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from PIL import Image

PRECISION = 2.0**22


def resize(
    image: torch.Tensor, size: tuple[int, int], filter: str, eight_bit: bool
) -> torch.Tensor:
    """Resize with a filter stretched by the reduction, first across, then down.

    Args:
        image: (B, 3, H, W) float32 in [0, 1].
        size: (H', W') of the result.
        filter: "lanczos" (3 lobes) or "bilinear".
        eight_bit: what Pillow makes of the 8-bit image, to the last bit: its weights are fixed
            point, and each of the two passes ends in 8 bits.

    Returns:
        (B, 3, H', W') float32; in [0, 1] when `eight_bit`, else Lanczos may leave it slightly.
    """
    if tuple(image.shape[-2:]) == tuple(size):
        return image
    if not eight_bit:
        across, down = _across_and_down(image, size, filter)
        return down.float() @ (image @ across.float().T)
    levels = image.mul(255).round_().clamp_(0, 255)
    resized = by_pillow if image.device.type == "cpu" else by_products
    return resized(levels, size, filter).float().div_(255)


def by_pillow(levels: torch.Tensor, size: tuple[int, int], filter: str) -> torch.Tensor:
    """Levels 0 … 255, (B, 3, H, W) float32 on the CPU → (B, 3, H', W') uint8."""
    images = levels.byte().permute(0, 2, 3, 1).numpy()
    chosen = Image.Resampling[filter.upper()]
    pictures = [Image.fromarray(one).resize(size[::-1], chosen) for one in images]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()


def by_products(levels: torch.Tensor, size: tuple[int, int], filter: str) -> torch.Tensor:
    """As `by_pillow`, to the last bit, on any device and all images at once; float64."""
    across, down = map(_fixed_point, _across_and_down(levels, size, filter))
    # Integers and multiples of 2**-22 below 2**31: their sums are exact in float64.
    return _to_levels(down @ _to_levels(levels.double() @ across.T))


def resize_label(label: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Nearest-neighbour resizing as Pillow's; (H, W) integer → (H', W')."""
    rows, columns = (_nearest(old, new) for old, new in zip(label.shape, size, strict=True))
    return label[rows][:, columns]


def _across_and_down(
    image: torch.Tensor, size: tuple[int, int], filter: str
) -> tuple[torch.Tensor, torch.Tensor]:
    (height, width), (new_height, new_width) = image.shape[-2:], size
    across, down = _weights(width, new_width, filter), _weights(height, new_height, filter)
    return across.to(image.device), down.to(image.device)


def _nearest(old: int, new: int) -> torch.Tensor:
    # Pillow adds the step up from pixel to pixel; rounding decides where a centre lies on an edge.
    step = old / new
    position = np.cumsum(np.r_[step / 2, np.full(new - 1, step)])
    return torch.from_numpy(position.astype(np.int64)).clamp(max=old - 1)


def _fixed_point(weights: torch.Tensor) -> torch.Tensor:
    """To multiples of 2**-22, halves away from zero."""
    return (weights * PRECISION + weights.sign() / 2).trunc() / PRECISION


def _to_levels(values: torch.Tensor) -> torch.Tensor:
    return values.add(0.5).floor_().clamp_(0, 255)


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
    """(new, old) float64 resampling matrix whose rows sum to one."""
    kernel, support = _FILTERS[filter]
    scale = old / new
    stretch = max(scale, 1.0)
    centre = (np.arange(new) + 0.5) * scale
    first = np.maximum(np.floor(centre - support * stretch + 0.5), 0)
    last = np.minimum(np.floor(centre + support * stretch + 0.5), old)
    position = np.arange(old)
    weight = kernel((position[None] + 0.5 - centre[:, None]) / stretch)
    weight[(position[None] < first[:, None]) | (position[None] >= last[:, None])] = 0
    return torch.from_numpy(weight / weight.sum(1, keepdims=True))
