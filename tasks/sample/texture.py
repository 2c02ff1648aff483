"""Grain, haze and weather: what turns flat colours into a picture with detail."""

from __future__ import annotations

import cv2
import numpy as np

from tasks.sample.camera import Camera
from tasks.sample.classes import TrainId

_GRAIN = np.full(256, 0.03, np.float32)
_GRAIN[[TrainId.VEGETATION, TrainId.TERRAIN, TrainId.SKY]] = 0.17, 0.13, 0.008
_GRAIN[[TrainId.BUILDING, TrainId.WALL, TrainId.ROAD, TrainId.SIDEWALK]] = 0.05, 0.11, 0.08, 0.07

_TILE = 256
_TILE_METRES = 6.0


def noise(rng: np.random.Generator, shape: tuple[int, int], octaves: int = 4) -> np.ndarray:
    """Return smooth noise (H, W) float32 with mean about 0 and deviation about 1."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        rows, columns = height >> octave, width >> octave
        grid = rng.standard_normal((max(2, rows), max(2, columns)), np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
    return total / np.float32(np.sqrt(octaves) * 0.75)


def grain(
    image: np.ndarray, label: np.ndarray, ground: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Multiply each class with its own grain.

    Args:
        image: (H, W, 3) float32.
        label: (H, W) uint8 train ids.
        ground: (H, W) float32 grain of the ground, see `ground_noise`.
        rng: source of the grain.

    Returns:
        (H, W, 3) float32.
    """
    lying = np.isin(label, (TrainId.ROAD, TrainId.SIDEWALK, TrainId.TERRAIN))
    texture = np.where(lying, ground, noise(rng, label.shape))
    return image * (1 + _GRAIN[label] * texture)[..., None]


def ground_noise(
    camera: Camera, shape: tuple[int, int], step: float, rng: np.random.Generator
) -> np.ndarray:
    """Return noise that lies on the ground in perspective, (H, W) float32.

    `step` is the size of an output pixel in canvas pixels.
    """
    tile = noise(rng, (_TILE, _TILE), 5)
    to_pixels = _TILE / _TILE_METRES
    v = (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) * step - camera.v0
    z = camera.focal * camera.height / np.maximum(v, 2.0)
    u = (np.arange(shape[1], dtype=np.float32) + 0.5) * step - camera.u0
    x = u * z / camera.focal
    rows = np.broadcast_to(z * to_pixels, shape).astype(np.float32)
    columns = (x * to_pixels).astype(np.float32)
    return cv2.remap(tile, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def haze(image: np.ndarray, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Let far things fade into the air, (H, W, 3) float32; `depth` (H, W) is in metres."""
    reach = rng.uniform(150, 500)
    air = rng.uniform((190, 196, 200), (214, 220, 226)).astype(np.float32)
    # The sky is painted as seen through the air already.
    share = np.where(depth < 500, 1 - np.exp(-depth / np.float32(reach)), 0)[..., None]
    return image + (air - image) * share


def weather(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vary brightness, contrast and white balance; (H, W, 3) float32 → uint8, with faint noise."""
    gain = rng.uniform(0.78, 1.1)
    contrast = rng.uniform(0.8, 1.1)
    tint = rng.uniform(0.96, 1.04, 3).astype(np.float32)
    varied = ((image - 110) * contrast + 110) * gain * tint
    varied += rng.standard_normal(image.shape, np.float32) * np.float32(1.5)
    return np.clip(varied + 0.5, 0, 255).astype(np.uint8)
