"""Bottles, cups and chairs; lengths in metres of no real size, see `objects`."""

from __future__ import annotations

import numpy as np

from tasks.sample import colors
from tasks.sample.canvas import Color
from tasks.sample.pen import Pen

_GLASS = [(40, 96, 56), (110, 66, 34), (150, 190, 200), (60, 110, 170), (200, 206, 200)]
_CHINA = [(236, 232, 224), (180, 60, 54), (60, 100, 150), (90, 130, 90), (220, 170, 70),
          (50, 50, 54)]  # fmt: skip
_WOOD = [(150, 104, 62), (96, 62, 40), (200, 160, 110), (60, 60, 64), (170, 60, 50),
         (220, 218, 210)]  # fmt: skip


def bottle(pen: Pen, rng: np.random.Generator) -> None:
    """A bottle: body, shoulder, neck, cap and perhaps a label."""
    paint = colors.pick(rng, _GLASS)
    half, body = rng.uniform(0.22, 0.42), rng.uniform(0.7, 1.2)
    shoulder, neck = rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.5)
    thin = half * rng.uniform(0.28, 0.5)
    right = [(half, 0), (half, body), (thin, body + shoulder), (thin, body + shoulder + neck)]
    pen.polygon([*right, *[(-x, y) for x, y in reversed(right)]], paint)
    top = body + shoulder + neck
    pen.rect((-thin * 1.15, thin * 1.15), (top - 0.02, top + 0.12), colors.pick(rng, _CHINA))
    if rng.random() < 0.7:
        low, high = sorted(rng.uniform(0.1, 0.9, 2) * body)
        pen.rect((-half, half), (low, max(high, low + 0.25)), colors.pick(rng, _CHINA))
    shine = colors.mix(paint, (255, 255, 255), 0.5)
    pen.line([(-half * 0.6, 0.1), (-half * 0.6, body)], half * 0.16, shine)


def cup(pen: Pen, rng: np.random.Generator) -> None:
    """A mug with a handle, a paper cup with a lid, or a cup on a saucer."""
    paint = colors.pick(rng, _CHINA)
    base, rim = rng.uniform(0.28, 0.5), rng.uniform(0.45, 0.6)
    high, tilt = rng.uniform(0.6, 1.15), rng.uniform(0.08, 0.16)
    kind = int(rng.integers(3))
    if kind == 2:
        pen.ellipse((0, 0.02), (rim * 1.6, tilt * 1.3), colors.shade(paint, 0.85))
    if kind != 1:
        pen.ring((rim * 0.95, high * 0.55), high * rng.uniform(0.22, 0.32), 0.11,
                 colors.shade(paint, 0.85))  # fmt: skip
    pen.ellipse((0, 0.02), (base, tilt * 0.8), colors.shade(paint, 0.8))
    pen.polygon([(-base, 0), (base, 0), (rim, high), (-rim, high)], paint)
    shaded = [(base * 0.4, 0), (base, 0), (rim, high), (rim * 0.5, high)]
    pen.polygon(shaded, colors.shade(paint, 0.82))
    if rng.random() < 0.4:
        band = colors.pick(rng, _CHINA)
        pen.polygon([(-rim * 0.9, high * 0.5), (rim * 0.9, high * 0.5), (rim * 0.95, high * 0.7),
                     (-rim * 0.95, high * 0.7)], band)  # fmt: skip
    if kind == 1:
        pen.rect((-rim * 1.08, rim * 1.08), (high, high + 0.12), colors.pick(rng, _CHINA))
        return
    pen.ellipse((0, high), (rim, tilt), colors.shade(paint, 1.12))
    pen.ellipse((0, high - 0.01), (rim * 0.86, tilt * 0.75), (84, 54, 34))


def chair(pen: Pen, rng: np.random.Generator) -> None:
    """A chair in three-quarter view: seat, back (boards or cushion), legs or a swivel foot."""
    wood, cloth = colors.pick(rng, _WOOD), colors.pick(rng, [*_WOOD, *_CHINA])
    half, deep = rng.uniform(0.42, 0.6), rng.uniform(0.18, 0.34)
    seat, back, lean = rng.uniform(0.5, 0.75), rng.uniform(0.6, 1.0), rng.uniform(-0.1, 0.15)
    shift = rng.uniform(0.1, 0.35)
    if rng.random() < 0.3:
        _swivel(pen, seat, half)
    else:
        _legs(pen, rng, (half, deep, seat, shift), wood)
    _back(pen, rng, (half, deep, seat, shift), (back, lean), (wood, cloth))
    pen.polygon([(-half, seat), (half, seat), (half + shift, seat + deep),
                 (-half + shift, seat + deep)], cloth)  # fmt: skip
    pen.polygon([(-half, seat - 0.1), (half, seat - 0.1), (half, seat), (-half, seat)],
                colors.shade(cloth, 0.7))  # fmt: skip
    if rng.random() < 0.3:
        for x in (-half, half):
            pen.line([(x, seat), (x, seat + 0.3), (x + shift, seat + deep + 0.3)], 0.08, wood)


def _legs(pen: Pen, rng: np.random.Generator, sizes: tuple, wood: Color) -> None:
    half, deep, seat, shift = sizes
    width = rng.uniform(0.05, 0.11)
    for x, y in ((-half + shift, deep), (half + shift, deep), (-half, 0.0), (half, 0.0)):
        gain = 0.7 if y else 1.0
        pen.line([(x, y + seat - 0.05), (x * 1.04, y)], width, colors.shade(wood, gain))


def _swivel(pen: Pen, seat: float, half: float) -> None:
    for x in (-half, -half * 0.4, half * 0.5, half):
        pen.line([(0, 0.25), (x, 0.05)], 0.07, colors.TYRE)
    pen.line([(0, 0.2), (0, seat)], 0.1, colors.METAL)


def _back(pen: Pen, rng: np.random.Generator, sizes: tuple, shape: tuple, paints: tuple) -> None:
    half, deep, seat, shift = sizes
    (high, lean), (wood, cloth) = shape, paints
    low, left, right = seat + deep, -half + shift, half + shift
    top = low + high
    if rng.random() < 0.45:
        pen.polygon([(left, low), (right, low), (right + lean, top), (left + lean, top)],
                    colors.shade(cloth, 0.88))  # fmt: skip
        return
    for x in np.linspace(left, right, int(rng.integers(2, 6))):
        pen.line([(x, low), (x + lean, top)], 0.08, wood)
    for y in (top, low + high * 0.55)[: int(rng.integers(1, 3))]:
        share = (y - low) / high * lean
        pen.line([(left + share, y), (right + share, y)], 0.13, wood)
