"""Cars, trucks, buses and trams as boxes in the world: a near face, a side and a roof."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from tasks.sample import colors
from tasks.sample.camera import Camera
from tasks.sample.canvas import Canvas, Color
from tasks.sample.classes import TrainId
from tasks.sample.pen import Pen, standing


@dataclass(frozen=True)
class Box:
    """A box of the world in metres: x, y and z ranges; `taper` narrows its upper edge."""

    x: tuple[float, float]
    y: tuple[float, float]
    z: tuple[float, float]
    taper: float = 0.0

    def corners(self) -> np.ndarray:
        """Return the eight corners (8, 3): bottom then top, near then far, left then right."""
        rows = []
        for level, y in enumerate(self.y):
            cut = level * self.taper
            for z in (self.z[0] + cut, self.z[1] - cut):
                rows += [(self.x[0] + cut / 3, y, z), (self.x[1] - cut / 3, y, z)]
        return np.asarray(rows)

    @property
    def seen_x(self) -> float | None:
        """The x of the side face that the camera sees; None when it is right behind the box."""
        if self.x[0] <= 0 <= self.x[1]:
            return None
        return self.x[0] if self.x[0] > 0 else self.x[1]

    def side(self, camera: Camera) -> np.ndarray:
        """Return the pixels (4, 2) of the seen side: near bottom, far bottom, far top, near top."""
        edge = 0 if self.x[0] > 0 else 1
        return camera.project(self.corners()[[edge, 2 + edge, 6 + edge, 4 + edge]])

    def face(self, camera: Camera) -> np.ndarray:
        """Return the pixels (4, 2) of the near face: bottom left, bottom right, top right, left."""
        return camera.project(self.corners()[[0, 1, 5, 4]])


def paint_box(
    canvas: Canvas, camera: Camera, box: Box, color: Color, train_id: int, side_gain: float = 0.72
) -> None:
    """Paint the box's outline with its roof's colour, then the side and the near face."""
    hull = cv2.convexHull(camera.project(box.corners()).astype(np.float32))[:, 0]
    canvas.fill([hull], colors.shade(color, 1.12), train_id=train_id, depth=box.z[0])
    if box.seen_x is not None:
        canvas.fill([box.side(camera)], colors.shade(color, side_gain))
    canvas.fill([box.face(camera)], color)


def shadow(canvas: Canvas, camera: Camera, x: tuple[float, float], z: tuple[float, float]) -> None:
    """Darken the road below a vehicle."""
    corners = [(x[0] - 0.15, 0, z[0] - 0.25), (x[1] + 0.15, 0, z[0] - 0.25),
               (x[1] + 0.15, 0, z[1]), (x[0] - 0.15, 0, z[1])]  # fmt: skip
    canvas.fill([camera.project(np.asarray(corners))], (36, 36, 38))


def car(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float,
        oncoming: bool, lit: bool = True) -> None:  # fmt: skip
    """A car whose near end is at z metres, its middle at x metres; parked ones are not `lit`."""
    paint = colors.pick(rng, colors.CARS)
    wide, deep = rng.uniform(1.65, 1.95), rng.uniform(3.7, 4.7)
    waist, top = rng.uniform(0.8, 1.0), rng.uniform(1.35, 1.85)
    span = (x - wide / 2, x + wide / 2)
    shadow(canvas, camera, span, (z, z + deep))
    body = Box(span, (0.18, waist), (z, z + deep))
    hood = 0.9 if oncoming else rng.uniform(0.05, 0.5)
    cabin = Box((span[0] + 0.06, span[1] - 0.06), (waist, top), (z + hood, z + deep - 0.4), 0.3)
    paint_box(canvas, camera, body, paint, TrainId.CAR)
    paint_box(canvas, camera, cabin, paint, TrainId.CAR)
    _car_side(canvas, camera, body, cabin)
    _car_glass(canvas, camera, cabin)
    car_face(standing(canvas, camera, x, z), (wide, waist), paint, oncoming, lit)


def _car_side(canvas: Canvas, camera: Camera, body: Box, cabin: Box) -> None:
    if body.seen_x is None:
        return
    (near, far), (low, high) = cabin.z, cabin.y
    middle = (near + far) / 2
    rows = [(near + 0.35, middle - 0.08, low + 0.05, high - 0.12),
            (middle + 0.08, far - 0.35, low + 0.05, high - 0.12)]  # fmt: skip
    canvas.fill(camera.upright(cabin.seen_x, rows), colors.GLASS)
    for z in (body.z[0] + 0.75, body.z[1] - 0.75):
        angle = np.arange(16) * (2 * np.pi / 16)
        rim = np.stack([np.full(16, body.seen_x), 0.31 + 0.31 * np.cos(angle),
                        z + 0.31 * np.sin(angle)], axis=-1)  # fmt: skip
        canvas.fill([camera.project(rim)], colors.TYRE, train_id=TrainId.CAR, depth=z)


def _car_glass(canvas: Canvas, camera: Camera, cabin: Box) -> None:
    face = cabin.face(camera)
    canvas.fill([face.mean(axis=0) + (face - face.mean(axis=0)) * (0.88, 0.8)], colors.GLASS)


def car_face(pen: Pen, size: tuple[float, float], paint: Color, oncoming: bool, lit: bool) -> None:
    """The lamps, bumper, plate and wheels of a car's near end; `size` is (width, waist height)."""
    half, waist = size[0] / 2, size[1]
    for side in (-1, 1):
        wheel = sorted((side * (half - 0.24), side * (half - 0.04)))
        pen.rect(tuple(wheel), (0.0, 0.3), colors.TYRE, TrainId.CAR)
        lamp = sorted((side * (half - 0.38), side * (half - 0.04)))
        color = colors.HEADLIGHT if oncoming else colors.TAILLIGHT
        day = colors.mix(color, (150, 150, 150), 0.35)
        pen.rect(tuple(lamp), (waist - 0.3, waist - 0.13), day, glow=color if lit else None)
    pen.rect((-half, half), (0.2, 0.36), colors.shade(paint, 0.5))
    if oncoming:
        pen.rect((-half + 0.42, half - 0.42), (waist - 0.34, waist - 0.12), (45, 45, 48))
    pen.rect((-0.26, 0.26), (0.38, 0.5), (225, 222, 205))


