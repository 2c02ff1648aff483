"""RUAS: Retinex-inspired Unrolling with Cooperative Prior Architecture Search
(Liu et al., CVPR 2021)."""

import re
from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from enhancers.base import EncodeDecode
from enhancers.options import require_flag
from enhancers.states import load_strict
from enhancers.tiles import worthwhile

STAGES = 3
DENOISER_WIDTH, DENOISER_CELLS = 6, 3
DARKEST_ILLUMINATION = 1e-3
LEAK = 0.05
# Two dilated or two plain 3×3 convolutions a cell; before it a window, around the denoiser's two.
STAGE_REACH, DENOISER_REACH = 3, 2 * DENOISER_CELLS + 2


class RUASOutput(NamedTuple):
    """All B×3×H×W: `image` in [0, 1], `illuminations` t_0, t_1, t_2 in [1e-3, 1], `images`
    u_0, u_1, u_2 in [0, 1], and the `noise` n found in u_2, unbounded; None without denoiser."""

    image: Tensor
    illuminations: tuple[Tensor, ...]
    images: tuple[Tensor, ...]
    noise: Tensor | None

    @property
    def denoised(self) -> Tensor | None:
        """u_2 − n, which leaves [0, 1]: the authors' u_3."""
        return None if self.noise is None else self.images[-1] - self.noise


class Context(NamedTuple):
    """`image` B×3×H×W, and the illuminations and images of the stages before the last."""

    image: Tensor
    illuminations: tuple[Tensor, ...]
    images: tuple[Tensor, ...]


class Convolution(nn.Module):
    """Convolution of equal size and width; `residual` adds its input."""

    def __init__(
        self, channels: int, kernel: int, dilation: int = 1, residual: bool = False
    ) -> None:
        super().__init__()
        padding = kernel // 2 * dilation
        self.op = nn.Conv2d(channels, channels, kernel, padding=padding, dilation=dilation)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """B×channels×h×w, same out."""
        return self.op(x) + x if self.residual else self.op(x)


class Cell(nn.Module):
    """Distillation cell, c channels in and out; σ is LeakyReLU(0.05), x_1 the input.

    Three times d_i = σ(D_i(x_i)), x_{i+1} = σ(R_i(x_i) + x_i); then d_4 = σ(D_4(x_4)), and a 1×1
    convolution over the 4c channels of d_1 … d_4. The search chose the seven `operations`
    D_1, R_1, D_2, R_2, D_3, R_3, D_4; where R_i is residual itself, x_i is added twice.
    """

    def __init__(self, channels: int, operations: list[nn.Module]) -> None:
        super().__init__()
        self.c1_d, self.c1_r, self.c2_d, self.c2_r, self.c3_d, self.c3_r, self.c4 = operations
        self.c5 = nn.Conv2d(4 * channels, channels, 1)

    def distil(self, x: Tensor) -> Tensor:
        """d_1 … d_4 joined, B×4c×h×w."""
        kept = []
        for distilled, refined in (
            (self.c1_d, self.c1_r),
            (self.c2_d, self.c2_r),
            (self.c3_d, self.c3_r),
        ):
            kept.append(F.leaky_relu(distilled(x), LEAK))
            x = F.leaky_relu(refined(x) + x, LEAK)
        return torch.cat([*kept, F.leaky_relu(self.c4(x), LEAK)], 1)

    def forward(self, x: Tensor) -> Tensor:
        """B×c×h×w, same out."""
        return self.c5(self.distil(x))


