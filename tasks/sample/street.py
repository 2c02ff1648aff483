"""A street by day, seen from a driving camera, with the 19 Cityscapes train classes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tasks.sample import texture
from tasks.sample.camera import Camera
from tasks.sample.canvas import SUPERSAMPLING, Canvas
from tasks.sample.classes import TrainId
from tasks.sample.seeds import generator
from tasks.sample.street_furniture import Lamp
from tasks.sample.street_ground import (
    ground_depth,
    paint_ground,
    paint_junction,
    paint_sky,
    random_road,
)  # fmt: skip
from tasks.sample.street_sides import blocks, paint_block, paint_horizon
from tasks.sample.street_traffic import populate

HEIGHT, WIDTH = 256, 512

RARE = ("tram", "wall", "truck", "fence", "bus", "motorcycle")
"""Scene i is given RARE[i % 6], so that no set goes without a class."""


@dataclass(frozen=True)
class Street:
    """One scene and what its night version needs.

    Attributes:
        day: sRGB image, (H, W, 3) uint8.
        label: train ids 0..18 and 255, (H, W) uint8.
        depth: distance along the road in metres, (H, W) float32; the sky has `canvas.FAR`.
        glow: light that lamps and lit windows send to the camera by night, (H, W, 3) uint8;
            0 is none, 255 a bare lamp.
        lamps: what lights the scene by night.
        camera: where the scene is seen from; its pixels are canvas pixels (2 × the image's).
    """

    day: np.ndarray
    label: np.ndarray
    depth: np.ndarray
    glow: np.ndarray
    lamps: list[Lamp] = field(repr=False)
    camera: Camera


def street(seed: int, split: str, index: int, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Street:
    """Render scene `index` of `split`; the same arguments always give the same scene.

    `size` is (H, W) in pixels, both even.
    """
    rng = generator(seed, split, index)
    wanted = RARE[index % len(RARE)]
    camera = _random_camera(rng, size)
    canvas = Canvas.blank(*size, TrainId.SKY)
    lamps = _paint(canvas, camera, rng, wanted)
    _paint_bonnet(canvas, rng)
    label, depth = canvas.label_out(), canvas.depth_out()
    ground = texture.ground_noise(camera, size, SUPERSAMPLING, rng)
    image = texture.grain(canvas.image_out().astype(np.float32), label, ground, rng)
    day = texture.weather(texture.haze(image, depth, rng), rng)
    return Street(day, label, depth, canvas.glow_out(), lamps, camera)


def _random_camera(rng: np.random.Generator, size: tuple[int, int]) -> Camera:
    height, width = (side * SUPERSAMPLING for side in size)
    return Camera(
        focal=width * rng.uniform(0.75, 1.05),
        height=rng.uniform(1.2, 1.8),
        u0=width * rng.uniform(0.42, 0.58),
        v0=height * rng.uniform(0.42, 0.54),
    )


def _paint(canvas: Canvas, camera: Camera, rng: np.random.Generator, wanted: str) -> list[Lamp]:
    road = random_road(rng, with_tram=wanted == "tram" or bool(rng.random() < 0.1))
    paint_sky(canvas, camera, rng)
    ground_depth(canvas, camera)
    paint_horizon(canvas, camera, rng)
    paint_ground(canvas, camera, rng, road)
    gap = None
    if rng.random() < 0.35:
        start = rng.uniform(14, 45)
        gap = (start, start + rng.uniform(8, 12))
        paint_junction(canvas, camera, gap, (94, 94, 96))
    _paint_sides(canvas, camera, rng, road.fronts, gap, wanted)
    return populate(canvas, camera, rng, road, wanted)


def _paint_sides(canvas: Canvas, camera: Camera, rng: np.random.Generator,
                 fronts: tuple[float, float], gap: tuple[float, float] | None,
                 wanted: str) -> None:  # fmt: skip
    kind = wanted if wanted in ("wall", "fence") else None
    favoured = int(rng.integers(2))
    both = [(x, block) for side, x in enumerate(fronts)
            for block in blocks(rng, gap, kind if side == favoured else None)]  # fmt: skip
    for x, block in sorted(both, key=lambda item: -item[1][1]):
        paint_block(canvas, camera, rng, x, block)


def _paint_bonnet(canvas: Canvas, rng: np.random.Generator) -> None:
    if rng.random() < 0.3:
        return
    height, width = canvas.label.shape
    rise = height * rng.uniform(0.03, 0.1)
    x = np.linspace(0, width, 24)
    arch = height - rise * (1 - 0.6 * ((x - width / 2) / (width / 2)) ** 2)
    corners = np.stack([np.r_[x, width, 0], np.r_[arch, height + 2, height + 2]], axis=-1)
    paint = tuple(rng.uniform(30, 120) * np.array([1.0, 1.0, 1.05]))
    canvas.fill([corners], paint, train_id=TrainId.VOID, depth=2.0)
