"""What lines the street: buildings, walls, fences with gardens behind them, trees."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tasks.sample import colors
from tasks.sample.camera import Camera
from tasks.sample.canvas import Canvas, Color
from tasks.sample.classes import TrainId
from tasks.sample.pen import Pen, standing
from tasks.sample.street_ground import END

STEP = 4.0
"""Length of the pieces of a façade that share one depth, metres."""

_DETAIL = 10  # canvas pixels; smaller crowns get no clumps of leaves


def paint_horizon(canvas: Canvas, camera: Camera, rng: np.random.Generator) -> None:
    """Close the street's end with far trees and houses."""
    x = -70.0
    while x < 70:
        wide, high = rng.uniform(5, 16), rng.uniform(4, 16)
        green = rng.random() < 0.5
        color = colors.pick(rng, colors.LEAVES if green else colors.FACADES)
        train_id = TrainId.VEGETATION if green else TrainId.BUILDING
        pen = standing(canvas, camera, x, END + 10)
        if green:
            crown = _blobs(rng, np.array([(wide / 2, high / 2)]), (wide * 0.7, high * 0.6), 26)
            pen.polygon(crown[0], color, train_id)
            pen.rect((-1, wide + 1), (-0.5, high / 2), color, train_id)
        else:
            pen.rect((0, wide), (-0.5, high), color, train_id)
        x += wide


def blocks(
    rng: np.random.Generator, gap: tuple[float, float] | None, wanted: str | None
) -> list[tuple[str, float, float]]:
    """Divide one side of the street into (kind, near z, far z), near to far, metres.

    `gap` is a junction that stays free; `wanted` is a kind that must occur near the camera.
    """
    found, z = [], rng.uniform(1.8, 5.0)
    while z < END:
        length = rng.uniform(7, 18)
        kind = str(rng.choice(["building", "wall", "fence", "garden"], p=[0.64, 0.11, 0.13, 0.12]))
        if wanted and z > 5:
            kind, wanted = wanted, None
        end = min(z + length, END)
        if gap is None or end < gap[0] or z > gap[1]:
            found.append((kind, z, end))
        z = end
    return found


def paint_block(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, block: tuple
) -> None:
    """Paint one block whose street side stands at x."""
    kind, near, far = block
    if kind == "building":
        _building(canvas, camera, rng, x, near, far)
        return
    _garden(canvas, camera, rng, x, near, far)
    if kind == "wall":
        _wall(canvas, camera, rng, x, near, far)
    elif kind == "fence":
        _fence(canvas, camera, rng, x, near, far)


def _plane(
    canvas: Canvas,
    camera: Camera,
    x: float,
    span: tuple,
    up: tuple,
    color: Color | None,
    train_id: int,
) -> None:
    edges = np.linspace(span[0], span[1], max(2, int((span[1] - span[0]) / STEP) + 1))
    for near, far in pairwise(edges):
        quad = camera.upright(x, [(near, far, *up)])
        canvas.fill(quad, color, train_id=train_id, depth=(near + far) / 2)


def _building(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, near: float, far: float
) -> None:
    wall = colors.pick(rng, colors.FACADES)
    storeys, storey = int(rng.integers(2, 7)), rng.uniform(2.8, 3.5)
    high = storeys * storey + rng.uniform(0.5, 1.2)
    gain = rng.uniform(0.72, 1.05)
    _plane(canvas, camera, x, (near, far), (0, high), colors.shade(wall, gain), TrainId.BUILDING)
    _windows(canvas, camera, rng, x, (near, far), (storeys, storey))
    cornice = camera.upright(x, [(near, far, high - 0.4, high)])
    canvas.fill(cornice, colors.shade(wall, gain * 0.75))
    _end_wall(canvas, camera, x, near, high, colors.shade(wall, gain * 0.85))
    if rng.random() < 0.5:
        _shop(canvas, camera, rng, x, (near, far))


def _windows(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, span: tuple, grid: tuple
) -> None:
    storeys, storey = grid
    pitch, wide = rng.uniform(1.8, 3.2), rng.uniform(0.8, 1.3)
    low, tall = rng.uniform(0.7, 1.1), rng.uniform(1.3, 1.8)
    columns = np.arange(span[0] + 0.5, span[1] - wide - 0.2, pitch)
    rows = [(z, z + wide, s * storey + low, s * storey + low + tall)
            for s in range(storeys) for z in columns]  # fmt: skip
    if not rows:
        return
    frames = [(a - 0.1, b + 0.1, c - 0.1, d + 0.1) for a, b, c, d in rows]
    canvas.fill(camera.upright(x, frames), colors.jitter(rng, (206, 202, 194), 30))
    panes = camera.upright(x, rows)
    canvas.fill(panes, colors.jitter(rng, (72, 84, 98), 18))
    lit = rng.random(len(rows)) < rng.uniform(0.05, 0.35)
    warm = [(225, 170, 90), (200, 180, 130), (150, 170, 200)]
    for tone, some in zip(warm, np.array_split(panes[lit], len(warm)), strict=True):
        if len(some):
            canvas.fill(some, (86, 94, 100), glow=colors.shade(tone, rng.uniform(0.3, 0.6)))


