"""The contract, for every enhancer there is."""

import pytest
import torch

from enhancers import EnhancerError
from enhancers.baselines import CLAHE, Gamma, Identity
from enhancers.lfpv import LFPVEnhancer
from enhancers.sci import SCI
from enhancers.zerodcepp import ZeroDCEpp


def with_lfpv(network):
    model = LFPVEnhancer(network.encode, network.decode, network.feature_channels)
    model.training_paths(torch.rand(2, 3, 32, 32))
    return model


ALL = {
    "identity": Identity,
    "gamma": lambda: Gamma(0.6),
    "clahe": CLAHE,
    "sci": SCI,
    "zerodcepp-1": lambda: ZeroDCEpp(1),
    "zerodcepp-12": lambda: ZeroDCEpp(12),
    "sci+lfpv": lambda: with_lfpv(SCI()),
    "zerodcepp-1+lfpv": lambda: with_lfpv(ZeroDCEpp(1)),
    "zerodcepp-12+lfpv": lambda: with_lfpv(ZeroDCEpp(12)),
}


@pytest.mark.parametrize("size", [(17, 16), (97, 113)])
@pytest.mark.parametrize("name", ALL)
@torch.no_grad()
def test_same_shape_and_range_at_any_size(name, size):
    torch.manual_seed(0)
    enhancer = ALL[name]().eval()
    image = torch.rand(2, 3, *size)
    image[0, :, :8] = 0.0
    image[1, :, :8] = 1.0
    out = enhancer(image)
    assert out.shape == image.shape
    assert out.dtype == torch.float32
    assert out.min() >= 0
    assert out.max() <= 1


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 1, 32, 32), (1, 3, 15, 32), (1, 3, 32, 15)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(EnhancerError, match=str(shape[-1])):
        Identity()(torch.rand(shape))


@pytest.mark.parametrize("network", [SCI(), ZeroDCEpp(1), ZeroDCEpp(12)])
def test_feature_channels_tell_the_feature(network):
    feature, _ = network.encode(torch.rand(1, 3, 24, 24))
    assert feature.shape[1] == network.feature_channels


def test_own_weights_of_another_network_are_refused():
    with pytest.raises(EnhancerError, match=r"SCI.*missing in_conv.*unexpected e_conv1"):
        SCI().load_state_dict(ZeroDCEpp().state_dict())
