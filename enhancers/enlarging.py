"""Bilinear enlargement of a map, tile by tile."""

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.tiles import Span, Tile


def enlarge(value: Tensor, tile: Tile) -> Tensor:
    """What `tile` holds of B×c×h×w `value` enlarged to the tile's whole, corner on corner.

    A pixel lies elsewhere between its neighbours the farther it is from the corner, so a tile
    cannot be enlarged by itself. Positions are computed in float32 at least, as torch's own are.
    """
    if tile.is_all:
        size = tile.rows.whole, tile.columns.whole
        return F.interpolate(value, size, mode="bilinear", align_corners=True)
    value = _along(value, 2, tile.rows)
    return _along(value, 3, tile.columns)


def _along(value: Tensor, axis: int, span: Span) -> Tensor:
    length = value.shape[axis]
    dtype = torch.promote_types(value.dtype, torch.float32)
    scale = torch.tensor(length - 1, dtype=dtype) / (span.whole - 1)
    position = torch.arange(span.outer.start, span.outer.stop, dtype=dtype) * scale
    before = position.long()
    # Only what the tile needs is gathered from.
    first = int(before[0])
    value = value.narrow(axis, first, min(int(before[-1]) + 2, length) - first)
    after = (before + 1).clamp(max=length - 1)
    share = (position - before).to(value.dtype)
    return torch.lerp(
        value.index_select(axis, before - first),
        value.index_select(axis, after - first),
        share[:, None] if axis == 2 else share,
    )
