"""The contract, for every enhancer there is."""

import re
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import is_tensor

from enhancers import EnhancerError
from enhancers.base import Round, decode_rounds
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


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_mixed_precision_gives_single_precision_images(name):
    torch.manual_seed(0)
    network, image = NETWORKS[name]().eval(), torch.rand(1, 3, 24, 32)
    with torch.autocast("cpu", torch.bfloat16):
        out = network(image)
    assert out.dtype == torch.float32
    # The types inside differ, or nothing was mixed.
    assert not torch.equal(out, network(image))
    assert (out - network(image)).abs().mean() < 0.02


@pytest.mark.parametrize("name", ALL)
@torch.no_grad()
def test_double_precision_stays_as_it_is(name):
    enhancer = ALL[name]().eval().double()
    image = torch.rand(1, 3, 24, 32, dtype=torch.float64)
    assert enhancer(image).dtype == torch.float64


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((3, 32, 32), "B×3×H×W, this one is (3, 32, 32)"),
        ((1, 1, 32, 32), "B×3×H×W, this one is (1, 1, 32, 32)"),
        ((1, 3, 200, 15), "16 pixels a side, this one is 15x200"),
        ((1, 3, 15, 200), "16 pixels a side, this one is 200x15"),
    ],
)
def test_other_shapes_are_refused(shape, said):
    with pytest.raises(EnhancerError, match=re.escape(said)):
        Identity()(torch.rand(shape))


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (torch.zeros(1, 3, 16, 16, dtype=torch.uint8), "this one is uint8; divide by 255"),
        (torch.zeros(1, 3, 16, 16, dtype=torch.int64), "this one is int64$"),
        (np.zeros((16, 16, 3)), "this one is ndarray$"),
    ],
)
@pytest.mark.parametrize("name", ALL)
def test_only_floats_are_images(name, image, said):
    with pytest.raises(EnhancerError, match=said):
        ALL[name]()(image)


@pytest.mark.parametrize("given", [torch.float64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_another_type_than_the_weights_is_refused(name, given):
    image = torch.zeros(1, 3, 16, 16, dtype=given)
    said = f"computes in float32, this image is {str(given)[6:]}"
    with pytest.raises(EnhancerError, match=said):
        NETWORKS[name]()(image)
    with pytest.raises(EnhancerError, match=said):
        with_lfpv(NETWORKS[name]())(image)


class Failing(SCI):
    def enhance(self, image):
        raise RuntimeError("out of memory")


class Halving(SCI):
    """Converts for itself."""

    def enhance(self, image):
        return super().enhance(image.to(self.in_conv[0].weight))


@torch.no_grad()
def test_other_failures_are_not_explained_by_the_type():
    with pytest.raises(RuntimeError, match="out of memory"):
        Failing()(torch.rand(1, 3, 16, 16))


@torch.no_grad()
def test_an_enhancer_may_convert_for_itself():
    assert Halving().bfloat16()(torch.rand(1, 3, 16, 16)).dtype == torch.float32


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
    if isinstance(first, Round):
        first, other = first.encode(), other.encode()
    changed = [not torch.equal(a, b) for a, b in zip(first, other, strict=True) if is_tensor(a)]
    assert any(changed)
    assert torch.equal(decode_rounds((feature, context), network.decode).image, network(image))


@torch.no_grad()
def test_a_round_is_made_when_the_last_one_is_let_go():
    made, kept = [], []

    def encode():
        kept.append(sum(one() is not None for one in made))
        feature = torch.zeros(1)
        made.append(weakref.ref(feature))
        return feature, len(made)

    def decode(feature, context):
        return Round(encode) if context < 3 else SimpleNamespace(image=context)

    # Not within an assert, which pytest rewrites so that it holds the argument.
    output = decode_rounds(encode(), decode)
    assert output.image == 3
    assert kept == [0, 0, 0]


@pytest.mark.parametrize(
    ("encoded", "decode", "message"),
    [
        (torch.zeros(1), None, r"encode must return \(feature, context\), not Tensor"),
        ((1, 2), lambda feature, context: torch.zeros(1), "NamedTuple with `image`, not Tensor"),
    ],
)
def test_parts_that_do_not_fit_are_named(encoded, decode, message):
    with pytest.raises(EnhancerError, match=message):
        decode_rounds(encoded, decode)


def test_own_weights_of_another_network_are_refused():
    with pytest.raises(EnhancerError, match=r"SCI.*missing in_conv.*unexpected e_conv1"):
        SCI().load_state_dict(ZeroDCEpp().state_dict())
