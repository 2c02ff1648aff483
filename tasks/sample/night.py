"""Night versions of day renderings: dark, warm, noisy, lit by lamps.

The ranges are chosen so that a night image has a mean level of about 10 to 35 of 255: dark and
noisy for an evaluator of day images, but with its content still there for an enhancer.
"""

from __future__ import annotations

import cv2
import numpy as np

from tasks.darken import darken
from tasks.sample.light import emission, illumination
from tasks.sample.seeds import generator
from tasks.sample.street import Street

STREET_EXPOSURE = (0.003, 0.009)
"""Range of the ambient light of a street at night, as a share of the day's (log-uniform)."""

OBJECT_EXPOSURE = (0.02, 0.09)
"""The same for single objects, which no lamps of their own light up."""

FULL_WELL = (2500.0, 8000.0)
"""Range of the full well in electrons at the night's ISO (log-uniform); sets the shot noise."""

READ_ELECTRONS = 3.0
"""Read noise in electrons."""


def night_street(street: Street, seed: int, split: str, index: int) -> np.ndarray:
    """Return the night version of scene `index` of `split`, (H, W, 3) uint8."""
    rng = generator(seed, split + "/night", index)
    return darken(
        street.day,
        exposure=_log_uniform(rng, STREET_EXPOSURE),
        illumination=illumination(street),
        emission=emission(street),
        **_sensor(rng),
    )


def night_object(day: np.ndarray, seed: int, split: str, index: int) -> np.ndarray:
    """Return the night version of an object image (H, W, 3) uint8, lit unevenly from one side."""
    rng = generator(seed, split + "/night", index)
    return darken(
        day,
        exposure=_log_uniform(rng, OBJECT_EXPOSURE),
        illumination=_side_light(rng, day.shape[:2]),
        **_sensor(rng),
    )


def _sensor(rng: np.random.Generator) -> dict:
    well = _log_uniform(rng, FULL_WELL)
    warm = rng.uniform(0, 1)
    cast = (1 + 0.25 * warm, 1 - 0.05 * warm, 1 - 0.45 * warm)
    return {
        "rng": rng,
        "color_cast": cast,
        "shot_noise": 1 / well,
        "read_noise": READ_ELECTRONS / well,
    }


def _side_light(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    # Light at the four corners, interpolated: a lamp somewhere outside the picture.
    corners = rng.uniform(0.4, 1.6, (2, 2)).astype(np.float32)
    return cv2.resize(corners, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _log_uniform(rng: np.random.Generator, span: tuple[float, float]) -> float:
    return float(np.exp(rng.uniform(np.log(span[0]), np.log(span[1]))))
