"""Standardising the queries: values and gradient of layer_norm, in another layout."""

import pytest
import torch
import torch.nn.functional as F

from enhancers.lfpv.attention import standardise


@pytest.mark.parametrize("channels", [1, 3, 48])
def test_standardise_is_layer_norm_over_the_channels(channels):
    values = torch.randn(2, channels, 4, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn_like(values)
    expected = F.layer_norm(values.movedim(1, -1), [channels], eps=0.01).movedim(-1, 1)
    got = standardise(values, 0.01)
    torch.testing.assert_close(got, expected)
    gradients = (torch.autograd.grad((out * weight).sum(), values)[0] for out in (got, expected))
    torch.testing.assert_close(*gradients)
