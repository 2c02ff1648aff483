"""Panels of the images on which an enhancer gains and loses most, made small enough for a page."""

import base64
import io
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from pipeline.compare.report import LOWER_IS_BETTER
from pipeline.report.collect import image_scores
from pipeline.report.columns import Column

SHOWN = 3
WIDTH = 800
QUALITY = 70
BUDGET = 3 * 2**20
"""Bytes of all pictures of a page."""


@dataclass(frozen=True)
class Panel:
    """A picture; `delta` is the image's score − identity's, in `unit`."""

    enhancer: str
    image: str
    delta: float
    score: float
    unit: str
    size: tuple[int, int]
    address: str


class Change(NamedTuple):
    """One image by one enhancer; `gain` is positive where it is better than by identity."""

    gain: float
    enhancer: str
    image: str
    file: Path


@dataclass(frozen=True)
class Panels:
    """The panels of a column, and how many images have one; `omitted` for want of room."""

    gains: list[Panel]
    losses: list[Panel]
    pictured: int
    images: int
    omitted: int = 0


class Gallery:
    """Panels of one page after another, as long as there is room."""

    def __init__(self, warn: Callable[[str, str], None], budget: int = BUDGET) -> None:
        self.left, self.warn = budget, warn

    def panels(self, column: Column) -> Panels:
        """The largest gains and losses, of different enhancers first."""
        changes = sorted(_changes(column), key=lambda c: (-c.gain, c.enhancer, c.image))
        gains = _largest([change for change in changes if change.gain > 0])
        losses = _largest([change for change in changes[::-1] if change.gain < 0])
        kept = [[self._panel(c, column) for c in chosen] for chosen in (gains, losses)]
        omitted = sum(panel is None for of in kept for panel in of)
        return Panels(
            *([panel for panel in of if panel] for of in kept),
            pictured=len({change.image for change in changes}),
            images=column.bench.one.scores[column.score].images,
            omitted=omitted,
        )

    def _panel(self, change: Change, column: Column) -> Panel | None:
        result = column.bench.labelled[change.enhancer]
        try:
            data, size = _small(change.file)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            self.warn(change.file.name, f"is no picture that can be shown ({error})")
            return None
        if len(data) > self.left:
            return None
        self.left -= len(data)
        sign = -1 if column.metric in LOWER_IS_BETTER else 1
        return Panel(
            change.enhancer,
            change.image,
            sign * change.gain,
            image_scores(result, column.score)[change.image],
            column.unit,
            size,
            f"data:image/webp;base64,{base64.b64encode(data).decode()}",
        )


def _changes(column: Column) -> Iterator[Change]:
    """Every image that has a panel, by every enhancer but identity."""
    labelled, identity = column.bench.labelled, column.bench.identity
    if identity is None:
        return
    before = image_scores(labelled[identity], column.score)
    sign = -1 if column.metric in LOWER_IS_BETTER else 1
    for row, found in column.bench.results.items():
        folder = found.folder / "images"
        if row.label == identity or not folder.is_dir():
            continue
        for image, score in image_scores(found.result, column.score).items():
            gain = sign * (score - before[image])
            file = folder / f"{image.replace('/', '_')}.png"
            if not math.isnan(gain) and file.is_file():
                yield Change(gain, row.label, image, file)


def _largest(changes: Sequence[Change]) -> list[Change]:
    """The first of them, each enhancer's own first before any second one, in their order."""
    seen: Counter[str] = Counter()
    ranked = []
    for index, change in enumerate(changes):
        ranked.append((seen[change.enhancer], index))
        seen[change.enhancer] += 1
    return [changes[index] for index in sorted(index for _, index in sorted(ranked)[:SHOWN])]


def _small(file: Path) -> tuple[bytes, tuple[int, int]]:
    """WebP of at most WIDTH pixels' width, and its size."""
    with Image.open(file) as picture:
        picture = picture.convert("RGB")
    picture.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue(), picture.size
