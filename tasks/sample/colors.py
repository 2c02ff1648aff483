"""Day colours (sRGB 0..255) and the small changes that make each one differ."""

from __future__ import annotations

import numpy as np

from tasks.sample.canvas import Color

CARS = [(165, 28, 30), (28, 55, 120), (205, 207, 210), (40, 42, 46), (120, 124, 128),
        (230, 230, 226), (35, 90, 60), (190, 150, 60), (75, 100, 130)]  # fmt: skip
FACADES = [(176, 152, 124), (150, 92, 74), (196, 186, 168), (142, 146, 152), (206, 178, 120),
           (120, 96, 84), (178, 128, 104), (160, 168, 150)]  # fmt: skip
CLOTHES = [(150, 40, 45), (40, 60, 120), (50, 50, 55), (200, 190, 170), (60, 110, 80),
           (210, 160, 60), (120, 80, 130), (90, 120, 160)]  # fmt: skip
TROUSERS = [(40, 45, 70), (55, 50, 48), (90, 84, 76), (30, 30, 34), (110, 100, 90)]
SKIN = [(224, 184, 156), (198, 148, 118), (142, 98, 74), (96, 66, 52)]
LEAVES = [(62, 98, 44), (84, 116, 52), (50, 84, 50), (110, 118, 48), (128, 104, 44)]
SIGNS = [(30, 80, 170), (235, 235, 235), (230, 190, 40), (190, 30, 35)]
TRAMS = [(200, 35, 40), (30, 110, 170), (225, 190, 40), (40, 130, 80)]
BUSES = [(215, 170, 40), (30, 120, 90), (190, 50, 45), (60, 90, 160), (225, 225, 220)]
TRUCKS = [(225, 225, 222), (70, 110, 160), (180, 60, 40), (150, 150, 140), (60, 120, 80)]

GLASS = (58, 68, 80)
TYRE = (28, 28, 30)
METAL = (104, 108, 112)
HEADLIGHT = (255, 246, 220)
TAILLIGHT = (255, 24, 12)


def pick(rng: np.random.Generator, palette: list[Color], spread: float = 16) -> Color:
    """Choose a colour of the palette and move it by up to `spread` levels in each channel."""
    return jitter(rng, palette[int(rng.integers(len(palette)))], spread)


def jitter(rng: np.random.Generator, color: Color, spread: float) -> Color:
    """Move each channel of a colour by up to `spread` levels."""
    moved = np.asarray(color) + rng.uniform(-spread, spread, 3)
    return tuple(float(c) for c in np.clip(moved, 0, 255))


def shade(color: Color, gain: float) -> Color:
    """Make a colour lighter (gain > 1) or darker."""
    return tuple(min(255.0, c * gain) for c in color)


def mix(first: Color, second: Color, share: float) -> Color:
    """Return the colour `share` (0..1) of the way from first to second."""
    return tuple(a + (b - a) * share for a, b in zip(first, second, strict=True))
