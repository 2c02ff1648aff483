import json

import pytest
import torch
import torch.nn.functional as F

from enhancers import EnhancerError
from enhancers.lednet import LEDNet
from enhancers.lednet_blocks import Blur, Curve, PyramidPooling, filter_adaptively
from tests.enhancers.synthetic import synthetic_state


@pytest.fixture(scope="module")
def state(shared):
    """Synthetic weights under the released keys."""
    shapes = shared / "reference/outputs/lednet_synthweights/state_dict_shapes.json"
    drawn = synthetic_state(json.loads(shapes.read_text()))
    for key in drawn:
        if key.startswith("conv_fac_") and key.endswith(".6.weight"):
            drawn[key] = drawn[key] * 0.05
    own = LEDNet().state_dict()
    return drawn | {key: value for key, value in own.items() if key.endswith(".filt")}


@pytest.fixture
def released(state):
    def build(**options) -> LEDNet:
        network = LEDNet(**options).eval()
        network.load_released(state)
        return network

    return build


@pytest.mark.shared
@pytest.mark.parametrize(("signed", "name"), [(False, "01"), (True, "m11")])
@pytest.mark.usefixtures("two_threads")
@torch.no_grad()
def test_parity_with_the_released_network(signed, name, released, crop, parity):
    out = released(signed=signed).run(crop)
    raw, side = (2 * out.raw - 1, 2 * out.side - 1) if signed else (out.raw, out.side)
    parity(raw, f"lednet_synthweights/crop_113x97_{name}_out")
    parity(side, f"lednet_synthweights/crop_113x97_{name}_side")
    assert torch.equal(out.image, out.raw.clamp(0, 1))


@pytest.mark.shared
def test_published_keys_and_shapes(shared):
    shapes = shared / "reference/outputs/lednet_synthweights/state_dict_shapes.json"
    own = {key: list(value.shape) for key, value in LEDNet().state_dict().items()}
    assert own == json.loads(shapes.read_text())


@pytest.mark.shared
def test_parameters_of_every_block(shared):
    stats = json.loads((shared / "reference/losses/lednet_stats.json").read_text())
    network = LEDNet()
    for name, expected in stats["params_by_child"].items():
        block = getattr(network, name, None)
        found = sum(parameter.numel() for parameter in block.parameters()) if block else 0
        assert found == expected, name
    assert sum(parameter.numel() for parameter in network.parameters()) == stats["params"]


def test_foreign_weights_are_refused():
    with pytest.raises(EnhancerError, match=r"missing E_block1.*unexpected in_conv\.0\.weight"):
        LEDNet().load_released({"in_conv.0.weight": torch.zeros(1)})


@pytest.mark.parametrize("option", ["signed", "script_pad"])
@pytest.mark.parametrize("wrong", ["x", 1, None])
def test_options_are_flags(option, wrong):
    with pytest.raises(EnhancerError, match=f"{option} must be true or false, not {wrong!r}"):
        LEDNet(**{option: wrong})


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (24, 40)])
@torch.no_grad()
def test_any_size_keeps_its_shape(size):
    network, image = LEDNet().eval(), torch.rand(2, 3, *size)
    height, width = -(-size[0] // 8), -(-size[1] // 8)
    feature, _ = network.encode(image)
    assert feature.shape == (2, 128, height, width)
    assert network.feature_channels == 128
    out = network.run(image)
    assert out.image.shape == out.raw.shape == image.shape
    assert out.side.shape == (2, 3, height, width)
    assert out.image.isfinite().all()


@torch.no_grad()
def test_the_script_pads_a_multiple_of_eight_too():
    ours, script = LEDNet().eval(), LEDNet(script_pad=True).eval()
    script.load_state_dict(ours.state_dict())
    image = torch.rand(1, 3, 24, 32)
    out = script.run(image)
    enlarged = ours.run(F.pad(image, (0, 8, 0, 8), mode="reflect"))
    assert torch.equal(out.raw, enlarged.raw[..., :24, :32])
    assert torch.equal(out.side, enlarged.side[..., :3, :4])
    assert not torch.allclose(out.raw, ours.run(image).raw, atol=1e-5)
    odd = image[..., :21, :30]
    assert torch.equal(script.run(odd).raw, ours.run(odd).raw)


@torch.no_grad()
def test_signed_network_works_from_minus_one_to_one():
    plain, signed = LEDNet().eval(), LEDNet(signed=True).eval()
    signed.load_state_dict(plain.state_dict())
    image = torch.rand(1, 3, 16, 24)
    out, inner = signed.run(image), plain.run(2 * image - 1)
    assert torch.allclose(out.raw, (inner.raw + 1) / 2, atol=1e-6)
    assert torch.allclose(out.side, (inner.side + 1) / 2, atol=1e-6)


@torch.no_grad()
def test_image_is_clamped_and_raw_is_not():
    network = LEDNet().eval()
    network.D_block0[1].bias.copy_(torch.tensor([-2.0, 0.5, 3.0]))
    out = network.run(torch.rand(1, 3, 16, 16))
    assert out.raw.min() < -1
    assert out.raw.max() > 2
    assert torch.equal(out.image, out.raw.clamp(0, 1))


@torch.no_grad()
def test_adaptive_filter_against_loops():
    x, guide = torch.rand(2, 2, 3, 4, 5, dtype=torch.float64)
    kernels = torch.nn.Conv2d(3, 75, 1).double()
    weights = kernels(guide).reshape(2, 3, 5, 5, 4, 5)
    expected = torch.zeros_like(x)
    for row in range(4):
        for column in range(5):
            for i in range(5):
                for j in range(5):
                    y, z = min(max(row + i - 2, 0), 3), min(max(column + j - 2, 0), 4)
                    expected[..., row, column] += weights[:, :, i, j, row, column] * x[..., y, z]
    expected = torch.where(expected < 0, 0.2 * expected, expected)
    assert (expected < 0).any()
    assert torch.allclose(filter_adaptively(x, guide, kernels), expected, atol=1e-12)


@torch.no_grad()
def test_curve_stays_in_range_and_brightens():
    x = 4 * torch.randn(2, 8, 6, 7)
    bright = Curve(8)(x)
    assert bright.min() >= 0
    assert bright.max() <= 1
    assert (bright >= x.clamp(0, 1)).all()
    inside = (x > 0) & (x < 1)
    assert (bright[inside] > x[inside]).all()


@torch.no_grad()
def test_blur_halves_and_keeps_a_constant():
    ramp = torch.arange(8.0).expand(1, 2, 6, 8)
    halved = Blur(2)(ramp)
    assert halved.shape == (1, 2, 3, 4)
    # At the left edge 0 is surrounded by its reflected neighbours 1 and 1.
    assert torch.allclose(halved[0, 0, 0], torch.tensor([0.5, 2, 4, 6]))
    assert torch.allclose(Blur(2)(torch.ones(1, 2, 6, 8)), torch.ones(1, 2, 3, 4))


@torch.no_grad()
def test_pooling_carries_every_pixel_everywhere():
    pooling = PyramidPooling(8)
    one = torch.rand(1, 8, 2, 9)
    two = one.clone()
    two[..., 0, 0] += 1
    assert not torch.equal(pooling(one)[..., 1, 8], pooling(two)[..., 1, 8])
