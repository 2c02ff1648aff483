"""Enhancers without weights: the rows of a table that a network has to beat."""

import cv2
import numpy as np
import torch
from torch import Tensor

from enhancers.base import Enhancer
from enhancers.errors import EnhancerError
from enhancers.options import require_integer, require_number

# 1/255 becomes 0.95 at the one end, 254/255 becomes 0.68 at the other.
SMALLEST_EXPONENT, LARGEST_EXPONENT = 0.01, 100
# In mean contents of the histogram's 256 bins: 256 of them clip nothing.
SMALLEST_CLIP, LARGEST_CLIP = 0.01, 256
MOST_TILES = 64


class Identity(Enhancer):
    """No enhancement."""

    def enhance(self, image: Tensor) -> Tensor:
        """The image itself, not a copy."""
        return image


class Gamma(Enhancer):
    """image ** exponent; an exponent below 1 brightens. EnhancerError unless in [0.01, 100]."""

    example = "gamma@0.6"

    def __init__(self, exponent: float) -> None:
        super().__init__(exponent=exponent)
        require_number("exponent", exponent, SMALLEST_EXPONENT, LARGEST_EXPONENT)
        self.exponent = exponent

    @classmethod
    def from_parameter(cls, text: str) -> "Gamma":
        """`gamma@0.6`: the text after @ is the exponent; EnhancerError for any other text."""
        try:
            return cls(float(text))
        except ValueError:
            raise EnhancerError(
                f"gamma@{text}: needs a positive number from {SMALLEST_EXPONENT} to "
                f"{LARGEST_EXPONENT}, e.g. gamma@0.6"
            ) from None

    def enhance(self, image: Tensor) -> Tensor:
        """B×3×H×W in [0, 1], same out."""
        return image**self.exponent


class CLAHE(Enhancer):
    """Contrast-limited adaptive histogram equalisation of L in Lab (Zuiderveld 1994; OpenCV).

    Works on 8 bits: the input is rounded to 8 bits first, and the output has 256 levels. Runs on
    the CPU image by image, and passes no gradient. `tiles` are those of a side. EnhancerError
    unless clip_limit is in [0.01, 256] and tiles an integer from 1 to 64.
    """

    def __init__(self, clip_limit: float = 2.0, tiles: int = 8) -> None:
        super().__init__(clip_limit=clip_limit, tiles=tiles)
        require_number("clip_limit", clip_limit, SMALLEST_CLIP, LARGEST_CLIP)
        require_integer("tiles", tiles, 1, MOST_TILES)
        self.clip_limit, self.tiles = clip_limit, tiles

    @torch.no_grad()
    def enhance(self, image: Tensor) -> Tensor:
        """B×3×H×W in [0, 1], same out, in steps of 1/255."""
        levels = (image * 255).round().clamp(0, 255).to("cpu", torch.uint8).permute(0, 2, 3, 1)
        equalised = np.stack([self._equalise(one) for one in levels.numpy()])
        return torch.from_numpy(equalised).permute(0, 3, 1, 2).to(image) / 255

    def _equalise(self, rgb: np.ndarray) -> np.ndarray:
        lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
        equaliser = cv2.createCLAHE(self.clip_limit, (self.tiles, self.tiles))
        lab[..., 0] = equaliser.apply(np.ascontiguousarray(lab[..., 0]))
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
