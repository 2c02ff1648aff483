"""Augmentation of labelled images: what it is, and the one place that draws it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2
from torchvision.tv_tensors import Mask

from tasks.cityscapes import VOID
from tasks.errors import TaskError
from tasks.resize import resize_label

IMAGENET_MEAN = (124, 116, 104)
"""What an image is padded with: zero for a network that subtracts ImageNet's mean."""


@dataclass(frozen=True)
class LabelledAugmentation:
    """What happens to an image, and alike to its label map if it has one, in this order.

    Images go through Pillow, as in the published recipes; labels are resized by nearest neighbour.

    Attributes:
        resize: (H, W) of all images; None keeps their size.
        filter: of `resize`, antialiased.
        scale: range of a uniform factor on both sides (bilinear).
        crop: (H, W) of a window, uniform over all places; None keeps the whole image. What
            `scale` made smaller is padded, with ImageNet's mean colour and void.
        flip: mirror, with probability ½; off where a mirrored object is another class.
        brightness, contrast, saturation, hue: torchvision's ColorJitter.
        rotation: by up to as many degrees either way (bicubic), black and void outside.
    """

    resize: tuple[int, int] | None = None
    filter: Literal["lanczos", "bilinear"] = "bilinear"
    scale: tuple[float, float] | None = None
    crop: tuple[int, int] | None = None
    flip: bool = True
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    rotation: float = 0.0

    def __post_init__(self) -> None:
        sides = [side for size in (self.resize, self.crop) if size for side in size]
        if min(sides, default=1) < 1:
            raise TaskError("resize and crop are at least 1 pixel")
        if self.scale and not 0 < self.scale[0] <= self.scale[1]:
            raise TaskError("scale is a range of factors above 0, the smaller one first")
        if min(self.brightness, self.contrast, self.saturation, self.rotation) < 0:
            raise TaskError("brightness, contrast, saturation and rotation are not negative")
        if not 0 <= self.hue <= 0.5:
            raise TaskError("hue is from 0 to 0.5")

    def transform(self) -> v2.Compose:
        """Of a Pillow image of the size that `resized` gives, or of it and its Mask."""
        parts: list[v2.Transform] = []
        if self.scale:
            parts.append(_Scale(self.scale))
        if self.crop:
            parts.append(
                v2.RandomCrop(
                    self.crop,
                    pad_if_needed=self.scale is not None,
                    fill={Mask: VOID, "others": IMAGENET_MEAN},
                )
            )
        if self.flip:
            parts.append(v2.RandomHorizontalFlip())
        if self.brightness or self.contrast or self.saturation or self.hue:
            parts.append(v2.ColorJitter(self.brightness, self.contrast, self.saturation, self.hue))
        if self.rotation:
            fill = {Mask: VOID, "others": 0}
            parts.append(v2.RandomRotation(self.rotation, v2.InterpolationMode.BICUBIC, fill=fill))
        return v2.Compose(parts or [v2.Identity()])

    def resized(self, image: np.ndarray, label: Tensor) -> tuple[Image.Image, Tensor]:
        """H×W×3 uint8 and its H×W label map, or a class index, in the size of `resize`.

        Raises:
            TaskError: the image is smaller than the crop.
        """
        picture = Image.fromarray(image)
        if self.resize:
            height, width = self.resize
            filter = Image.Resampling[self.filter.upper()]
            picture = picture.resize((width, height), filter)
            label = resize_label(label, self.resize) if label.ndim else label
        width, height = picture.size
        if self.crop and (height < self.crop[0] or width < self.crop[1]):
            wanted = f"{self.crop[1]}x{self.crop[0]}"
            raise TaskError(f"is {width}x{height}, smaller than the crop {wanted}")
        return picture, label


class _Scale(v2.Transform):
    """Both sides by one factor; torchvision's own would shift labels by up to half a pixel."""

    def __init__(self, factors: tuple[float, float]) -> None:
        super().__init__()
        self.factors = factors

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        factor = torch.empty(()).uniform_(*self.factors).item()
        width, height = flat_inputs[0].size
        return {"size": (max(1, round(height * factor)), max(1, round(width * factor)))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        size = params["size"]
        if isinstance(inpt, Mask):
            return Mask(resize_label(inpt, size))
        return v2.functional.resize(inpt, list(size))
