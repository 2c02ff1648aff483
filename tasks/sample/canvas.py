"""The painter's canvas: image, label, depth and glow are filled together, far things first.

Everything is painted at twice the size without smoothing; `Canvas.image_out` averages 2×2 pixels
(smooth edges) and the labels are subsampled (hard edges), so both always agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

SUPERSAMPLING = 2
FAR = 1000.0
"""Depth of the sky in metres."""

_SHIFT = 3  # polygon corners at 1/8 pixel

Color = tuple[float, float, float]


@dataclass
class Canvas:
    """Painting buffers, each (2H, 2W): image and glow RGB uint8, label uint8, depth float32 (m)."""

    image: np.ndarray
    label: np.ndarray
    depth: np.ndarray
    glow: np.ndarray

    @staticmethod
    def blank(height: int, width: int, train_id: int) -> Canvas:
        """Return a black canvas for an image of (height, width), all of it labelled `train_id`."""
        shape = (height * SUPERSAMPLING, width * SUPERSAMPLING)
        return Canvas(
            np.zeros((*shape, 3), np.uint8),
            np.full(shape, train_id, np.uint8),
            np.full(shape, FAR, np.float32),
            np.zeros((*shape, 3), np.uint8),
        )

    def fill(
        self,
        polygons: Sequence[np.ndarray] | np.ndarray,
        color: Color | None,
        *,
        train_id: int | None = None,
        depth: float | None = None,
        glow: Color | None = None,
    ) -> None:
        """Fill polygons, each (N, 2) pixels; buffers whose value is None keep their content.

        Only a part with a `train_id` hides the glow behind it. `depth` is in metres.
        """
        whole = isinstance(polygons, np.ndarray)
        corners = list(_fixed_point(polygons) if whole else map(_fixed_point, polygons))
        for buffer, value in self._targets(color, train_id, depth, glow):
            cv2.fillPoly(buffer, corners, value, shift=_SHIFT)

    def stroke(
        self,
        points: np.ndarray,
        thickness: float,
        color: Color | None,
        *,
        train_id: int | None = None,
        depth: float | None = None,
        glow: Color | None = None,
    ) -> None:
        """Draw a line through points (N, 2) with `thickness` pixels (at least one)."""
        corners = [_fixed_point(points)]
        width = max(1, round(thickness))
        for buffer, value in self._targets(color, train_id, depth, glow):
            cv2.polylines(buffer, corners, False, value, width, shift=_SHIFT)

    def _targets(
        self, color: Color | None, train_id: int | None, depth: float | None, glow: Color | None
    ) -> list[tuple[np.ndarray, tuple[float, ...]]]:
        targets = [] if color is None else [(self.image, _bounded(color))]
        if train_id is not None:
            targets.append((self.label, (int(train_id),)))
        if depth is not None:
            targets.append((self.depth, (float(depth),)))
        # A new thing hides the lamps behind it; a detail of a thing leaves them alone.
        if train_id is not None or glow is not None:
            targets.append((self.glow, _bounded(glow or (0, 0, 0))))
        return targets

    def image_out(self) -> np.ndarray:
        """Return the smooth image, (H, W, 3) uint8 RGB."""
        return _halve(self.image)

    def glow_out(self) -> np.ndarray:
        """Return the smooth glow, (H, W, 3) uint8 RGB."""
        return _halve(self.glow)

    def label_out(self) -> np.ndarray:
        """Return the labels, (H, W) uint8."""
        return np.ascontiguousarray(self.label[::SUPERSAMPLING, ::SUPERSAMPLING])

    def depth_out(self) -> np.ndarray:
        """Return the depth, (H, W) float32 metres."""
        return np.ascontiguousarray(self.depth[::SUPERSAMPLING, ::SUPERSAMPLING])


def _fixed_point(points: np.ndarray) -> np.ndarray:
    return (points * (1 << _SHIFT) + 0.5).astype(np.int32)


def _halve(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    size = (width // SUPERSAMPLING, height // SUPERSAMPLING)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _bounded(color: Color) -> tuple[float, ...]:
    return tuple(float(min(255, max(0, c))) for c in color)
