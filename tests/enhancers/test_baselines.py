import numpy as np
import pytest
import torch

from enhancers import EnhancerError
from enhancers.baselines import CLAHE, Gamma, Identity


def test_identity_changes_nothing():
    image = torch.rand(2, 3, 16, 19)
    assert torch.equal(Identity()(image), image)


def test_gamma_is_a_power():
    image = torch.tensor([0.0, 0.25, 1.0]).repeat(1, 3, 16, 6)
    assert torch.allclose(Gamma(0.5)(image), torch.tensor([0.0, 0.5, 1.0]).repeat(1, 3, 16, 6))


@pytest.mark.parametrize("exponent", [0, -1.0, float("inf"), float("nan"), True, "0.6", 10**400])
def test_gamma_needs_a_positive_exponent(exponent):
    with pytest.raises(EnhancerError, match="exponent must be a number from 0.01 to 100, not"):
        Gamma(exponent)


@pytest.mark.parametrize("text", ["dark", "-1", "nan", "101"])
def test_gamma_after_at_needs_a_positive_number(text):
    assert Gamma.from_parameter("0.6").exponent == 0.6
    with pytest.raises(EnhancerError, match=f"gamma@{text}: needs a positive number"):
        Gamma.from_parameter(text)


@pytest.mark.parametrize("exponent", [0.01, 100])
def test_the_strongest_gamma_is_finite(exponent):
    out = Gamma(exponent)(torch.rand(1, 3, 16, 16).round(decimals=1))
    assert out.isfinite().all()


def test_clahe_raises_local_contrast_in_8_bit_steps():
    image = torch.linspace(0.1, 0.13, 64).repeat(1, 3, 64, 1)
    out = CLAHE(clip_limit=8.0)(image)
    assert out.std() > 1.5 * image.std()
    levels = out * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_clahe_keeps_the_hue_and_rgb_order():
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 0.1
    image[:, 0] += 0.4
    means = CLAHE()(image).mean((0, 2, 3))
    assert means[0] > 2 * means[1:].max()


def test_clahe_treats_each_image_alone():
    images = torch.rand(2, 3, 40, 56, generator=torch.Generator().manual_seed(0))
    images[1] *= 0.2
    singles = torch.cat([CLAHE()(one[None]) for one in images])
    assert np.array_equal(CLAHE()(images).numpy(), singles.numpy())


@pytest.mark.parametrize("name", ["clip_limit", "tiles"])
@pytest.mark.parametrize("wrong", [0, -1, True, "8", 1e9, 10**400, None])
def test_clahe_needs_options_in_range(name, wrong):
    with pytest.raises(EnhancerError, match=f"^{name} must be a"):
        CLAHE(**{name: wrong})


def test_tiles_are_counted_whole():
    with pytest.raises(EnhancerError, match="tiles must be a whole number from 1 to 64, not 8.0"):
        CLAHE(tiles=8.0)


def test_the_most_tiles_fit_the_smallest_image():
    image = torch.rand(1, 3, 16, 17)
    assert CLAHE(256, 64)(image).shape == image.shape


def test_options_are_recorded():
    assert Gamma(0.6).options == {"exponent": 0.6}
    assert CLAHE(tiles=4).options == {"clip_limit": 2.0, "tiles": 4}
