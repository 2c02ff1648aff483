"""The contract, for every enhancer there is."""

import pytest
import torch
from torch import is_tensor

from enhancers import EnhancerError
from enhancers.base import decode_rounds
from enhancers.baselines import CLAHE, Gamma, Identity
from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.lfpv import LFPVEnhancer
from enhancers.lfpv.store import Nodes
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp


def with_lfpv(network):
    """With a store of random nodes, as if trained."""
    model = LFPVEnhancer(network.encode, network.decode, network.feature_channels, updaters=False)
    model.store.keep(Nodes(*(torch.randn_like(nodes) for nodes in model.store.nodes)))
    return model


NETWORKS = {
    "enlightengan": EnlightenGAN,
    "lednet": LEDNet,
    "lednet-signed": lambda: LEDNet(signed=True),
    "zerodcepp-1": lambda: ZeroDCEpp(1),
    "zerodcepp-12": lambda: ZeroDCEpp(12),
    "ruas": RUAS,
    "ruas-denoise": lambda: RUAS(denoise=True),
    "sci": SCI,
    "uretinex": URetinex,
}
ALL = {
    "identity": Identity,
    "gamma": lambda: Gamma(0.6),
    "clahe": CLAHE,
    **NETWORKS,
    **{f"{name}+lfpv": lambda make=make: with_lfpv(make()) for name, make in NETWORKS.items()},
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


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_the_split_at_the_feature(name):
    network = NETWORKS[name]().eval()
    image = torch.rand(1, 3, 24, 24)
    feature, context = network.encode(image)
    assert feature.shape[1] == network.feature_channels
    # Encoder and decoder both hold layers, and the output depends on the feature.
    first = network.decode(feature, context)
    other = network.decode(feature + 1, context)
    changed = [not torch.equal(a, b) for a, b in zip(first, other, strict=True) if is_tensor(a)]
    assert any(changed)
    assert torch.equal(decode_rounds((feature, context), network.decode).image, network(image))


def test_own_weights_of_another_network_are_refused():
    with pytest.raises(EnhancerError, match=r"SCI.*missing in_conv.*unexpected e_conv1"):
        SCI().load_state_dict(ZeroDCEpp().state_dict())
