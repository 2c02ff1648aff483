"""People and two-wheelers of the street, in metres, seen flat from the side or from behind."""

from __future__ import annotations

import numpy as np

from tasks.sample import colors
from tasks.sample.classes import TrainId
from tasks.sample.pen import Pen


def person(pen: Pen, rng: np.random.Generator, train_id: int = TrainId.PERSON) -> None:
    """A walking or standing person, 1.5 to 1.9 m tall."""
    tall = rng.uniform(1.5, 1.9)
    stride = rng.uniform(0.03, 0.32)
    hip, shoulder = 0.50 * tall, 0.82 * tall
    trousers, top = colors.pick(rng, colors.TROUSERS), colors.pick(rng, colors.CLOTHES)
    for foot in (-stride, stride):
        pen.line([(foot * 0.2, hip), (foot * 0.7, hip / 2), (foot, 0.04)], 0.15, trousers, train_id)
    torso = [(-0.15, hip - 0.05), (0.15, hip - 0.05), (0.23, shoulder), (-0.23, shoulder)]
    pen.polygon(torso, top, train_id)
    _arms(pen, rng, (hip, shoulder), top, train_id)
    _head(pen, rng, (0.0, 0.92 * tall), train_id)


def _arms(pen: Pen, rng: np.random.Generator, span: tuple, top: tuple, train_id: int) -> None:
    hip, shoulder = span
    swing = rng.uniform(-0.15, 0.25)
    sleeve = colors.shade(top, 0.8)
    for side in (-1, 1):
        elbow = (side * 0.28 + swing * 0.4, (hip + shoulder) / 2)
        hand = (side * 0.26 + swing, hip - 0.02)
        pen.line([(side * 0.21, shoulder - 0.04), elbow, hand], 0.1, sleeve, train_id)
    if rng.random() < 0.4:
        bag = colors.pick(rng, colors.CLOTHES)
        pen.rect((0.24, 0.44), (hip - 0.28, hip + 0.02), bag, train_id)


def _head(pen: Pen, rng: np.random.Generator, at: tuple[float, float], train_id: int) -> None:
    x, y = at
    hair = colors.pick(rng, [(40, 30, 24), (90, 64, 40), (150, 120, 70), (120, 118, 116)])
    pen.rect((x - 0.05, x + 0.05), (y - 0.18, y - 0.05), colors.pick(rng, colors.SKIN), train_id)
    pen.ellipse(at, (0.1, 0.13), colors.pick(rng, colors.SKIN), train_id)
    pen.ellipse((x - 0.01, y + 0.05), (0.11, 0.09), hair, train_id)


def bicycle(pen: Pen, rng: np.random.Generator) -> None:
    """A bicycle from the side, about 1.7 m long; the discs of the wheels belong to it."""
    paint = colors.pick(rng, colors.CLOTHES)
    radius, reach = rng.uniform(0.28, 0.36), rng.uniform(0.48, 0.58)
    high = rng.uniform(0.8, 0.98)
    back, front, crank = (-reach, radius), (reach, radius), (-0.05, 0.3)
    seat, head = (-0.2, 0.86), (reach - 0.15, high)
    for hub in (back, front):
        _spokes(pen, hub, radius)
        pen.ring(hub, radius - 0.03, rng.uniform(0.045, 0.075), colors.TYRE)
    step_through = rng.random() < 0.4
    top_tube = [crank, head] if step_through else [crank, head, seat]
    for tube in (top_tube, [seat, back, crank, seat], [front, head, (head[0] + 0.04, high + 0.12)]):
        pen.line(tube, 0.06, paint, TrainId.BICYCLE)
    pen.line([(-0.32, 0.93), (-0.08, 0.93)], 0.09, colors.TYRE, TrainId.BICYCLE)
    bar = (head[0] - 0.08, high + 0.16)
    pen.line([bar, (bar[0] + 0.2, high + 0.12)], 0.05, colors.METAL, TrainId.BICYCLE)
    pen.rect((-0.92, -0.85), (0.5, 0.58), colors.TAILLIGHT, TrainId.BICYCLE,
             glow=colors.shade(colors.TAILLIGHT, 0.6))  # fmt: skip


