"""The light of a street by night: what lamps throw on the scene and what they send to the camera.

Units as in `darken`: illumination in units of the ambient light, emission in full wells.
"""

from __future__ import annotations

import cv2
import numpy as np

from tasks.sample.canvas import FAR, SUPERSAMPLING
from tasks.sample.street import Street
from tasks.sample.street_furniture import Lamp

SKY = (0.10, 0.12, 0.20)
"""Light of the night sky as a share of what the ambient light would make of the day's sky."""

GLOW = 1.3
"""Emission of a bare lamp (glow 255) in full wells: it saturates."""

HEADLIGHT_POWER = 500.0
"""Light of the camera's own car in the middle of the beam, ambient units at one metre."""

_COARSE = 4  # lamps' light is smooth: it is computed on every fourth pixel


def illumination(street: Street) -> np.ndarray:
    """Return ambient light plus that of all lamps and of the own headlights, (H, W, 3) float32."""
    height, width = street.depth.shape
    depth = cv2.resize(street.depth, (width // _COARSE, height // _COARSE),
                       interpolation=cv2.INTER_NEAREST)  # fmt: skip
    x, y = street.camera.world(depth, SUPERSAMPLING * _COARSE)
    light = np.ones((*depth.shape, 3), np.float32)
    for lamp in street.lamps:
        light += _from_lamp(lamp, x, y, depth)[..., None] * np.asarray(lamp.color, np.float32)
    light += _own_headlights(x, y, depth, street.camera.height)[..., None]
    light[depth >= FAR] = SKY
    smooth = cv2.GaussianBlur(light, (0, 0), 0.8)
    field = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    # The sky's edge against roofs is sharp, so it is set again at full size.
    field[street.depth >= FAR] = SKY
    return field


def _from_lamp(lamp: Lamp, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    distance = (x - lamp.at[0]) ** 2 + (y - lamp.at[1]) ** 2 + (z - lamp.at[2]) ** 2
    # Street lamps are shaded above: little of their light goes up.
    down = np.clip((lamp.at[1] + 0.5 - y) / 1.5, 0.05, 1) if lamp.at[1] > 4 else 1.0
    return np.float32(lamp.power) * down / (distance + 1.5)


def _own_headlights(x: np.ndarray, y: np.ndarray, z: np.ndarray, height: float) -> np.ndarray:
    sideways, upwards = x / z, (y - 0.65) / z
    # A dipped beam: wide, and cut off a little above the horizontal.
    cut = 1 / (1 + np.exp(np.clip((upwards - 0.01) / 0.02, -30, 30)))
    beam = np.exp(-((sideways / 0.38) ** 2)) * cut
    return np.float32(HEADLIGHT_POWER) * beam.astype(np.float32) / (z + 4) ** 2


def emission(street: Street) -> np.ndarray:
    """Return the direct light of lamps and windows with its bloom, (H, W, 3) float32."""
    direct = (street.glow.astype(np.float32) / 255) ** 2 * np.float32(GLOW)
    small = cv2.resize(direct, None, fx=1 / _COARSE, fy=1 / _COARSE, interpolation=cv2.INTER_AREA)
    height, width = direct.shape[:2]
    wide = cv2.GaussianBlur(small, (0, 0), 5.0)
    near = cv2.GaussianBlur(small, (0, 0), 1.2)
    veil = cv2.resize(0.25 * near + 0.15 * wide, (width, height), interpolation=cv2.INTER_LINEAR)
    return direct + veil
