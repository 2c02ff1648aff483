"""The convolution of small maps against conv2d."""

import pytest
import torch
import torch.nn.functional as F

from enhancers.lfpv.convolution import convolve, transforms

CPU = torch.device("cpu")


def both(size, taps, dtype):
    """convolve and conv2d of the same maps, N×D×k×k."""
    torch.manual_seed(size)
    maps = torch.randn(5, 6, size, size, dtype=torch.float64)
    weight = torch.randn(taps, 6, 7, dtype=torch.float64)
    side = 3 if taps == 9 else 1
    kernel = weight.permute(2, 1, 0).unflatten(2, (side, side))
    expected = F.conv2d(maps.to(dtype), kernel.to(dtype), padding=side // 2)
    got = convolve(maps.flatten(2).permute(2, 0, 1).to(dtype), weight.to(dtype))
    return got.permute(1, 2, 0).unflatten(2, (size, size)), expected


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("taps", [1, 9])
def test_equals_conv2d(size, taps):
    got, expected = both(size, taps, torch.float64)
    assert torch.allclose(got, expected, rtol=0, atol=1e-12)


def test_is_as_exact_as_conv2d_in_float32():
    _, exact = both(4, 9, torch.float64)
    got, direct = both(4, 9, torch.float32)
    assert (got - exact).abs().max() < 2 * (direct - exact).abs().max()


def test_products_of_a_4x4_map():
    assert len(transforms(4, torch.float32, CPU).maps) == 37


def test_gradient():
    maps = torch.randn(16, 2, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(9, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(convolve, (maps, weight))


def test_first_used_at_inference_it_still_trains():
    transforms.cache_clear()
    maps, weight = torch.randn(16, 2, 3), torch.randn(9, 3, 2, requires_grad=True)
    with torch.inference_mode():
        convolve(maps, weight)
    convolve(maps, weight).sum().backward()
    assert weight.grad.any()
