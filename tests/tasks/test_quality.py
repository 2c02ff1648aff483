"""Quality metrics against slow implementations written here, and LPIPS against its definition."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchmetrics.functional.image import peak_signal_noise_ratio
from torchvision.models import alexnet

from tasks import quality
from tasks.errors import TaskError


@pytest.fixture
def pair(rng):
    truth = rng.random((24, 20, 3))
    return np.clip(truth + 0.1 * rng.normal(size=truth.shape), 0, 1), truth


def batch(array):
    return torch.from_numpy(array).permute(2, 0, 1)[None]


def slow_ssim(image, truth):
    """The 7×7 uniform window at every position where it fits, sample covariance (N − 1)."""
    values = []
    for channel in range(3):
        for y in range(image.shape[0] - 6):
            for x in range(image.shape[1] - 6):
                a = image[y : y + 7, x : x + 7, channel].ravel()
                b = truth[y : y + 7, x : x + 7, channel].ravel()
                cov = np.cov(a, b)
                values.append(
                    (2 * a.mean() * b.mean() + 0.01**2)
                    * (2 * cov[0, 1] + 0.03**2)
                    / (a.mean() ** 2 + b.mean() ** 2 + 0.01**2)
                    / (cov[0, 0] + cov[1, 1] + 0.03**2)
                )
    return np.mean(values)


def test_psnr_is_torchmetrics(pair):
    expected = peak_signal_noise_ratio(*map(batch, pair), data_range=1.0)
    assert quality.psnr(*pair) == pytest.approx(expected.item(), abs=1e-5)


def test_psnr_of_equal_images_is_that_of_one_value_one_level_off(pair):
    _, truth = pair
    off = truth.copy()
    off[3, 4, 1] += 1 / 255
    assert math.isfinite(quality.psnr(truth, truth))
    assert quality.psnr(truth, truth) == pytest.approx(quality.psnr(off, truth))


def test_ssim_is_the_definition(pair):
    assert quality.ssim(*pair) == pytest.approx(slow_ssim(*pair), abs=1e-9)


def slow_ssim_gauss(image, truth):
    """The 11×11 Gaussian window at every position where it fits."""
    row = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = np.outer(row, row) / row.sum() ** 2
    values = []
    for channel in range(3):
        for y in range(image.shape[0] - 10):
            for x in range(image.shape[1] - 10):
                a, b = (one[y : y + 11, x : x + 11, channel] for one in (image, truth))
                means = (window * a).sum(), (window * b).sum()
                spread = (window * a * a).sum() + (window * b * b).sum()
                both = 2 * (window * a * b).sum()
                square, product = means[0] ** 2 + means[1] ** 2, 2 * means[0] * means[1]
                values.append(
                    (product + 0.01**2)
                    * (both - product + 0.03**2)
                    / (square + 0.01**2)
                    / (spread - square + 0.03**2)
                )
    return np.mean(values)


def test_gaussian_ssim_is_the_definition(pair):
    assert quality.ssim_gauss(*pair) == pytest.approx(slow_ssim_gauss(*pair), abs=1e-9)
    assert quality.ssim_gauss(*pair) != pytest.approx(quality.ssim(*pair), abs=1e-4)


@pytest.fixture
def lpips():
    torch.manual_seed(0)
    network = alexnet(weights=None)
    return quality.LPIPS(network.state_dict(), "x.pth"), network


@torch.no_grad()
def test_lpips_is_its_definition(lpips):
    metric, network = lpips
    torch.manual_seed(1)
    images = torch.rand(2, 3, 64, 72), torch.rand(2, 3, 64, 72)
    shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
    scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
    features = []
    for image in images:
        x, found = (2 * image - 1 - shift) / scale, []
        for layer in network.features:
            x = layer(x)
            if isinstance(layer, torch.nn.ReLU):
                found.append(F.normalize(x, dim=1))
        features.append(found)
    heads = [metric.network.lins[i].model[-1].weight for i in range(5)]
    expected = sum(
        F.conv2d((a - b) ** 2, head).mean((1, 2, 3))
        for a, b, head in zip(*features, heads, strict=True)
    )
    assert torch.allclose(metric(*images), expected, atol=1e-5)
    assert all((head >= 0).all() and head.sum() > 0 for head in heads)
    assert metric(images[0], images[0]).abs().max() < 1e-7


def test_lpips_of_another_network_is_refused():
    with pytest.raises(TaskError, match="x.pth: does not fit AlexNet"):
        quality.LPIPS({"features.0.weight": torch.zeros(1)}, "x.pth")


def test_matched_brightness_has_the_truths_mean_grey():
    torch.manual_seed(0)
    image, truth = 0.2 * torch.rand(2, 3, 9, 9), 0.5 * torch.rand(2, 3, 9, 9)
    matched = quality.matched_brightness(image, truth)
    luma = torch.tensor(quality.LUMA).view(1, 3, 1, 1)
    grey = [(luma * one).sum(1).mean((1, 2)) for one in (matched, truth)]
    assert torch.allclose(*grey, atol=1e-6)
    assert torch.allclose(matched / image, (matched / image)[:, :1, :1, :1].expand_as(image))
    assert (quality.matched_brightness(torch.zeros_like(image), truth) == 0).all()
