"""A pen that draws a flat figure, given in metres, at its place on the canvas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tasks.sample.camera import Camera
from tasks.sample.canvas import FAR, Canvas, Color

_ANGLES = np.arange(20) * (2 * np.pi / 20)
_ROUND = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=-1)


@dataclass(frozen=True)
class Pen:
    """Draws in a figure's own axes: x right, y up, origin where it stands, lengths in metres.

    `matrix` (2, 2) turns metres into canvas pixels, `origin` (2,) is the canvas pixel of (0, 0).
    Every labelled part gets `depth` metres. Colours are RGB 0..255.
    """

    canvas: Canvas
    origin: np.ndarray
    matrix: np.ndarray
    depth: float = FAR

    def to_pixels(self, points: np.ndarray | list) -> np.ndarray:
        """Map figure points (..., 2) to canvas pixels (..., 2)."""
        return np.asarray(points, float) @ self.matrix.T + self.origin

    def polygon(
        self,
        points: np.ndarray | list,
        color: Color,
        train_id: int | None = None,
        glow: Color | None = None,
    ) -> None:
        """Fill a polygon."""
        depth = None if train_id is None else self.depth
        self.canvas.fill([self.to_pixels(points)], color, train_id=train_id, depth=depth, glow=glow)

    def rect(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        color: Color,
        train_id: int | None = None,
        glow: Color | None = None,
    ) -> None:
        """Fill the rectangle x[0]..x[1] by y[0]..y[1]."""
        corners = [(x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1])]
        self.polygon(corners, color, train_id, glow)

    def ellipse(
        self,
        center: tuple[float, float],
        radii: tuple[float, float],
        color: Color,
        train_id: int | None = None,
        glow: Color | None = None,
    ) -> None:
        """Fill an ellipse with its axes along x and y."""
        self.polygon(_ellipse(center, radii), color, train_id, glow)

    def line(
        self, points: np.ndarray | list, width: float, color: Color, train_id: int | None = None
    ) -> None:
        """Draw a line through points with `width` metres."""
        depth = None if train_id is None else self.depth
        pixels = self.to_pixels(points)
        self.canvas.stroke(pixels, width * self.scale, color, train_id=train_id, depth=depth)

    def ring(self, center: tuple[float, float], radius: float, width: float, color: Color) -> None:
        """Draw a circle line as a detail."""
        points = _ellipse(center, (radius, radius))
        self.line(np.concatenate([points, points[:1]]), width, color)

    @property
    def scale(self) -> float:
        """Canvas pixels for one metre (root of the area's scale)."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))


def standing(
    canvas: Canvas, camera: Camera, x: float, z: float, *, mirror: bool = False, y: float = 0.0
) -> Pen:
    """Return the pen for a figure that stands at (x, y, z) and faces the camera."""
    scale = camera.focal / z
    matrix = np.array([[-scale if mirror else scale, 0.0], [0.0, -scale]])
    return Pen(canvas, camera.project([(x, y, z)])[0], matrix, z)


def _ellipse(center: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    return np.asarray(center) + np.asarray(radii) * _ROUND
