"""Full-reference image quality as pure functions of two images."""

import math
from collections.abc import Mapping

import numpy as np
import skimage  # loads its parts when they are first used
from torch import Tensor, nn

from tasks.models import load_strict

# Below it nothing is left after AlexNet's strides.
LPIPS_SMALLEST_SIDE = 31
LUMA = (0.299, 0.587, 0.114)


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """10·log10(1 / MSE) over all pixels and channels, in dB.

    Args:
        image, truth: (H, W, 3) float64 in [0, 1].

    Returns:
        Identical images, whose PSNR is infinite, count as one value that is off by 1/255.
    """
    smallest = 1 / (255**2 * truth.size)
    return -10 * math.log10(max(skimage.metrics.mean_squared_error(truth, image), smallest))


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """SSIM of RGB with scikit-image's defaults: uniform 7×7 window, sample covariance.

    Args:
        image, truth: (H, W, 3) float64 in [0, 1].
    """
    return float(
        skimage.metrics.structural_similarity(truth, image, data_range=1.0, channel_axis=-1)
    )


def ssim_gauss(image: np.ndarray, truth: np.ndarray) -> float:
    """SSIM of RGB as in its paper (Wang et al., TIP 2004): Gaussian 11×11 window, σ = 1.5.

    Args:
        image, truth: (H, W, 3) float64 in [0, 1].
    """
    return float(
        skimage.metrics.structural_similarity(
            truth,
            image,
            data_range=1.0,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


class LPIPS(nn.Module):
    """LPIPS v0.1 on AlexNet (Zhang et al., CVPR 2018), torchmetrics' implementation and heads.

    `alexnet` holds torchvision's keys `features.N.weight` and `features.N.bias`; others are not
    looked at. TaskError where they do not fit.
    """

    def __init__(self, alexnet: Mapping[str, Tensor], file: str) -> None:
        super().__init__()
        from torchmetrics.functional.image.lpips import _LPIPS  # takes seconds to import

        # The public class downloads its backbone when it is made, without a checked hash.
        self.network = _LPIPS(pretrained=True, net="alex", pnet_rand=True)
        wanted = self.network.net.state_dict()
        features = {f"features.{key.partition('.')[2]}": key for key in wanted}
        given = {features[key]: value for key, value in alexnet.items() if key in features}
        load_strict(self.network.net, given, file, "AlexNet")
        self.requires_grad_(False)

    def forward(self, image: Tensor, truth: Tensor) -> Tensor:
        """(B, 3, H, W) float32 in [0, 1] twice → (B,); 0 is equal, less is better.

        Both sides need at least 31 pixels.
        """
        return self.network(image, truth, normalize=True).flatten(1).mean(1)


def matched_brightness(image: Tensor, truth: Tensor) -> Tensor:
    """Scale each image to the mean grey level of its truth, clamped to [0, 1].

    The correction with the ground truth's mean that some published tables apply ("GT mean").

    Args:
        image, truth: (B, 3, H, W) float32 in [0, 1].
    """
    weights = image.new_tensor(LUMA).view(1, 3, 1, 1)
    ratio = [(weights * one).sum(1).mean((1, 2)) for one in (truth, image)]
    return (image * (ratio[0] / ratio[1].clamp_min(1e-6)).view(-1, 1, 1, 1)).clamp(0, 1)
