"""Maps worked through in tiles: what a CPU makes of one then stays in its cache and its memory."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# Values of the widest map of a tile. 4 MB of float32 stay in a cache; where convolutions take the
# time, tiles are for the memory, and those of 64 MB compute little twice.
VALUES, MANY_VALUES = 2**20, 2**24
SMALLEST_SIDE = 64


@dataclass(frozen=True)
class Span:
    """Along one axis of length `whole`: `inner` is written, from what `outer` around it holds."""

    whole: int
    inner: slice
    outer: slice

    def read(self, length: int) -> slice:
        """`outer` on a map of `length`, which is `whole` times a ratio that divides it evenly."""
        return self._scaled(self.outer, length)

    def written(self, length: int) -> slice:
        """`inner` on a map of `length`."""
        return self._scaled(self.inner, length)

    def kept(self, piece: int) -> slice:
        """`inner` on a piece of length `piece` that was made of `outer`."""
        length = self.grown(piece)
        start = self.read(length).start
        inner = self.written(length)
        return slice(inner.start - start, inner.stop - start)

    def grown(self, piece: int) -> int:
        """The length of the map of which a piece of `outer` has the length `piece`."""
        return piece * self.whole // (self.outer.stop - self.outer.start)

    def _scaled(self, part: slice, length: int) -> slice:
        return slice(part.start * length // self.whole, part.stop * length // self.whole)


@dataclass(frozen=True)
class Tile:
    """A rectangle of a map and of every map that is so many times larger or smaller."""

    rows: Span
    columns: Span

    @property
    def is_all(self) -> bool:
        """Whether there is no other."""
        return all(span.inner == slice(0, span.whole) for span in (self.rows, self.columns))

    def cut(self, whole: Tensor) -> Tensor:
        """The tile of B×c×h×w with what lies around it, as far as it is looked at; a view."""
        if self.is_all:
            return whole
        height, width = whole.shape[-2:]
        return whole[..., self.rows.read(height), self.columns.read(width)]

    def inside(self, piece: Tensor) -> Tensor:
        """The tile alone, of what was made of `cut` maps; a view."""
        height, width = piece.shape[-2:]
        return piece[..., self.rows.kept(height), self.columns.kept(width)]

    def paste(self, piece: Tensor, whole: Tensor | None) -> Tensor:
        """Write `inside` of `piece` into `whole`, which is made where there is none yet."""
        if whole is None:
            size = self.rows.grown(piece.shape[-2]), self.columns.grown(piece.shape[-1])
            form = torch.channels_last if is_channels_last(piece) else torch.contiguous_format
            whole = torch.empty(
                (*piece.shape[:2], *size),
                dtype=piece.dtype,
                device=piece.device,
                memory_format=form,
            )
        height, width = whole.shape[-2:]
        target = whole[..., self.rows.written(height), self.columns.written(width)]
        target.copy_(self.inside(piece))
        return whole


def tiles(size: tuple[int, int], reach: int, cell: int, side: int) -> Iterator[Tile]:
    """Tiles of a map of `size` H×W, about `side` long, that know `reach` around themselves.

    They begin at multiples of `cell`, and so does what they know, which ends at the map's border:
    a convolution pads it there as it pads the whole, and its other edges lie beyond `reach`.
    """
    rows, columns = (list(_spans(length, reach, cell, side)) for length in size)
    for row in rows:
        for column in columns:
            yield Tile(row, column)


def whole(image: Tensor) -> Tile:
    """The one tile that is all of B×c×H×W."""
    return Tile(*(Span(side, slice(0, side), slice(0, side)) for side in image.shape[-2:]))


def over_tiles(
    run: Callable[[Tile], tuple[Tensor, ...]],
    image: Tensor,
    reach: int,
    cell: int = 1,
    side: int = SMALLEST_SIDE,
    onto: tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, ...]:
    """The maps that `run` makes tile by tile of maps like B×c×H×W `image`; see `tiles`.

    All of them at once where tiles are not `worthwhile`. Tiles are written `onto` the maps given,
    which may be what `run` reads if its reach is 0.
    """
    if fits(image, side):
        return run(whole(image))
    made: tuple[Tensor | None, ...] | None = onto
    for tile in tiles((image.shape[-2], image.shape[-1]), reach, cell, side):
        pieces = run(tile)
        pasted = made or (None,) * len(pieces)
        made = tuple(tile.paste(*pair) for pair in zip(pieces, pasted, strict=True))
    return made


def in_tiles(
    run: Callable[[Tensor], Tensor],
    image: Tensor,
    reach: int | None,
    cell: int,
    channels: int,
    values: int = VALUES,
) -> Tensor:
    """run(image), where a pixel looks no farther than `reach`: in tiles where that is `worthwhile`.

    `channels` is the width of the network; without a `reach` the image is left whole.
    """
    if reach is None:
        return run(image)
    side = side_for(channels * len(image), values)
    return over_tiles(lambda tile: (run(tile.cut(image)),), image, reach, cell, side)[0]


def worthwhile(image: Tensor) -> bool:
    """Whether to work in tiles: on a CPU, without gradient, and not while a graph is traced."""
    plain = image.device.type == "cpu" and not torch.is_grad_enabled()
    return plain and not torch.compiler.is_compiling()


def fits(image: Tensor, side: int) -> bool:
    """Whether `image` is worked through as a whole: no larger than a tile, or not `worthwhile`."""
    return not worthwhile(image) or math.prod(image.shape[-2:]) <= side**2


def side_for(channels: int, values: int = VALUES) -> int:
    """Side of a tile whose widest map has so many channels, and `values` in all."""
    return max(SMALLEST_SIDE, math.isqrt(values // channels))


def channels_last(value: Tensor) -> Tensor:
    """`value` with its channels side by side in memory, where it is `worthwhile`; else as it is."""
    return value.contiguous(memory_format=torch.channels_last) if worthwhile(value) else value


def is_channels_last(value: Tensor) -> bool:
    """Whether the channels lie side by side and nothing else does; one channel is no order."""
    last = value.is_contiguous(memory_format=torch.channels_last)
    return last and not value.is_contiguous()


def _spans(length: int, reach: int, cell: int, side: int) -> Iterator[Span]:
    count = -(-length // side)
    step = -(-length // (count * cell)) * cell
    halo = -(-reach // cell) * cell
    for start in range(0, length, step):
        stop = min(start + step, length)
        outer = slice(max(0, start - halo), min(stop + halo, length))
        yield Span(length, slice(start, stop), outer)
