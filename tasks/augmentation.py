"""Augmentation of training images: what it is, and the one place that draws it."""

from dataclasses import dataclass

import numpy as np

from tasks.errors import TaskError


@dataclass(frozen=True)
class Augmentation:
    """What happens to an image, and to its partner alike, in this order.

    TaskError for a crop that the resized image cannot hold.

    Attributes:
        crop: side of a square window, uniform over all places; None keeps the whole image.
        flips: across and down, each with probability ½.
        rotations: by 0, 90, 180 or 270°, equally likely.
        resize: the whole image is first made resize×resize (Lanczos).
    """

    crop: int | None = None
    flips: bool = True
    rotations: bool = False
    resize: int | None = None

    def __post_init__(self) -> None:
        sides = [side for side in (self.crop, self.resize) if side is not None]
        if min(sides, default=1) < 1:
            raise TaskError("crop and resize are at least 1 pixel")
        if len(sides) == 2 and self.crop > self.resize:
            raise TaskError(f"a crop of {self.crop} does not fit into images of {self.resize}")

    def draw(self, rng: np.random.Generator, *images: np.ndarray) -> list[np.ndarray]:
        """The same window, flips and rotation of every image, H×W×3 of one size; views, no copies.

        Every image must be at least as large as the crop.
        """
        height, width = images[0].shape[:2]
        window = flip = np.s_[:, :]
        if self.crop is not None:
            top, left = rng.integers(height - self.crop + 1), rng.integers(width - self.crop + 1)
            window = np.s_[top : top + self.crop, left : left + self.crop]
        if self.flips:
            across, down = rng.integers(2, size=2)
            flip = np.s_[:: -1 if down else 1, :: -1 if across else 1]
        turns = rng.integers(4) if self.rotations else 0
        return [np.rot90(image[window][flip], turns) for image in images]