def bus(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float,
        oncoming: bool) -> None:  # fmt: skip
    """A city bus, 2.5 m wide and 11 m long, with a band of windows."""
    paint = colors.pick(rng, colors.BUSES)
    box = Box((x - 1.25, x + 1.25), (0.3, rng.uniform(2.9, 3.2)), (z, z + 11.0))
    shadow(canvas, camera, box.x, box.z)
    paint_box(canvas, camera, box, paint, TrainId.BUS)
    lit = rng.random() < 0.8
    _window_band(canvas, camera, box, (1.3, 2.5), 1.6, lit)
    pen = standing(canvas, camera, x, z)
    pen.rect((-1.1, 1.1), (1.25, 2.5), colors.GLASS, glow=(96, 88, 70) if lit else None)
    pen.rect((-0.8, 0.8), (2.6, 2.85), (25, 25, 25), glow=(255, 150, 20) if lit else None)
    _heavy_end(pen, TrainId.BUS, oncoming)


def tram(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float,
         oncoming: bool) -> None:  # fmt: skip
    """A tram, 2.4 m wide, 20 to 30 m long, two-coloured, with a current collector on the roof."""
    paint = colors.pick(rng, colors.TRAMS)
    box = Box((x - 1.2, x + 1.2), (0.25, 3.5), (z, z + rng.uniform(20, 30)))
    shadow(canvas, camera, box.x, box.z)
    pen = standing(canvas, camera, x, z + 5)
    pen.line([(-0.6, 3.4), (0.5, 4.1), (-0.1, 4.8)], 0.1, colors.METAL, TrainId.TRAIN)
    paint_box(canvas, camera, box, (226, 224, 214), TrainId.TRAIN)
    if box.seen_x is not None:
        stripe = camera.upright(box.seen_x, [(*box.z, 0.25, 1.15), (*box.z, 3.0, 3.3)])
        canvas.fill(stripe, colors.shade(paint, 0.8))
    _window_band(canvas, camera, box, (1.35, 2.85), 2.4, True)
    face = standing(canvas, camera, x, z)
    face.rect((-1.2, 1.2), (0.25, 1.2), paint)
    face.polygon([(-1.05, 1.3), (1.05, 1.3), (0.9, 2.8), (-0.9, 2.8)], colors.GLASS,
                 glow=(90, 80, 60))  # fmt: skip
    face.rect((-0.5, 0.5), (2.95, 3.25), (25, 25, 25), glow=(255, 170, 40))
    _heavy_end(face, TrainId.TRAIN, oncoming)


