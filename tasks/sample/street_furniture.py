"""Street lamps, traffic lights and traffic signs on their poles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.sample import colors
from tasks.sample.camera import Camera
from tasks.sample.canvas import Canvas, Color
from tasks.sample.classes import TrainId
from tasks.sample.pen import Pen, standing

SODIUM = (1.0, 0.72, 0.38)
LED = (0.92, 0.95, 1.0)


@dataclass(frozen=True)
class Lamp:
    """A lamp at (x, y, z) metres; `color` is linear RGB light, `power` the light at one metre.

    `power` is in units of the ambient light on a surface that faces the lamp.
    """

    at: tuple[float, float, float]
    color: tuple[float, float, float]
    power: float


def street_lamp(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float,
                tone: tuple[float, float, float]) -> Lamp:  # fmt: skip
    """Paint a lamp post whose arm reaches over the road; return its light."""
    pen = standing(canvas, camera, x, z, mirror=x > 0)
    tall, reach = rng.uniform(5.0, 7.0), rng.uniform(0.9, 1.8)
    paint = colors.pick(rng, [(96, 100, 102), (60, 70, 66), (140, 142, 144)])
    pen.line([(0, 0), (0, tall)], 0.14, paint, TrainId.POLE)
    pen.line([(0, tall - 0.1), (reach, tall)], 0.1, paint, TrainId.POLE)
    glow = tuple(255 * c**0.5 for c in tone)
    head = [(reach - 0.35, tall - 0.08), (reach + 0.4, tall - 0.08), (reach + 0.3, tall + 0.14),
            (reach - 0.3, tall + 0.14)]  # fmt: skip
    pen.polygon(head, (208, 206, 196), TrainId.POLE, glow=glow)
    over = x - reach if x > 0 else x + reach
    return Lamp((over, tall - 0.2, z), tone, rng.uniform(220, 600))


def traffic_light(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float
) -> Lamp:
    """Paint a traffic light with one of its lamps on; return its light."""
    pen = standing(canvas, camera, x, z, mirror=x > 0)
    pen.line([(0, 0), (0, 3.3)], 0.13, (84, 88, 88), TrainId.POLE)
    over = bool(rng.random() < 0.35)
    if over:
        pen.line([(0, 5.2), (0, 3.0)], 0.13, (84, 88, 88), TrainId.POLE)
        pen.line([(0, 5.1), (2.6, 5.3)], 0.1, (84, 88, 88), TrainId.POLE)
    lit = int(rng.integers(3))
    for at in ((0.0, 2.35), (2.5, 4.7))[: 1 + over]:
        _signal_head(pen, at, lit)
    return Lamp((x, 2.8, z - 0.4), _SIGNAL_LIGHT[lit], 4.0)


_SIGNAL = [(60, 235, 130), (255, 176, 30), (255, 40, 26)]
_SIGNAL_LIGHT = [(0.1, 1.0, 0.4), (1.0, 0.6, 0.1), (1.0, 0.08, 0.05)]


def _signal_head(pen: Pen, at: tuple[float, float], lit: int) -> None:
    x, y = at
    pen.rect((x - 0.24, x + 0.24), (y, y + 1.2), (34, 36, 36), TrainId.TRAFFIC_LIGHT)
    for place, color in enumerate(_SIGNAL):
        center = (x, y + 0.22 + 0.38 * place)
        on = place == lit
        pen.ellipse(center, (0.15, 0.15), color if on else colors.shade(color, 0.3),
                    glow=color if on else None)  # fmt: skip


def traffic_sign(
    canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float
) -> None:
    """Paint a sign (disc, triangle or board) on its pole."""
    pen = standing(canvas, camera, x, z)
    low = rng.uniform(2.0, 2.6)
    pen.line([(0, 0), (0, low + 0.4)], 0.09, (140, 142, 144), TrainId.POLE)
    shape = int(rng.integers(4))
    _SHAPES[shape](pen, rng, low + 0.4)


def _disc(pen: Pen, rng: np.random.Generator, y: float) -> None:
    blue = rng.random() < 0.4
    pen.ellipse((0, y), (0.4, 0.4), (30, 84, 176) if blue else (196, 32, 36), TrainId.TRAFFIC_SIGN)
    if not blue:
        pen.ellipse((0, y), (0.28, 0.28), (238, 238, 234))
    inner = (238, 238, 234) if blue else (40, 40, 40)
    pen.rect((-0.06, 0.06), (y - 0.18, y + 0.18), inner)


def _triangle(pen: Pen, rng: np.random.Generator, y: float) -> None:
    outer = [(-0.48, y - 0.32), (0.48, y - 0.32), (0.0, y + 0.5)]
    inner = [(-0.28, y - 0.2), (0.28, y - 0.2), (0.0, y + 0.28)]
    pen.polygon(outer, (198, 32, 36), TrainId.TRAFFIC_SIGN)
    pen.polygon(inner, colors.pick(rng, [(240, 238, 230), (236, 200, 60)], 6))


def _diamond(pen: Pen, rng: np.random.Generator, y: float) -> None:
    for half, paint, train_id in ((0.45, (240, 240, 236), TrainId.TRAFFIC_SIGN),
                                  (0.34, colors.jitter(rng, (238, 192, 40), 8), None)):  # fmt: skip
        pen.polygon([(-half, y), (0, y - half), (half, y), (0, y + half)], paint, train_id)


def _board(pen: Pen, rng: np.random.Generator, y: float) -> None:
    wide, high = rng.uniform(0.5, 1.1), rng.uniform(0.3, 0.6)
    paint: Color = colors.pick(rng, colors.SIGNS, 10)
    pen.rect((-wide, wide), (y - high, y + high), paint, TrainId.TRAFFIC_SIGN)
    text = (40, 40, 40) if sum(paint) > 380 else (240, 240, 240)
    for row in (y - 0.4 * high, y + 0.1 * high):
        pen.rect((-wide * 0.8, wide * rng.uniform(0.1, 0.8)), (row, row + 0.1), text)


_SHAPES = (_disc, _triangle, _diamond, _board)
