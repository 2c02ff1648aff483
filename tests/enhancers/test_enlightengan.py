import json

import pytest
import torch
import torch.nn.functional as F

from enhancers import EnhancerError
from enhancers.enlightengan import EnlightenGAN
from tests.enhancers.synthetic import synthetic_state

FOLDER = "enlightengan_synthweights"


@pytest.fixture
def released_shapes(shared):
    path = shared / f"reference/outputs/{FOLDER}/state_dict_shapes.json"
    return json.loads(path.read_text())


@pytest.mark.shared
@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.usefixtures("two_threads")
@torch.no_grad()
def test_parity_with_the_released_network(align_corners, released_shapes, crop, parity):
    network = EnlightenGAN(align_corners).eval()
    network.load_released(synthetic_state(released_shapes))
    out = network.run(crop)
    parity(out.raw, f"{FOLDER}/crop_113x97_ac{align_corners}_out")
    parity(out.latent, f"{FOLDER}/crop_113x97_ac{align_corners}_latent")
    assert torch.equal(network(crop), ((out.raw + 1) / 2).clamp(0, 1))


@pytest.mark.shared
def test_released_keys_are_all_loaded(released_shapes):
    network = EnlightenGAN()
    state = {
        key: torch.full(shape, 7, dtype=torch.int64) if not shape else torch.full(shape, 0.5)
        for key, shape in released_shapes.items()
    }
    network.load_released(state)
    loaded = network.state_dict()
    assert len(loaded) == len(state)
    assert all((value == (0.5 if value.dim() else 7)).all() for value in loaded.values())


def test_foreign_weights_are_refused_by_the_names_in_the_file():
    with pytest.raises(EnhancerError, match=r"missing conv1_1\.weight, .*unexpected e_conv1"):
        EnlightenGAN().load_released({"e_conv1.weight": torch.zeros(1)})
    with pytest.raises(EnhancerError, match=r"shape of bn2_1\.bias \(3,\) instead of \(64,\)"):
        EnlightenGAN().load_released({"bn2_1.bias": torch.zeros(3)})


@pytest.mark.parametrize("option", ["align_corners", "halve_wide"])
@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_options_are_flags(option, wrong):
    with pytest.raises(EnhancerError, match=f"{option} must be true or false, not {wrong!r}"):
        EnlightenGAN(**{option: wrong})


def test_parameter_count_of_the_released_network():
    with torch.device("meta"):
        network = EnlightenGAN()
    assert sum(parameter.numel() for parameter in network.parameters()) == 8_636_675


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 31), (33, 48)])
@torch.no_grad()
def test_any_size_keeps_its_shape_and_range(height, width):
    network = EnlightenGAN().eval()
    image = torch.rand(2, 3, height, width)
    assert network.encode(image)[0].shape == (2, 512, -(-height // 16), -(-width // 16))
    enhanced = network(image)
    assert enhanced.shape == image.shape
    assert enhanced.min() >= 0
    assert enhanced.max() <= 1


@torch.no_grad()
def test_residual_is_scaled_by_the_darkness_of_the_input():
    network = EnlightenGAN().eval()
    network.conv10.weight.zero_()
    network.conv10.bias.copy_(torch.tensor([0.1, -0.2, 0.3]))
    image = torch.rand(1, 3, 21, 18)
    red, green, blue = image[0]
    darkness = 1 - 0.299 * red - 0.587 * green - 0.114 * blue
    out = network.run(image)
    expected = torch.stack([0.1 * darkness, -0.2 * darkness, 0.3 * darkness])[None]
    assert torch.allclose(out.latent, expected, atol=1e-6)
    assert torch.allclose(out.raw, 2 * image - 1 + expected, atol=1e-6)


@torch.no_grad()
def test_wide_images_are_halved_only_when_asked(monkeypatch):
    monkeypatch.setattr("enhancers.enlightengan.WIDE", 40)
    script, ours = EnlightenGAN(halve_wide=True).eval(), EnlightenGAN().eval()
    script.load_state_dict(ours.state_dict())
    wide = torch.rand(1, 3, 17, 41)
    narrow = wide[..., :40]
    assert torch.equal(script(narrow), ours(narrow))
    half = ours.run(F.avg_pool2d(wide, 2)).raw
    enlarged = F.interpolate(half, (17, 41), mode="bilinear", align_corners=True)
    assert torch.allclose(script.run(wide).raw, enlarged, atol=1e-6)
    assert not torch.allclose(ours.run(wide).raw, enlarged, atol=1e-2)


@pytest.mark.parametrize(("width", "columns"), [(2200, 138), (2201, 69)])
def test_wide_is_above_2200_pixels(width, columns):
    with torch.device("meta"):
        network, image = EnlightenGAN(halve_wide=True), torch.empty(1, 3, 16, width)
        feature, context = network.encode(image)
    assert feature.shape == (1, 512, 1, columns)
    assert network.decode(feature, context).raw.shape == image.shape


def test_gradient_reaches_every_parameter_from_both_parts():
    network = EnlightenGAN().train()
    feature, context = network.encode(torch.rand(2, 3, 20, 36))
    feature.retain_grad()
    network.decode(feature, context).raw.square().mean().backward()
    assert feature.grad.abs().sum() > 0
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_runs_on_the_meta_device():
    with torch.device("meta"):
        network, image = EnlightenGAN(), torch.empty(1, 3, 1080, 1920)
    out = network.run(image)
    assert out.image.shape == (1, 3, 1080, 1920)
    assert out.image.device.type == "meta"
