"""CODaN's vehicle classes as single objects; lengths in metres, see `objects`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tasks.sample import colors
from tasks.sample.pen import Pen
from tasks.sample.street_figures import bicycle, motorcycle
from tasks.sample.street_vehicles import car_face

__all__ = ["bicycle", "boat", "bus", "car", "motorcycle"]

_WATER = [(70, 110, 140), (60, 96, 104), (96, 130, 150)]


def car(pen: Pen, rng: np.random.Generator) -> None:
    """A car from the side, from the front or from behind."""
    if rng.random() < 0.35:
        _car_end(pen, rng)
    else:
        _car_side(pen, rng)


def _car_side(pen: Pen, rng: np.random.Generator) -> None:
    paint = colors.pick(rng, colors.CARS)
    half, waist, top = rng.uniform(1.7, 2.2), rng.uniform(0.75, 1.0), rng.uniform(1.3, 1.8)
    rear, front = -half + rng.uniform(0.05, 0.9), half - rng.uniform(0.8, 1.3)
    slope = rng.uniform(0.2, 0.6)
    pen.polygon([(-half, 0.25), (half, 0.25), (half, waist - 0.15), (half - 0.1, waist - 0.05),
                 (-half, waist)], paint)  # fmt: skip
    pen.polygon([(rear, waist), (front, waist - 0.05), (front - slope, top),
                 (rear + slope / 2, top)], paint)  # fmt: skip
    glass = [(rear + 0.18, waist), (front - 0.18, waist), (front - slope - 0.08, top - 0.1),
             (rear + slope / 2 + 0.1, top - 0.1)]  # fmt: skip
    pen.polygon(glass, colors.jitter(rng, colors.GLASS, 25))
    for x in np.linspace(rear, front, int(rng.integers(2, 4)) + 1)[1:-1]:
        pen.line([(x, 0.3), (x, top - 0.05)], 0.06, colors.shade(paint, 0.8))
    _wheels(pen, rng, (-half + 0.75, half - 0.8), rng.uniform(0.3, 0.38))
    pen.rect((half - 0.22, half), (waist - 0.32, waist - 0.18), colors.HEADLIGHT)
    pen.rect((-half, -half + 0.15), (waist - 0.3, waist - 0.1), colors.TAILLIGHT)


def _wheels(pen: Pen, rng: np.random.Generator, places: tuple, radius: float) -> None:
    rim = colors.jitter(rng, (130, 132, 136), 40)
    for x in places:
        pen.ellipse((x, radius), (radius, radius), colors.TYRE)
        pen.ellipse((x, radius), (radius * 0.55, radius * 0.55), rim)


def _car_end(pen: Pen, rng: np.random.Generator) -> None:
    paint, oncoming = colors.pick(rng, colors.CARS), bool(rng.random() < 0.5)
    half, waist, top = rng.uniform(0.82, 0.98), rng.uniform(0.8, 1.0), rng.uniform(1.35, 1.8)
    roof = half - rng.uniform(0.15, 0.3)
    pen.rect((-half, half), (0.2, waist), paint)
    pen.polygon([(-half, waist), (half, waist), (roof, top), (-roof, top)], paint)
    glass = [(-half + 0.12, waist + 0.03), (half - 0.12, waist + 0.03), (roof - 0.06, top - 0.1),
             (-roof + 0.06, top - 0.1)]  # fmt: skip
    pen.polygon(glass, colors.jitter(rng, colors.GLASS, 25))
    car_face(pen, (2 * half, waist), paint, oncoming, lit=False)


def bus(pen: Pen, rng: np.random.Generator) -> None:
    """A bus from the side or from one end."""
    paint = colors.pick(rng, colors.BUSES)
    glass = colors.jitter(rng, colors.GLASS, 25)
    if rng.random() < 0.35:
        _bus_end(pen, rng, paint, glass)
        return
    half, top = rng.uniform(2.4, 5.0), rng.uniform(2.6, 3.2)
    pen.rect((-half, half), (0.3, top), paint)
    pen.rect((-half, half), (0.3, 0.6), colors.shade(paint, 0.6))
    edges = np.linspace(-half + 0.2, half - 0.7, int(rng.integers(4, 8)))
    for left, right in pairwise(edges):
        pen.rect((left, right - 0.15), (top * 0.48, top * 0.85), glass)
    pen.rect((half - 0.6, half - 0.05), (0.5, top * 0.85), glass)
    if rng.random() < 0.5:
        pen.rect((-half, half), (top * 0.3, top * 0.38), colors.pick(rng, colors.BUSES))
    _wheels(pen, rng, (-half * 0.6, half * 0.55), rng.uniform(0.45, 0.55))


def _bus_end(pen: Pen, rng: np.random.Generator, paint: tuple, glass: tuple) -> None:
    top = rng.uniform(2.7, 3.2)
    for side in (-1, 1):
        wheel = sorted((side * 0.75, side * 1.1))
        pen.rect(tuple(wheel), (0, 0.5), colors.TYRE)
    pen.rect((-1.25, 1.25), (0.3, top), paint)
    pen.rect((-1.12, 1.12), (top * 0.42, top * 0.82), glass)
    pen.rect((-0.8, 0.8), (top * 0.86, top * 0.95), (25, 25, 25))
    lamp = colors.HEADLIGHT if rng.random() < 0.5 else colors.TAILLIGHT
    for side in (-1, 1):
        box = sorted((side * 0.85, side * 1.15))
        pen.rect(tuple(box), (0.7, 0.95), lamp)


def boat(pen: Pen, rng: np.random.Generator) -> None:
    """A sailing boat, a motor boat or a rowing boat, most often on water."""
    if rng.random() < 0.6:
        pen.rect((-9, 9), (-9, rng.uniform(0.1, 0.4)), colors.pick(rng, _WATER))
    half, deck = rng.uniform(1.6, 2.6), rng.uniform(0.55, 0.95)
    hull = colors.pick(rng, [*colors.CARS, (236, 234, 226), (130, 88, 56)])
    kind = int(rng.integers(3))
    if kind == 0:
        _sails(pen, rng, half, deck)
    elif kind == 1:
        _cabin(pen, rng, half, deck)
    else:
        pen.line([(-half * 0.3, deck), (half * 0.7, deck - 0.7)], 0.1, (150, 110, 70))
    bow = rng.uniform(0.1, 0.3)
    pen.polygon([(-half, deck), (-half * 0.78, 0), (half * 0.6, 0), (half, deck + bow)], hull)
    pen.line([(-half, deck), (half, deck + bow)], 0.09, colors.shade(hull, 0.6))


def _sails(pen: Pen, rng: np.random.Generator, half: float, deck: float) -> None:
    tall, mast = rng.uniform(2.4, 4.0), rng.uniform(-0.2, 0.3)
    sail = colors.pick(rng, [(236, 232, 220), (200, 80, 60), (220, 190, 120)])
    pen.line([(mast, deck), (mast, deck + tall)], 0.1, (110, 84, 60))
    main, jib = mast - 0.1, mast + 0.1
    pen.polygon([(main, deck + 0.2), (main, deck + tall * 0.95), (-half * 0.85, deck + 0.3)], sail)
    if rng.random() < 0.7:
        front = [(jib, deck + 0.2), (jib, deck + tall * 0.8), (half * 0.85, deck + 0.2)]
        pen.polygon(front, colors.shade(sail, 0.9))


def _cabin(pen: Pen, rng: np.random.Generator, half: float, deck: float) -> None:
    high, paint = rng.uniform(0.5, 1.1), colors.pick(rng, [(232, 230, 224), (200, 170, 120)])
    pen.polygon([(-half * 0.6, deck - 0.1), (half * 0.4, deck - 0.1), (half * 0.2, deck + high),
                 (-half * 0.55, deck + high)], paint)  # fmt: skip
    for x in np.linspace(-half * 0.45, half * 0.05, 3):
        pen.rect((x, x + half * 0.15), (deck + high * 0.4, deck + high * 0.8), colors.GLASS)
