"""Bilinear enlargement of a map, tile by tile."""

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.tiles import Span, Tile, is_channels_last


def enlarge(value: Tensor, tile: Tile) -> Tensor:
    """What `tile` holds of B×c×h×w `value` enlarged to the tile's whole, corner on corner.

    A pixel lies elsewhere between its neighbours the farther it is from the corner, so a tile
    cannot be enlarged by itself. A `value` as wide as the whole is enlarged in height only.
    Positions are computed in float32 at least, as torch's own are.
    """
    if tile.is_all:
        size = tile.rows.whole, tile.columns.whole
        return F.interpolate(value, size, mode="bilinear", align_corners=True)
    last = is_channels_last(value)
    # Gathering is quick only where what is gathered lies together.
    value, rows, columns = (value.permute(0, 2, 3, 1), 1, 2) if last else (value, 2, 3)
    places = _places(value.shape[rows], tile.rows, value.dtype)
    start, stop = int(places[0][0]), int(places[1][-1]) + 1
    value = value.narrow(rows, start, stop - start)
    if value.shape[columns] == tile.columns.whole:
        part = tile.columns.outer
        value = value.narrow(columns, part.start, part.stop - part.start)
    else:
        across = _places(value.shape[columns], tile.columns, value.dtype)
        value = _mix(value, columns, *across)
    before, after, share = places
    value = _mix(value, rows, before - start, after - start, share)
    return value.permute(0, 3, 1, 2) if last else value


def _places(length: int, span: Span, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """The neighbours of every position of the span, and how near it is to the second of them."""
    exact = torch.promote_types(dtype, torch.float32)
    scale = torch.tensor(length - 1, dtype=exact) / (span.whole - 1)
    position = torch.arange(span.outer.start, span.outer.stop, dtype=exact) * scale
    before = position.long()
    return before, (before + 1).clamp(max=length - 1), (position - before).to(dtype)


def _mix(value: Tensor, axis: int, before: Tensor, after: Tensor, share: Tensor) -> Tensor:
    share = share.view(-1, *(1,) * (3 - axis))
    return torch.lerp(value.index_select(axis, before), value.index_select(axis, after), share)