def motorcycle(pen: Pen, rng: np.random.Generator) -> None:
    """A motorcycle or scooter from the side, about 2 m long."""
    paint, radius = colors.pick(rng, colors.CARS), rng.uniform(0.24, 0.34)
    scooter = rng.random() < 0.35
    for hub in ((-0.68, radius), (0.7, radius)):
        pen.ellipse(hub, (radius, radius), colors.TYRE, TrainId.MOTORCYCLE)
        pen.ellipse(hub, (radius / 2, radius / 2), colors.METAL)
    (_scooter_body if scooter else _motorcycle_body)(pen, rng, paint)
    pen.line([(0.72, radius), (0.42, 1.05)], 0.08, colors.METAL, TrainId.MOTORCYCLE)
    pen.line([(0.26, 1.06), (0.46, 1.04)], 0.06, colors.TYRE, TrainId.MOTORCYCLE)
    pen.ellipse((0.55, 0.88), (0.1, 0.11), colors.HEADLIGHT, TrainId.MOTORCYCLE,
                glow=colors.HEADLIGHT)  # fmt: skip
    pen.rect((-0.95, -0.85), (0.72, 0.82), colors.TAILLIGHT, TrainId.MOTORCYCLE,
             glow=colors.TAILLIGHT)  # fmt: skip


def _motorcycle_body(pen: Pen, rng: np.random.Generator, paint: tuple) -> None:
    tank = rng.uniform(0.85, 1.0)
    body = [(-0.75, 0.62), (-0.3, 0.3), (0.3, 0.3), (0.55, 0.7), (0.3, tank), (-0.2, 0.72),
            (-0.85, 0.82)]  # fmt: skip
    pen.polygon(body, paint, TrainId.MOTORCYCLE)
    pen.polygon([(-0.3, 0.3), (0.25, 0.3), (0.2, 0.6), (-0.25, 0.58)], colors.METAL)
    pen.line([(-0.8, 0.84), (-0.15, 0.76)], 0.12, colors.TYRE, TrainId.MOTORCYCLE)
    pen.line([(0.0, 0.28), (-0.9, 0.36)], 0.08, (150, 150, 152), TrainId.MOTORCYCLE)


def _scooter_body(pen: Pen, rng: np.random.Generator, paint: tuple) -> None:
    shield = rng.uniform(0.9, 1.05)
    body = [(-0.9, 0.45), (-0.2, 0.28), (0.35, 0.26), (0.45, shield), (0.56, shield), (0.62, 0.4),
            (0.4, 0.2), (-0.3, 0.2), (-0.95, 0.3)]  # fmt: skip
    pen.polygon(body, paint, TrainId.MOTORCYCLE)
    pen.polygon([(-0.95, 0.35), (-0.1, 0.3), (-0.15, 0.72), (-0.9, 0.76)], paint,
                TrainId.MOTORCYCLE)  # fmt: skip
    pen.line([(-0.9, 0.8), (-0.12, 0.76)], 0.11, colors.TYRE, TrainId.MOTORCYCLE)


def rider(pen: Pen, rng: np.random.Generator, seat: float) -> None:
    """A person who sits on a two-wheeler with the saddle at `seat` metres."""
    top, trousers = colors.pick(rng, colors.CLOTHES), colors.pick(rng, colors.TROUSERS)
    hip, shoulder = (-0.2, seat + 0.05), (0.05, seat + 0.6)
    pen.line([hip, (0.2, seat - 0.15), (0.02, seat - 0.55)], 0.17, trousers, TrainId.RIDER)
    pen.line([hip, shoulder], 0.32, top, TrainId.RIDER)
    pen.line([shoulder, (0.25, seat + 0.3), (0.4, seat + 0.15)], 0.1, top, TrainId.RIDER)
    _head(pen, rng, (0.12, seat + 0.86), TrainId.RIDER)
    if rng.random() < 0.6:
        helmet = colors.pick(rng, colors.CARS)
        pen.ellipse((0.11, seat + 0.92), (0.14, 0.11), helmet, TrainId.RIDER)


def cyclist(pen: Pen, rng: np.random.Generator) -> None:
    """A bicycle with its rider."""
    bicycle(pen, rng)
    rider(pen, rng, seat=0.92)


def motorcyclist(pen: Pen, rng: np.random.Generator) -> None:
    """A motorcycle with its rider."""
    motorcycle(pen, rng)
    rider(pen, rng, seat=0.8)


def _spokes(pen: Pen, hub: tuple[float, float], radius: float) -> None:
    # What shows between the spokes is a mix of things; a greyish disc stands for it.
    pen.ellipse(hub, (radius, radius), (112, 110, 106), TrainId.BICYCLE)
