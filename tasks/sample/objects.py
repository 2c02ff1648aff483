"""Single objects of CODaN's ten classes, with strongly varied shape, pose, colour and background.

The class names and their order are CODaN's (Lengyel et al., ICCV 2021); the pictures are drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from tasks.sample import object_animals, object_things, object_vehicles, texture
from tasks.sample.canvas import SUPERSAMPLING, Canvas
from tasks.sample.classes import TrainId
from tasks.sample.pen import Pen
from tasks.sample.seeds import generator

SIZE = 96
"""Height and width of an object image in pixels."""


@dataclass(frozen=True)
class Kind:
    """How to draw a class, and about how far it reaches: width and height in figure metres."""

    draw: Callable[[Pen, np.random.Generator], None]
    width: float
    height: float


KINDS: dict[str, Kind] = {
    "Bicycle": Kind(object_vehicles.bicycle, 1.8, 1.15),
    "Car": Kind(object_vehicles.car, 3.6, 1.7),
    "Motorbike": Kind(object_vehicles.motorcycle, 2.1, 1.15),
    "Bus": Kind(object_vehicles.bus, 6.0, 3.0),
    "Boat": Kind(object_vehicles.boat, 4.4, 3.2),
    "Cat": Kind(object_animals.cat, 2.0, 1.7),
    "Dog": Kind(object_animals.dog, 2.0, 1.7),
    "Bottle": Kind(object_things.bottle, 0.8, 1.9),
    "Cup": Kind(object_things.cup, 1.6, 1.2),
    "Chair": Kind(object_things.chair, 1.6, 1.8),
}

CLASSES: tuple[str, ...] = tuple(KINDS)


def object_image(name: str, seed: int, split: str, index: int) -> np.ndarray:
    """Render object `index` of class `name` in `split` by day, (96, 96, 3) uint8 sRGB.

    The same arguments always give the same image. `name` is one of CLASSES (else KeyError).
    """
    rng = generator(seed, f"{split}/{name}", index)
    canvas = Canvas.blank(SIZE, SIZE, TrainId.VOID)
    _background(canvas, rng)
    kind = KINDS[name]
    kind.draw(_pose(canvas, rng, kind), rng)
    _in_front(canvas, rng)
    return _finish(canvas.image_out(), rng)


def _pose(canvas: Canvas, rng: np.random.Generator, kind: Kind) -> Pen:
    side = SIZE * SUPERSAMPLING
    scale = side * rng.uniform(0.55, 1.0) / max(kind.width, kind.height)
    angle = np.deg2rad(rng.normal(0, 9))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    squeeze = rng.uniform(0.7, 1.1) * rng.choice([-1, 1])
    shear = np.array([[squeeze, rng.uniform(-0.15, 0.15)], [0, -1.0]])
    matrix = scale * turn @ shear
    center = side * rng.uniform(0.42, 0.58, 2)
    return Pen(canvas, center - matrix @ (0, kind.height / 2), matrix)


def _background(canvas: Canvas, rng: np.random.Generator) -> None:
    side = SIZE * SUPERSAMPLING
    wall, floor = rng.uniform(50, 215, (2, 3))
    grey = rng.uniform(0.2, 0.8)
    wall, floor = (c * grey + c.mean() * (1 - grey) for c in (wall, floor))
    canvas.image[:] = wall.astype(np.uint8)
    edge = side * rng.uniform(0.35, 0.85, 2)
    ground = np.array([(0, edge[0]), (side, edge[1]), (side, side), (0, side)])
    canvas.fill([ground], tuple(floor))
    for _ in range(int(rng.integers(2, 9))):
        _clutter(canvas, rng, side * rng.uniform(0, 1, 2), side * rng.uniform(0.05, 0.3))


def _clutter(canvas: Canvas, rng: np.random.Generator, at: np.ndarray, size: float) -> None:
    corners = int(rng.integers(3, 9))
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    reach = size * rng.uniform(0.5, 1.0, (corners, 1))
    shape = at + reach * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    color = tuple(rng.uniform(40, 220, 3))
    if rng.random() < 0.5:
        canvas.fill([shape], color)
    else:
        canvas.stroke(shape, size * 0.12, color)


def _in_front(canvas: Canvas, rng: np.random.Generator) -> None:
    # Now and then something hides a part, as in photographs.
    side = SIZE * SUPERSAMPLING
    for _ in range(int(rng.integers(0, 3))):
        at = side * (0.5 + rng.choice([-1, 1], 2) * rng.uniform(0.2, 0.5, 2))
        _clutter(canvas, rng, at, side * rng.uniform(0.05, 0.16))


def _finish(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    varied = image * (1 + 0.06 * texture.noise(rng, (SIZE, SIZE)))[..., None]
    varied = varied + rng.uniform(-14, 14, 3).astype(np.float32)
    if rng.random() < 0.4:
        varied = cv2.GaussianBlur(varied, (0, 0), rng.uniform(0.5, 1.1))
    return texture.weather(varied.astype(np.float32), rng)
