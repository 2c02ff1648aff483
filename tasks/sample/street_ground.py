"""Sky, road, lane markings, pavements and verges: everything that lies flat or far away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.sample import colors
from tasks.sample.camera import Camera
from tasks.sample.canvas import FAR, Canvas, Color
from tasks.sample.classes import TrainId

NEAR = 1.6
"""Nearest painted ground in metres (always below the image's lower edge)."""

END = 110.0
"""Where the street ends, metres."""


@dataclass(frozen=True)
class Road:
    """Cross-section of the street in metres, x to the right of the camera.

    `left` and `right` are the kerbs, `center` the line between the directions, `walk` the width
    of the pavements, `rails` the middle of a tram track or None.
    """

    left: float
    right: float
    center: float
    walk: tuple[float, float]
    rails: float | None

    @property
    def fronts(self) -> tuple[float, float]:
        """The x of the left and right building lines."""
        return self.left - self.walk[0], self.right + self.walk[1]


def random_road(rng: np.random.Generator, with_tram: bool) -> Road:
    """Draw a cross-section: two or three lanes, perhaps parking strips, pavements of 2 to 5 m."""
    center = -rng.uniform(1.5, 2.0)
    rails = center - 1.7 - (3.2 if rng.random() < 0.5 else 0.0) if with_tram else None
    left = (rails - 1.7) if rails is not None else center - 3.3 - 2.2 * (rng.random() < 0.5)
    right = rng.uniform(1.7, 2.1) + (2.2 if rng.random() < 0.6 else 0.0)
    return Road(left, right, center, tuple(rng.uniform(2.2, 5.0, 2)), rails)


def paint_sky(canvas: Canvas, camera: Camera, rng: np.random.Generator) -> None:
    """Paint a sky that gets lighter to the horizon."""
    high = colors.pick(rng, [(96, 146, 206), (150, 176, 204), (186, 192, 198), (120, 160, 214)])
    low = colors.mix(high, (232, 234, 234), rng.uniform(0.4, 0.9))
    rows = np.linspace(0, 1, int(camera.v0) + 1)[:, None]
    column = np.asarray(high) * (1 - rows) + np.asarray(low) * rows
    canvas.image[: len(rows)] = column.astype(np.uint8)[:, None]


def flat(camera: Camera, x: tuple[float, float], z: tuple[float, float]) -> np.ndarray:
    """Project a rectangle of the ground to pixels (4, 2)."""
    corners = [(x[0], 0, z[0]), (x[1], 0, z[0]), (x[1], 0, z[1]), (x[0], 0, z[1])]
    return camera.project(np.asarray(corners))


def paint_ground(canvas: Canvas, camera: Camera, rng: np.random.Generator, road: Road) -> None:
    """Paint pavements, kerbs and the road with its markings."""
    z = (NEAR, FAR)
    paving = colors.pick(rng, [(162, 156, 148), (148, 146, 146), (176, 164, 148)])
    asphalt = colors.pick(rng, [(92, 92, 96), (108, 106, 104), (78, 80, 86)], 10)
    canvas.fill([flat(camera, (-60, 60), z)], (106, 112, 82), train_id=TrainId.TERRAIN)
    canvas.fill([flat(camera, road.fronts, z)], paving, train_id=TrainId.SIDEWALK)
    canvas.fill([flat(camera, (road.left, road.right), z)], asphalt, train_id=TrainId.ROAD)
    kerbs = [flat(camera, (x, x + 0.15), z) for x in (road.left - 0.15, road.right)]
    canvas.fill(kerbs, colors.shade(paving, 1.15))
    _verge(canvas, camera, rng, road)
    _patches(canvas, camera, rng, road, asphalt)
    _markings(canvas, camera, rng, road)


def paint_junction(canvas: Canvas, camera: Camera, z: tuple[float, float], color: Color) -> None:
    """Paint a crossing road from side to side."""
    canvas.fill([flat(camera, (-60, 60), z)], color, train_id=TrainId.ROAD)


def ground_depth(canvas: Canvas, camera: Camera) -> None:
    """Write the depth of the flat ground below the horizon, before anything stands on it."""
    below = np.arange(canvas.depth.shape[0]) + 0.5 - camera.v0
    rows = np.where(below > 0, camera.focal * camera.height / np.maximum(below, 1e-3), FAR)
    canvas.depth[:] = np.clip(rows, 0.5, FAR)[:, None]


def _verge(canvas: Canvas, camera: Camera, rng: np.random.Generator, road: Road) -> None:
    for side, front in zip((-1, 1), road.fronts, strict=True):
        if rng.random() < 0.45:
            continue
        kerb = road.left if side < 0 else road.right
        wide = rng.uniform(0.9, 1.6)
        start, length = rng.uniform(3, 12), rng.uniform(12, 50)
        x = sorted((kerb + side * 0.3, kerb + side * min(wide, abs(front - kerb) - 1)))
        color = colors.pick(rng, [(98, 120, 60), (120, 118, 74)])
        strip = flat(camera, (x[0], x[1]), (start, start + length))
        canvas.fill([strip], color, train_id=TrainId.TERRAIN)


def _patches(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, road: Road, asphalt: Color
) -> None:
    for _ in range(int(rng.integers(1, 6))):
        x, z = rng.uniform(road.left, road.right - 0.8), rng.uniform(4, 40)
        size = rng.uniform((0.5, 1), (1.6, 8))
        corners = (x, min(x + size[0], road.right)), (z, z + size[1])
        canvas.fill([flat(camera, *corners)], colors.shade(asphalt, rng.uniform(0.82, 1.12)))


def _markings(canvas: Canvas, camera: Camera, rng: np.random.Generator, road: Road) -> None:
    white = colors.jitter(rng, (214, 212, 204), 14)
    lines = [flat(camera, (x, x + 0.12), (NEAR, END)) for x in (road.left + 0.3, road.right - 0.42)]
    gap = rng.uniform(4, 9)
    starts = np.arange(NEAR + rng.uniform(0, gap), END, gap)
    lines += [flat(camera, (road.center, road.center + 0.14), (z, z + gap * 0.5)) for z in starts]
    canvas.fill(lines, white)
    if road.rails is not None:
        rails = [flat(camera, (road.rails + s * 0.72 - 0.04, road.rails + s * 0.72 + 0.04),
                      (NEAR, END)) for s in (-1, 1)]  # fmt: skip
        canvas.fill(rails, (58, 56, 56))
    if rng.random() < 0.4:
        z = rng.uniform(7, 25)
        bars = [flat(camera, (x, x + 0.5), (z, z + 3)) for x in
                np.arange(road.left + 0.3, road.right - 0.5, 1.0)]  # fmt: skip
        canvas.fill(bars, white)
