"""Padding to multiples of a network's stride, and back."""

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiples(image: Tensor, multiple: int) -> Tensor:
    """Pad B×C×H×W right and bottom to multiples: reflected, or the edge where that is too small."""
    height, width = image.shape[-2:]
    bottom, right = -height % multiple, -width % multiple
    if not bottom and not right:
        return image
    mode = "reflect" if bottom < height and right < width else "replicate"
    return F.pad(image, (0, right, 0, bottom), mode=mode)


def pad_around(image: Tensor, multiple: int) -> Tensor:
    """Reflect B×C×H×W to multiples, half on each side, the odd row or column right and bottom."""
    bottom, right = (-side % multiple for side in image.shape[-2:])
    edges = (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2)
    return F.pad(image, edges, mode="reflect")


def crop_centre(padded: Tensor, size: tuple[int, int]) -> Tensor:
    """Undo `pad_around` of an image of `size`."""
    top, left = ((outer - inner) // 2 for outer, inner in zip(padded.shape[-2:], size, strict=True))
    return padded[..., top : top + size[0], left : left + size[1]]