def _shop(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, span: tuple) -> None:
    band = camera.upright(x, [(span[0] + 0.4, span[1] - 0.4, 0.3, 2.5)])
    glow = colors.shade((128, 114, 86), rng.uniform(0.6, 1)) if rng.random() < 0.5 else None
    canvas.fill(band, colors.jitter(rng, (92, 100, 104), 20), glow=glow)
    posts = [(z, z + 0.25, 0.3, 2.5) for z in np.arange(span[0] + 2, span[1] - 1, 2.4)]
    if posts:
        canvas.fill(camera.upright(x, posts), (70, 66, 62), glow=(0, 0, 0))
    sign = camera.upright(x, [(span[0] + 0.4, span[1] - 0.4, 2.5, 3.0)])
    canvas.fill(sign, colors.pick(rng, colors.CLOTHES))


def _end_wall(
    canvas: Canvas, camera: Camera, x: float, z: float, high: float, color: Color
) -> None:
    pen = standing(canvas, camera, x, z)
    side = 1 if x > 0 else -1
    pen.polygon([(0, 0), (side * 12, 0), (side * 12, high), (0, high)], color, TrainId.BUILDING)


def _wall(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, near: float, far: float
) -> None:
    stone = colors.pick(rng, [(150, 140, 126), (128, 112, 100), (170, 168, 164)])
    high = rng.uniform(1.2, 2.8)
    _plane(canvas, camera, x, (near, far), (0, high), stone, TrainId.WALL)
    canvas.fill(camera.upright(x, [(near, far, high - 0.15, high)]), colors.shade(stone, 1.2))
    courses = [(near, far, y, y + 0.04) for y in np.arange(0.4, high - 0.2, 0.4)]
    canvas.fill(camera.upright(x, courses), colors.shade(stone, 0.75))


def _fence(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, near: float, far: float
) -> None:
    high = rng.uniform(1.0, 1.9)
    paint = colors.pick(rng, [(70, 74, 72), (150, 128, 96), (196, 194, 190), (54, 84, 66)])
    _plane(canvas, camera, x, (near, far), (0, high), None, TrainId.FENCE)
    pickets = [(z, z + 0.12, 0, high) for z in np.arange(near, far, 0.3)]
    canvas.fill(camera.upright(x, pickets), paint)
    rails = [(near, far, y, y + 0.1) for y in (0.15, high - 0.2)]
    canvas.fill(camera.upright(x, rails), colors.shade(paint, 0.85))


def _garden(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, near: float, far: float
) -> None:
    side = 1 if x > 0 else -1
    for z in np.arange(far, near, -rng.uniform(3, 5)):
        away = x + side * rng.uniform(2.0, 7.0)
        if rng.random() < 0.6:
            tree(standing(canvas, camera, away, float(z)), rng)
        else:
            bush(standing(canvas, camera, away, float(z)), rng)


def tree(pen: Pen, rng: np.random.Generator) -> None:
    """A tree, 4 to 9 m tall; its trunk counts as vegetation, as in Cityscapes."""
    tall = rng.uniform(4, 9)
    crown = (tall * rng.uniform(0.22, 0.34), tall * rng.uniform(0.28, 0.36))
    leaf = colors.pick(rng, colors.LEAVES)
    bark = colors.jitter(rng, (88, 72, 58), 12)
    lean = rng.uniform(-0.2, 0.2)
    pen.line([(0, 0), (lean, tall * 0.6)], tall * 0.04, bark, TrainId.VEGETATION)
    _foliage(pen, rng, (lean, tall - crown[1]), crown, leaf)


def bush(pen: Pen, rng: np.random.Generator) -> None:
    """A bush, 1 to 2.5 m tall."""
    tall = rng.uniform(0.5, 1.25)
    _foliage(pen, rng, (0, tall * 0.8), (tall * 1.3, tall), colors.pick(rng, colors.LEAVES))


def _foliage(pen: Pen, rng: np.random.Generator, at: tuple, radii: tuple, leaf: Color) -> None:
    pen.polygon(_blobs(rng, np.array([at]), radii, 26)[0], colors.shade(leaf, 0.8),
                TrainId.VEGETATION)  # fmt: skip
    if pen.scale * radii[1] < _DETAIL:
        return
    for gain, drop in ((0.62, -0.25), (1.0, 0.1), (1.25, 0.35)):
        # Clumps stay inside the crown, or leaves would show where the label says sky.
        spread = np.multiply(radii, rng.uniform((-0.55, drop * 0.4 - 0.55),
                                                (0.55, drop * 0.4 + 0.55), (9, 2)))  # fmt: skip
        clumps = pen.to_pixels(_blobs(rng, spread + at, np.multiply(radii, 0.19), 7))
        pen.canvas.fill(clumps, colors.shade(leaf, gain))


def _blobs(rng: np.random.Generator, centers: np.ndarray, radii: tuple, corners: int) -> np.ndarray:
    """Return uneven ellipses around centers (N, 2) as (N, corners, 2)."""
    angle = np.arange(corners) * (2 * np.pi / corners)
    outline = np.stack([radii[0] * np.cos(angle), radii[1] * np.sin(angle)], axis=-1)
    reach = rng.uniform(0.86, 1.14, (len(centers), corners, 1))
    return centers[:, None] + outline * reach
