import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from enhancers import EnhancerError
from enhancers.ruas import RUAS

RELEASED = ["lol", "upe", "dark"]


@pytest.fixture
def released(weights):
    def build(name: str, denoise: bool) -> RUAS:
        network = RUAS(denoise).eval()
        network.load_released(weights(f"ruas/{name}.pt"))
        return network

    return build


@pytest.mark.shared
@pytest.mark.parametrize("name", RELEASED)
@torch.no_grad()
def test_parity_with_the_released_network(name, released, crop, parity):
    out = released(name, denoise=True).run(crop)
    values = {f"t{k}": value for k, value in enumerate(out.illuminations)}
    values |= {f"u{k}": value for k, value in enumerate((*out.images, out.denoised))}
    assert len(values) == 7
    for key, value in values.items():
        parity(value, f"ruas/crop_113x97_{name}_{key}")
    assert torch.equal(out.image, out.denoised.clamp(0, 1))


@pytest.mark.shared
@pytest.mark.parametrize("name", RELEASED)
@torch.no_grad()
def test_without_denoising_the_image_is_the_last_stage(name, released, crop, parity):
    image = released(name, denoise=False)(crop)
    parity(image, f"ruas/crop_113x97_{name}_u2")


@pytest.mark.shared
@pytest.mark.parametrize(("name", "denoise"), [("lol", True), ("dark", False)])
@torch.no_grad()
def test_statistics_of_a_whole_photograph(name, denoise, shared, released):
    stats = json.loads((shared / "reference/losses/ruas_stats.json").read_text())
    expected = stats[f"lol_eval15_1_{name}"]
    rgb = np.asarray(Image.open(shared / "data/LOL/eval15/low/1.png"))
    photograph = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None] / 255
    out = released(name, denoise).run(photograph)
    image = out.denoised if denoise else out.image
    assert list(image.shape) == expected["shape"]
    for statistic in ("mean", "min", "max"):
        got = getattr(image.double(), statistic)().item()
        assert got == pytest.approx(expected[statistic], abs=1e-5), statistic


@pytest.mark.shared
def test_the_denoiser_can_start_from_the_released_one(weights):
    network, start = RUAS(denoise=True), weights("ruas/denoise.pt")
    stages = {key: value.clone() for key, value in network.iems.state_dict().items()}
    network.load_released_denoiser(start)
    assert all(torch.equal(network.denoise_net.state_dict()[key], start[key]) for key in start)
    assert all(torch.equal(network.iems.state_dict()[key], stages[key]) for key in stages)


@pytest.mark.shared
def test_the_denoiser_alone_is_no_released_network(weights):
    with pytest.raises(EnhancerError, match=r"missing enhance_net\.iems.*unexpected stem\.weight"):
        RUAS().load_released(weights("ruas/denoise.pt"))


def test_foreign_weights_are_refused():
    for load in (RUAS().load_released, RUAS().load_released_denoiser):
        with pytest.raises(EnhancerError, match=r"unexpected e_conv1\.weight"):
            load({"e_conv1.weight": torch.zeros(1)})


def test_weights_that_do_not_fit_are_named_as_in_their_file():
    key = "enhance_net.iems.1.cell.c5.bias"
    with pytest.raises(EnhancerError, match=rf"shape of {key} \(1,\) instead of \(3,\)"):
        RUAS().load_released({key: torch.zeros(1)})
    with pytest.raises(EnhancerError, match=r"missing enhance_net\.iems\.0\.cell\.c1_r"):
        RUAS().load_released({key: torch.zeros(3)})


@pytest.mark.parametrize("wrong", ["yes", 1, None])
def test_denoise_is_a_flag(wrong):
    with pytest.raises(EnhancerError, match=f"denoise must be true or false, not {wrong!r}"):
        RUAS(denoise=wrong)


def test_parameter_counts_of_the_paper():
    def count(module):
        return sum(parameter.numel() for parameter in module.parameters())

    network = RUAS()
    assert count(network) == 3_438
    assert (count(network.iems), count(network.denoise_net)) == (1_161, 2_277)


@pytest.mark.parametrize(("denoise", "giga"), [(True, 6.77), (False, 2.30)])
@torch.no_grad()
def test_the_denoiser_only_costs_where_it_is_used(denoise, giga):
    with torch.device("meta"):
        network, image = RUAS(denoise), torch.empty(1, 3, 1080, 1920)
    with FlopCounterMode(display=False) as counter:
        network(image)
    assert counter.get_total_flops() / 2e9 == pytest.approx(giga, abs=5e-3)


def slow_window_maximum(image):
    maximum = torch.zeros_like(image)
    height, width = image.shape[-2:]
    for y in range(height):
        for x in range(width):
            maximum[..., y, x] = image[..., y : y + 2, x : x + 2].amax((-2, -1))
    return maximum


@torch.no_grad()
def test_the_steps_between_cells_without_any_convolution():
    network, image = RUAS(), torch.rand(1, 3, 16, 17)
    for parameter in network.parameters():
        parameter.zero_()
    feature, context = network.encode(image)
    assert torch.equal(context.illuminations[0], torch.full_like(image, 0.5))
    bright = (2 * image).clamp(max=1)
    estimate = slow_window_maximum(bright) - 0.5 * (bright - image)
    # Cells then are skips and doubled residuals: x, 2x, nothing, nothing, and all positive.
    expected = torch.cat([estimate, 2 * estimate, 0 * estimate, 0 * estimate], 1)
    assert torch.allclose(feature, expected, atol=1e-6)
    assert torch.equal(network.decode(feature, context).image, bright)


@pytest.mark.parametrize("logit", [-100.0, 100.0])
@torch.no_grad()
def test_illumination_and_image_stay_in_range(logit):
    network, image = RUAS(), torch.rand(1, 3, 16, 16)
    for cell in network.iems:
        cell.c5.weight.zero_()
        cell.c5.bias.fill_(logit)
    out = network.run(image)
    expected = 1e-3 if logit < 0 else 1.0
    assert all((t == expected).all() for t in out.illuminations)
    assert torch.equal(out.image, (image / expected).clamp(0, 1))


@torch.no_grad()
def test_the_last_convolution_alone_decodes_the_feature():
    network, image = RUAS(), torch.rand(1, 3, 16, 16)
    feature, context = network.encode(image)
    assert feature.shape == (1, 12, 16, 16)
    assert network.feature_channels == 12
    network.iems[-1].c5.bias += 1
    again, _ = network.encode(image)
    assert torch.equal(again, feature)
    from_zero = network.decode(torch.zeros_like(feature), context).illuminations[-1]
    expected = network.iems[-1].c5.bias.sigmoid()[:, None, None].expand_as(image)
    assert torch.allclose(from_zero, expected)


def test_the_image_trains_both_modules_and_the_noise_only_the_denoiser():
    network = RUAS(denoise=True)
    out = network.run(0.1 + 0.2 * torch.rand(1, 3, 16, 16))
    out.noise.square().sum().backward(retain_graph=True)
    assert all(parameter.grad is None for parameter in network.iems.parameters())
    assert all(parameter.grad is not None for parameter in network.denoise_net.parameters())
    network.zero_grad()
    out.denoised.sum().backward()
    for module in (network.iems, network.denoise_net):
        assert sum(parameter.grad.abs().sum() for parameter in module.parameters()) > 0
