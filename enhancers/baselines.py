"""Enhancers without weights: the rows of a table that a network has to beat."""

import cv2
import numpy as np
import torch
from torch import Tensor

from enhancers.base import Enhancer
from enhancers.errors import EnhancerError


class Identity(Enhancer):
    """No enhancement."""

    def enhance(self, image: Tensor) -> Tensor:
        """The image itself, not a copy."""
        return image


class Gamma(Enhancer):
    """image ** exponent; an exponent below 1 brightens. EnhancerError unless exponent > 0."""

    example = "gamma@0.6"

    def __init__(self, exponent: float) -> None:
        super().__init__(exponent=exponent)
        if not 0 < exponent < float("inf"):
            raise EnhancerError(f"gamma needs a positive exponent, not {exponent}")
        self.exponent = exponent

    @classmethod
    def from_parameter(cls, text: str) -> "Gamma":
        """`gamma@0.6`: the text after @ is the exponent; EnhancerError unless it is a number."""
        try:
            return cls(float(text))
        except ValueError:
            raise EnhancerError(f"gamma@{text}: needs a positive number, e.g. gamma@0.6") from None

    def enhance(self, image: Tensor) -> Tensor:
        """B×3×H×W in [0, 1], same out."""
        return image**self.exponent


class CLAHE(Enhancer):
    """Contrast-limited adaptive histogram equalisation of L in Lab (Zuiderveld 1994; OpenCV).

    Works on 8 bits: the input is rounded to 8 bits first, and the output has 256 levels. Runs on
    the CPU image by image, and passes no gradient. EnhancerError for a clip limit or a number of
    tiles that is not positive.
    """

    def __init__(self, clip_limit: float = 2.0, tiles: int = 8) -> None:
        super().__init__(clip_limit=clip_limit, tiles=tiles)
        if clip_limit <= 0 or tiles < 1:
            raise EnhancerError(
                f"CLAHE needs a positive clip_limit and tiles >= 1, not {clip_limit} and {tiles}"
            )
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
