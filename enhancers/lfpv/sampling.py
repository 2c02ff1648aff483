"""Samples of f_d for the Sample Updater, and chance that is the same on every rank."""

from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor

from enhancers.errors import EnhancerError

# An integer hash of 32 bits; the factor is below 2^31, so that no product leaves int64.
FACTOR, MASK, START = 0x45D9F3B, 0xFFFFFFFF, 0x9E3779B9


class Samples(NamedTuple):
    """f_d at N sampled places: `vectors` N×c, and the k×k `patches` around them, N×c×k×k."""

    vectors: Tensor
    patches: Tensor


def chance(index: Tensor, draw: Tensor) -> Tensor:
    """A number of [0, 2^32) for every index and draw (int64, broadcast), a function of the two."""
    return _mix(_mix(index + START) + draw)


def draw_positions(feature: Tensor, count: int, indices: Tensor | None) -> tuple[Tensor, Tensor]:
    """Rows and columns of `count` positions of each image of B×c×h×w, uniform, both B×count.

    With `indices`, B int64, they are a function of an image's index alone; without, they come from
    torch's global CPU generator. EnhancerError unless there is one index an image.
    """
    batch, _, height, width = feature.shape
    if indices is None:
        return torch.randint(height, (batch, count)), torch.randint(width, (batch, count))
    if indices.shape != (batch,):
        raise EnhancerError(f"{batch} images need {batch} indices, not {tuple(indices.shape)}")
    draws = 2 * torch.arange(count, device=indices.device)
    row, column = (chance(indices[:, None], draws + axis) for axis in (0, 1))
    return row % height, column % width


def draw_partners(count: int, partners: int, step: Tensor) -> Tensor:
    """For each of `count` nodes j, `partners` different nodes h ≠ j, uniform: count×partners int64.

    A function of the step (int64) alone.
    """
    own, offsets = (torch.arange(n, device=step.device) for n in (count, count - 1))
    keys = chance(step, own[:, None] * (count - 1) + offsets)
    return (own[:, None] + 1 + keys.argsort(1)[:, :partners]) % count


def sample(feature: Tensor, rows: Tensor, columns: Tensor, size: int) -> Samples:
    """f_d at P positions of each image (B×P), and the patches of the query's grid around them.

    N = B·P, in the order of the images. Beyond the right and lower edge the edge repeats, as in
    the query.
    """
    batch, channels, height, width = feature.shape
    rows, columns = (place.to(feature.device) for place in (rows, columns))
    within = torch.arange(size, device=feature.device)
    down = ((rows // size * size)[..., None] + within).clamp(max=height - 1)
    right = ((columns // size * size)[..., None] + within).clamp(max=width - 1)
    places = (down[..., :, None] * width + right[..., None, :]).view(batch, 1, -1)
    taken = feature.flatten(2).gather(2, places.expand(-1, channels, -1))
    patches = taken.view(batch, channels, -1, size * size).transpose(1, 2).flatten(0, 1)
    inside = (rows % size * size + columns % size).view(-1, 1, 1).expand(-1, channels, 1)
    return Samples(patches.gather(2, inside).squeeze(2), patches.unflatten(2, (size, size)))


def gather(samples: Samples, indices: Tensor | None) -> Samples:
    """The samples of all ranks, with gradient to each, in the order of the images' indices.

    Without indices in the order of the ranks. Every rank must hold equally many.
    """
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size() == 1:
        return samples
    vectors, patches = samples
    rows = _AllGather.apply(torch.cat([vectors, patches.flatten(1)], 1))
    if indices is not None:
        order = _all_gather(indices.to(rows.device)).argsort(stable=True)
        rows = rows.unflatten(0, (len(order), -1))[order].flatten(0, 1)
    vectors, patches = rows.tensor_split([vectors.shape[1]], 1)
    return Samples(vectors, patches.unflatten(1, samples.patches.shape[1:]))


class _AllGather(torch.autograd.Function):
    """Rows of all ranks; the gradient of a rank's rows is the sum over the ranks' losses."""

    @staticmethod
    def forward(ctx, rows: Tensor) -> Tensor:
        return _all_gather(rows)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total.chunk(dist.get_world_size())[dist.get_rank()]


def _all_gather(rows: Tensor) -> Tensor:
    parts = [torch.empty_like(rows) for _ in range(dist.get_world_size())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


def _mix(value: Tensor) -> Tensor:
    value = value & MASK
    for _ in range(2):
        value = ((value >> 16) ^ value) * FACTOR & MASK
    return (value >> 16) ^ value