class Denoiser(nn.Module):
    """Noise removal module (NRM): the noise of an image, by three cells of 6 channels (2,277)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, DENOISER_WIDTH, 3, padding=1)
        self.nrms = nn.Sequential(*(_denoiser_cell() for _ in range(DENOISER_CELLS)))
        self.activate = nn.Sequential(nn.Conv2d(DENOISER_WIDTH, 3, 3, padding=1))

    def forward(self, image: Tensor) -> Tensor:
        """B×3×H×W image to its noise, same shape."""
        return self.activate(self.nrms(self.stem(image)))


class RUAS(EncodeDecode):
    """Three stages estimate the illumination t and divide the image y by it; then a denoiser.

    t̂_0 = max2×2(y), t̂_k = max2×2(u_{k−1}) − (u_{k−1} − y)/2; t_k = clamp(sigmoid(cell_k(t̂_k)),
    1e-3, 1), u_k = clamp(y / t_k, 0, 1); max2×2 looks right and down, zero beyond the border. The
    illumination module (IEM) has 1,161 of the 3,438 parameters and 34 % of the work.

    `denoise`: the image is clamp(u_2 − n, 0, 1), as the released `lol` weights are used. Without,
    it is u_2 (`upe`, `dark`) and the denoiser, held for its weights, does not run. n is found in
    u_2 as it stands: the gradient of n ends there, so that each module can be trained alone, and
    the gradient of the image reaches the stages through u_2.

    f_d (12 channels, H×W) is what the last stage's cell joins before its 1×1 convolution. It is
    four maps of three channels and only that convolution and the denoiser decode it: a network
    as thin as this can hold little. EnhancerError unless `denoise` is a flag.
    """

    feature_channels = 12
    bytes_per_pixel = 15

    def __init__(self, denoise: bool = False) -> None:
        super().__init__(denoise=denoise)
        require_flag("denoise", denoise)
        self.denoise = denoise
        self.reach = STAGES * STAGE_REACH + (DENOISER_REACH if denoise else 0)
        self.iems = nn.ModuleList(_illumination_cell() for _ in range(STAGES))
        self.denoise_net = Denoiser()

    def encode(self, image: Tensor) -> tuple[Tensor, Context]:
        """f_d, B×12×H×W, and the context of `image`."""
        illuminations: list[Tensor] = []
        images: list[Tensor] = []
        estimate = _window_maximum(image)
        for cell in self.iems[:-1]:
            illuminations.append(_illumination(cell(estimate)))
            images.append(_divide(image, illuminations[-1]))
            estimate = _window_maximum(images[-1]) - (images[-1] - image) / 2
        return self.iems[-1].distil(estimate), Context(image, tuple(illuminations), tuple(images))

    def decode(self, feature: Tensor, context: Context) -> RUASOutput:
        """The last stage's illumination and image from f_d, and the noise of that image."""
        illumination = _illumination(self.iems[-1].c5(feature))
        image = _divide(context.image, illumination)
        noise = self.denoise_net(image.detach()) if self.denoise else None
        return RUASOutput(
            image if noise is None else (image - noise).clamp(0, 1),
            (*context.illuminations, illumination),
            (*context.images, image),
            noise,
        )

    def load_released(self, state: Mapping[str, Tensor]) -> None:
        """Load lol.pt (made for `denoise=True`), upe.pt or dark.pt."""
        load_strict(self, state, _published_key)

    def load_released_denoiser(self, state: Mapping[str, Tensor]) -> None:
        """Load denoise.pt, the denoiser alone: where the authors start its training from."""
        load_strict(self.denoise_net, state)


def _published_key(key: str) -> str:
    return re.sub(r"^iems\.(\d)\.", r"enhance_net.iems.\1.cell.", key)


def _illumination_cell() -> Cell:
    return Cell(
        3,
        [
            nn.Identity(),
            Convolution(3, 1, residual=True),
            Convolution(3, 3, dilation=2, residual=True),
            Convolution(3, 3),
            Convolution(3, 3),
            nn.Identity(),
            Convolution(3, 3),
        ],
    )


def _denoiser_cell() -> Cell:
    return Cell(
        DENOISER_WIDTH,
        [
            Convolution(DENOISER_WIDTH, 1, residual=True),
            Convolution(DENOISER_WIDTH, 1, residual=True),
            Convolution(DENOISER_WIDTH, 3, dilation=2, residual=True),
            nn.Identity(),
            Convolution(DENOISER_WIDTH, 1, residual=True),
            Convolution(DENOISER_WIDTH, 1, residual=True),
            nn.Identity(),
        ],
    )


def _window_maximum(image: Tensor) -> Tensor:
    if worthwhile(image):
        # A fifth of the pooling's time, which counts where the maxima came from.
        padded = F.pad(image, (0, 1, 0, 1))
        rows = torch.maximum(padded[..., :-1, :], padded[..., 1:, :])
        return torch.maximum(rows[..., :-1], rows[..., 1:])
    return F.max_pool2d(F.pad(image, (0, 1, 0, 1)), 2, stride=1)


def _illumination(logits: Tensor) -> Tensor:
    return logits.sigmoid().clamp(DARKEST_ILLUMINATION, 1)


def _divide(image: Tensor, illumination: Tensor) -> Tensor:
    return (image / illumination).clamp(0, 1)
