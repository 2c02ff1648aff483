"""Panels of the images on which an enhancer gains and loses most, made small enough for a page."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pipeline.compare.images import Change, changes, gains_and_losses, image_scores
from pipeline.panels import PANELS, panel_file
from pipeline.report.columns import Column
from pipeline.result import lower_is_better

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


@dataclass(frozen=True)
class Panels:
    """The panels of a column, and how many images have one.

    Attributes:
        largest: whether no image without a panel gains or loses more.
        omitted: for want of room.
    """

    gains: list[Panel]
    losses: list[Panel]
    pictured: int
    images: int
    largest: bool = False
    omitted: int = 0


class Gallery:
    """Panels of one page after another, as long as there is room."""

    def __init__(self, warn: Callable[[str, str], None], budget: int = BUDGET) -> None:
        self.left, self.warn = budget, warn

    def panels(self, column: Column) -> Panels:
        """The largest gains and losses that have a panel."""
        files = _files(column)
        every = changes(column.bench.labelled, column.bench.identity, column.score) if files else []
        pictured = [one for one in every if (one.enhancer, one.image) in files]
        chosen = gains_and_losses(pictured)
        kept = [[self._panel(one, column, files) for one in some] for some in chosen]
        omitted = sum(panel is None for some in kept for panel in some)
        return Panels(
            *([panel for panel in some if panel] for some in kept),
            pictured=len({change.image for change in pictured}),
            images=column.bench.one.scores[column.score].images,
            largest=chosen == gains_and_losses(every),
            omitted=omitted,
        )

    def _panel(
        self, change: Change, column: Column, files: dict[tuple[str, str], Path]
    ) -> Panel | None:
        result = column.bench.labelled[change.enhancer]
        file = files[change.enhancer, change.image]
        try:
            data, size = _small(file)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            self.warn(file.name, f"is no picture that can be shown ({error})")
            return None
        if len(data) > self.left:
            return None
        self.left -= len(data)
        sign = -1 if lower_is_better(column.score) else 1
        return Panel(
            change.enhancer,
            change.image,
            sign * change.gain,
            image_scores(result, column.score)[change.image],
            column.unit,
            size,
            f"data:image/webp;base64,{base64.b64encode(data).decode()}",
        )


def _files(column: Column) -> dict[tuple[str, str], Path]:
    """(row's label, image) → its panel, of every enhancer but identity."""
    if column.bench.identity is None:
        return {}
    found = {}
    for row, one in column.bench.results.items():
        folder = one.folder / PANELS
        if row.label != column.bench.identity and folder.is_dir():
            here = {path.name for path in folder.iterdir()}
            for image in one.result.per_image:
                file = panel_file(folder, image["id"])
                if file.name in here:
                    found[row.label, image["id"]] = file
    return found


def _small(file: Path) -> tuple[bytes, tuple[int, int]]:
    """WebP of at most WIDTH pixels' width, and its size."""
    with Image.open(file) as picture:
        picture = picture.convert("RGB")
    picture.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue(), picture.size
