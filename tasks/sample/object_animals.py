"""Cats and dogs; lengths in metres of no real size, see `objects`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.sample import colors
from tasks.sample.canvas import Color
from tasks.sample.pen import Pen

_FUR = [(60, 54, 50), (206, 140, 72), (150, 140, 130), (222, 208, 184), (120, 84, 56), (90, 88, 90)]


@dataclass(frozen=True)
class Head:
    """Proportions of a head in units of its radius: what tells a cat from a dog."""

    ear: str
    snout: float


def cat(pen: Pen, rng: np.random.Generator) -> None:
    """A cat: round head, upright pointed ears, short snout, long thin tail."""
    _animal(pen, rng, Head("pointed", rng.uniform(-0.1, 0.1)), (0.07, rng.uniform(0.8, 1.2)))


def dog(pen: Pen, rng: np.random.Generator) -> None:
    """A dog: long snout, mostly hanging ears, shorter and thicker tail."""
    ear = "hanging" if rng.random() < 0.9 else "pointed"
    _animal(pen, rng, Head(ear, rng.uniform(0.7, 1.2)), (0.11, rng.uniform(0.35, 0.7)))


def _animal(pen: Pen, rng: np.random.Generator, head: Head, tail: tuple[float, float]) -> None:
    fur = colors.pick(rng, _FUR)
    pose = int(rng.integers(3))
    if pose == 0:
        _frontal_head(pen, rng, head, fur)
    elif pose == 1:
        _standing(pen, rng, head, tail, fur)
    else:
        _sitting(pen, rng, head, tail, fur)


def _standing(
    pen: Pen, rng: np.random.Generator, head: Head, tail: tuple[float, float], fur: Color
) -> None:
    long, leg = rng.uniform(0.55, 0.8), rng.uniform(0.4, 0.6)
    thick = rng.uniform(0.24, 0.34)
    for x in (-long + 0.1, -long + 0.3, long - 0.3, long - 0.1):
        foot = x + rng.uniform(-0.12, 0.12)
        pen.line([(x, leg + 0.1), (foot, 0.04)], 0.13, colors.shade(fur, 0.8))
    _tail(pen, rng, (-long, leg + 0.2), tail, fur)
    pen.ellipse((0, leg + 0.15), (long + 0.08, thick), fur)
    _pattern(pen, rng, (0, leg + 0.15), (long * 0.7, thick * 0.8), fur)
    at = (long + 0.1, leg + thick + rng.uniform(0.2, 0.4))
    pen.line([(long - 0.15, leg + 0.2), at], 0.3, fur)
    _side_head(pen, rng, head, at, rng.uniform(0.24, 0.3), fur)


def _sitting(
    pen: Pen, rng: np.random.Generator, head: Head, tail: tuple[float, float], fur: Color
) -> None:
    tall = rng.uniform(0.9, 1.2)
    _tail(pen, rng, (-0.4, 0.12), tail, fur)
    body = [(-0.55, 0), (0.3, 0), (0.34, tall * 0.6), (0.22, tall), (-0.1, tall),
            (-0.5, tall * 0.4)]  # fmt: skip
    pen.polygon(body, fur)
    pen.ellipse((-0.28, 0.24), (0.3, 0.26), colors.shade(fur, 0.88))
    pen.line([(0.2, tall * 0.6), (0.24, 0.04)], 0.15, colors.shade(fur, 0.8))
    _pattern(pen, rng, (-0.1, tall * 0.55), (0.25, tall * 0.3), fur)
    _side_head(pen, rng, head, (0.15, tall + 0.15), rng.uniform(0.26, 0.32), fur)


def _side_head(pen: Pen, rng: np.random.Generator, head: Head, at: tuple[float, float],
               radius: float, fur: Color) -> None:  # fmt: skip
    x, y = at
    pen.ellipse(at, (radius, radius * 0.92), fur)
    tip = radius * (0.95 + head.snout)
    pen.ellipse((x + tip * 0.72, y - radius * 0.25), (tip * 0.5, radius * 0.38), fur)
    pen.ellipse((x + tip * 1.15, y - radius * 0.15), (radius * 0.14, radius * 0.12), (30, 26, 26))
    pen.ellipse((x + radius * 0.35, y + radius * 0.2), (radius * 0.13,) * 2, (24, 26, 20))
    if head.ear == "pointed":
        for shift in (-0.55, 0.1):
            _pointed_ear(pen, (x + shift * radius, y + radius * 0.6), radius, fur)
    else:
        pen.ellipse((x - radius * 0.5, y - radius * 0.2), (radius * 0.32, radius * 0.75),
                    colors.shade(fur, 0.65))  # fmt: skip


def _frontal_head(pen: Pen, rng: np.random.Generator, head: Head, fur: Color) -> None:
    wide = rng.uniform(0.75, 0.95)
    y, dark = 0.85, colors.shade(fur, 0.65)
    if head.ear == "pointed":
        for side in (-1, 1):
            _pointed_ear(pen, (side * wide * 0.6, y + 0.45), 0.7, fur)
    pen.ellipse((0, y), (wide, 0.75), fur)
    if head.ear == "hanging":
        for side in (-1, 1):
            pen.ellipse((side * wide * 0.95, y - 0.1), (0.25, 0.6), dark)
    _pattern(pen, rng, (0, y + 0.4), (0.4, 0.25), fur)
    muzzle = 0.3 + 0.25 * head.snout
    pen.ellipse((0, y - 0.3), (muzzle, muzzle * 0.85), colors.mix(fur, (240, 232, 220), 0.4))
    pen.ellipse((0, y - 0.15), (0.1 + 0.12 * head.snout, 0.08 + 0.07 * head.snout), (40, 30, 32))
    iris = colors.pick(rng, [(150, 170, 60), (90, 60, 36), (90, 140, 170)])
    for side in (-1, 1):
        pen.ellipse((side * 0.36, y + 0.15), (0.14, 0.13), iris)
        pen.ellipse((side * 0.36, y + 0.15), (0.06, 0.11), (16, 16, 16))
        if head.ear == "pointed" and head.snout < 0.5:
            pen.line([(side * 0.2, y - 0.25), (side * 1.0, y - 0.2)], 0.025, (235, 235, 235))


def _pointed_ear(pen: Pen, at: tuple[float, float], size: float, fur: Color) -> None:
    x, y = at
    pen.polygon([(x - size * 0.3, y - 0.05), (x + size * 0.3, y - 0.05), (x, y + size * 0.7)], fur)
    pen.polygon([(x - size * 0.14, y), (x + size * 0.14, y), (x, y + size * 0.45)],
                colors.mix(fur, (190, 120, 110), 0.5))  # fmt: skip


def _tail(pen: Pen, rng: np.random.Generator, root: tuple[float, float],
          tail: tuple[float, float], fur: Color) -> None:  # fmt: skip
    width, length = tail
    lift = rng.uniform(-0.3, 1.2)
    steps = np.linspace(0, 1, 7)
    angle = np.pi - lift * steps * 1.3
    points = np.cumsum(np.stack([np.cos(angle), np.sin(angle)], -1) * length / 7, axis=0) + root
    pen.line([root, *points], width * 1.6, colors.shade(fur, 0.9))


def _pattern(pen: Pen, rng: np.random.Generator, at: tuple[float, float],
             radii: tuple[float, float], fur: Color) -> None:  # fmt: skip
    kind = int(rng.integers(3))
    if kind == 0:
        for x in np.linspace(-0.8, 0.8, 5):
            pen.line([(at[0] + x * radii[0], at[1] - radii[1] * 0.3),
                      (at[0] + x * radii[0] * 0.9, at[1] + radii[1])], 0.06,
                     colors.shade(fur, 0.6))  # fmt: skip
    elif kind == 1:
        patch = colors.pick(rng, _FUR)
        for _ in range(2):
            center = rng.uniform(-0.6, 0.6, 2) * radii + at
            pen.ellipse(tuple(center), tuple(np.multiply(radii, rng.uniform(0.2, 0.45, 2))), patch)