def truck(canvas: Canvas, camera: Camera, rng: np.random.Generator, x: float, z: float,
          oncoming: bool) -> None:  # fmt: skip
    """A truck: a plain cargo box and, at its front, a lower cab."""
    paint, cargo = colors.pick(rng, colors.CARS), colors.pick(rng, colors.TRUCKS)
    deep, high = rng.uniform(5.5, 8.5), rng.uniform(2.9, 3.7)
    cab_z = (z, z + 2.0) if oncoming else (z + deep, z + deep + 2.0)
    cargo_z = (z + 2.1, z + 2.1 + deep) if oncoming else (z, z + deep)
    cab = Box((x - 1.15, x + 1.15), (0.3, min(2.7, high - 0.3)), cab_z)
    load = Box((x - 1.25, x + 1.25), (0.85, high), cargo_z)
    shadow(canvas, camera, load.x, (z, z + deep + 2))
    for box, color in ((load, cargo), (cab, paint)) if oncoming else ((cab, paint), (load, cargo)):
        paint_box(canvas, camera, box, color, TrainId.TRUCK)
    pen = standing(canvas, camera, x, z)
    if oncoming:
        pen.rect((-1.0, 1.0), (1.5, 2.35), colors.GLASS)
    else:
        pen.line([(0, 0.95), (0, high - 0.1)], 0.05, colors.shade(cargo, 0.55))
        pen.line([(-1.15, 0.95), (-1.15, high - 0.1), (1.15, high - 0.1), (1.15, 0.95)], 0.06,
                 colors.shade(cargo, 0.6))  # fmt: skip
    _truck_wheels(canvas, camera, load)
    _heavy_end(pen, TrainId.TRUCK, oncoming)


def _truck_wheels(canvas: Canvas, camera: Camera, load: Box) -> None:
    if load.seen_x is None:
        return
    near, far = load.z
    rows = [(near, far, 0.55, 0.85)]
    rows += [(z, z + 0.9, 0.0, 0.9) for z in (near + 0.5, near + 1.6, far - 1.3)]
    canvas.fill(camera.upright(load.seen_x, rows[:1]), (50, 50, 52), train_id=TrainId.TRUCK,
                depth=near)  # fmt: skip
    canvas.fill(camera.upright(load.seen_x, rows[1:]), colors.TYRE, train_id=TrainId.TRUCK,
                depth=near)  # fmt: skip


def _window_band(canvas: Canvas, camera: Camera, box: Box, up: tuple[float, float], wide: float,
                 lit: bool) -> None:  # fmt: skip
    if box.seen_x is None:
        return
    starts = np.arange(box.z[0] + 0.3, box.z[1] - wide, wide)
    rows = [(z, z + wide - 0.18, *up) for z in starts]
    glow = (92, 84, 66) if lit else None
    canvas.fill(camera.upright(box.seen_x, rows), colors.GLASS, glow=glow)


def _heavy_end(pen: Pen, train_id: int, oncoming: bool) -> None:
    color = colors.HEADLIGHT if oncoming else colors.TAILLIGHT
    for side in (-1, 1):
        wheel = sorted((side * 0.75, side * 1.1))
        pen.rect(tuple(wheel), (0.0, 0.5), colors.TYRE, train_id)
        lamp = sorted((side * 0.85, side * 1.15))
        pen.rect(tuple(lamp), (0.72, 0.95), colors.mix(color, (150, 150, 150), 0.35), glow=color)
    pen.rect((-1.2, 1.2), (0.45, 0.68), (52, 52, 54), train_id)
