"""Bilinear enlargement of a map, tile by tile."""

import torch
import torch.nn.functional as F
from torch import Tensor

from enhancers.tiles import Span, Tile, is_channels_last


def enlarge(value: Tensor, tile: Tile, size: tuple[int, int] | None = None) -> Tensor:
    """What `tile` holds of B×c×h×w `value` enlarged to `size`, corner on corner.

    `size` H×W is the tile's whole unless given, and at least that: right and bottom are cut off.

    A pixel lies elsewhere between its neighbours the farther it is from the corner, so a tile
    cannot be enlarged by itself. A `value` as wide as `size` is enlarged in height only.
    Positions are computed in float32 at least, as torch's own are.
    """
    height, width = size or (tile.rows.whole, tile.columns.whole)
    if tile.is_all:
        whole = F.interpolate(value, (height, width), mode="bilinear", align_corners=True)
        return whole[..., : tile.rows.whole, : tile.columns.whole]
    last = is_channels_last(value)
    # Gathering is quick only where what is gathered lies together.
    value, rows, columns = (value.permute(0, 2, 3, 1), 1, 2) if last else (value, 2, 3)
    places = _places(value.shape[rows], height, tile.rows, value.dtype)
    start, stop = int(places[0][0]), int(places[1][-1]) + 1
    value = value.narrow(rows, start, stop - start)
    if value.shape[columns] == width:
        part = tile.columns.outer
        value = value.narrow(columns, part.start, part.stop - part.start)
    else:
        across = _places(value.shape[columns], width, tile.columns, value.dtype)
        value = _mix(value, columns, *across)
    before, after, share = places
    value = _mix(value, rows, before - start, after - start, share)
    return value.permute(0, 3, 1, 2) if last else value


def _places(
    length: int, enlarged: int, span: Span, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """The neighbours of every position of the span, and how near it is to the second of them."""
    exact = torch.promote_types(dtype, torch.float32)
    scale = torch.tensor(length - 1, dtype=exact) / (enlarged - 1)
    position = torch.arange(span.outer.start, span.outer.stop, dtype=exact) * scale
    before = position.long()
    return before, (before + 1).clamp(max=length - 1), (position - before).to(dtype)


def _mix(value: Tensor, axis: int, before: Tensor, after: Tensor, share: Tensor) -> Tensor:
    share = share.view(-1, *(1,) * (3 - axis))
    return torch.lerp(value.index_select(axis, before), value.index_select(axis, after), share)
