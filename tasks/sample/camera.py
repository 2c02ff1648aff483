"""A pinhole camera above a flat road.

World axes in metres: x to the right of the camera, y up from the road, z ahead of the camera.
Image axes in pixels of the canvas: u to the right, v down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Focal length and vanishing point in canvas pixels, height above the road in metres."""

    focal: float
    height: float
    u0: float
    v0: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project world points (N, 3) with z > 0 to canvas pixels (N, 2), float."""
        points = np.asarray(points, float)
        scale = self.focal / points[:, 2]
        pixels = np.empty((len(points), 2))
        pixels[:, 0] = self.u0 + scale * points[:, 0]
        pixels[:, 1] = self.v0 + scale * (self.height - points[:, 1])
        return pixels

    def upright(self, x: float, panels: list[tuple[float, float, float, float]]) -> np.ndarray:
        """Project panels of an upright plane along the road.

        Args:
            x: where the plane stands, metres.
            panels: (near z, far z, low y, high y) of each, metres.

        Returns:
            (N, 4, 2) pixels: near low, far low, far high, near high.
        """
        ranges = np.asarray(panels, float).reshape(-1, 4)
        points = np.full((len(ranges), 4, 3), x, float)
        points[..., 1] = ranges[:, [2, 2, 3, 3]]
        points[..., 2] = ranges[:, [0, 1, 1, 0]]
        return self.project(points.reshape(-1, 3)).reshape(-1, 4, 2)

    def world(self, depth: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the x and y (H, W, metres) of pixels with `depth` (H, W, metres).

        `step` is the size of one pixel of `depth` in canvas pixels.
        """
        height, width = depth.shape
        u = (np.arange(width, dtype=np.float32) + 0.5) * step
        v = (np.arange(height, dtype=np.float32)[:, None] + 0.5) * step
        return (u - self.u0) * depth / self.focal, self.height - (v - self.v0) * depth / self.focal
