"""Moments of the queries: values and gradient of torch's own, of places and of patches."""

import pytest
import torch

from enhancers.lfpv.attention import Moments, as_patches

PATCH = 2


def moments(values):
    variance, mean = torch.var_mean(values, 1, correction=0, keepdim=True)
    return mean, variance


@pytest.mark.parametrize("channels", [1, 3, 48])
@pytest.mark.parametrize("of_patches", [False, True])
def test_moments_are_those_over_the_channels(channels, of_patches):
    values = torch.randn(2, channels, 4, 6, dtype=torch.float64, requires_grad=True)
    got, asked = Moments.of(values), values
    if of_patches:
        got, asked = got.of_patches(PATCH), as_patches(values, PATCH)
    expected = moments(asked)
    weights = [torch.randn_like(map_) for map_ in expected]
    gradients = []
    for pair in (got, expected):
        torch.testing.assert_close(tuple(pair), expected)
        total = sum((map_ * weight).sum() for map_, weight in zip(pair, weights, strict=True))
        gradients.append(torch.autograd.grad(total, values)[0])
    torch.testing.assert_close(*gradients)
