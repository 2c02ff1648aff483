from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from enhancers import EnhancerError
from enhancers.lednet import LEDNet
from enhancers.losses.lednet import VGG_LAYERS, LEDNetObjective, perceptual, reduce_target
from enhancers.losses.perceptual import VGGFeatures


class Result(NamedTuple):
    raw: Tensor
    side: Tensor


@pytest.fixture(scope="module")
def vgg() -> VGGFeatures:
    """VGG19 up to conv4_4 with drawn weights, in float64."""
    generator = torch.Generator().manual_seed(0)
    widths = [(0, 3, 64), (2, 64, 64), (5, 64, 128), (7, 128, 128), (10, 128, 256)]
    widths += [(n, 256, 256) for n in (12, 14, 16)] + [(19, 256, 512)]
    widths += [(n, 512, 512) for n in (21, 23, 25)]
    state = {}
    for index, before, after in widths:
        noise = torch.randn(after, before, 3, 3, generator=generator)
        state[f"features.{index}.weight"] = noise * (2 / (9 * before)) ** 0.5
        state[f"features.{index}.bias"] = 0.1 * torch.randn(after, generator=generator)
    return VGGFeatures(19, ("conv1_2", "conv2_2", "conv3_4", "conv4_4"), state).double()


def outputs(size: int = 64) -> tuple[Result, Tensor]:
    """Outputs that leave [0, 1], and their normal-light images."""
    raw = 2 * torch.rand(2, 3, size, size, dtype=torch.float64) - 0.5
    side = 2 * torch.rand(2, 3, size // 8, size // 8, dtype=torch.float64) - 0.5
    normal = torch.rand(2, 3, size, size, dtype=torch.float64)
    return Result(raw.requires_grad_(), side.requires_grad_()), normal


def cubic(distance: float) -> float:
    """Keys' kernel with a = −1/2."""
    d = abs(distance)
    if d < 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0


def reduction(size: int) -> Tensor:
    """Matrix that reduces `size` pixels by 8: the kernel 8 times as wide, cut at the border."""
    rows = []
    for target in range(size // 8):
        row = [cubic((pixel + 0.5) / 8 - (target + 0.5)) for pixel in range(size)]
        rows.append([weight / sum(row) for weight in row])
    return torch.tensor(rows, dtype=torch.float64)


def test_reduced_target_against_a_matrix():
    normal = torch.rand(1, 3, 24, 40, dtype=torch.float64)
    expected = reduction(24) @ normal @ reduction(40).T
    assert torch.allclose(reduce_target(normal), expected, atol=1e-12)


def test_reduced_target_covers_what_the_network_pads():
    normal = torch.rand(1, 3, 21, 32, dtype=torch.float64)
    rows = [*range(21), 19, 18, 17]
    assert torch.allclose(reduce_target(normal), reduce_target(normal[..., rows, :]), atol=1e-12)


def slow_distance(vgg: VGGFeatures, image: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    a, b = (image - mean) / std, (target - mean) / std
    total = 0.0
    for index, layer in enumerate(vgg.features):
        a, b = layer(a), layer(b)
        # conv1_2, conv2_2, conv3_4 and conv4_4 of torchvision's VGG19.
        if index in (2, 7, 16, 25):
            total += (a - b).abs().sum() / a.numel()
    return (image - target).abs().sum() / image.numel(), total


def test_loss_and_gradient_against_the_equation(vgg):
    out, normal = outputs()
    loss, parts = LEDNetObjective(vgg)(lambda low: out, torch.zeros(()), normal)
    l1, deep = slow_distance(vgg, out.raw, normal)
    small = reduction(64) @ normal @ reduction(64).T
    side_l1, side_deep = slow_distance(vgg, out.side, small)
    expected = l1 + 0.01 * deep + 0.8 * (side_l1 + 0.01 * side_deep)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    assert parts["l1"] == pytest.approx(l1.item(), rel=1e-6)
    assert parts["perceptual"] == pytest.approx(0.01 * deep.item(), rel=1e-6)
    assert parts["side_l1"] == pytest.approx(0.8 * side_l1.item(), rel=1e-6)
    assert parts["side_perceptual"] == pytest.approx(0.008 * side_deep.item(), rel=1e-6)
    ours = torch.autograd.grad(loss, out)
    slow = torch.autograd.grad(expected, out)
    for found, wanted in zip(ours, slow, strict=True):
        assert torch.allclose(found, wanted, rtol=1e-5, atol=1e-9)


def test_the_layers_of_the_paper():
    assert VGG_LAYERS == ("conv1_2", "conv2_2", "conv3_4", "conv4_4")


def test_without_vgg_only_the_l1_terms_are_left():
    out, normal = outputs(16)
    loss, parts = LEDNetObjective(None)(lambda low: out, torch.zeros(()), normal)
    assert set(parts) == {"l1", "side_l1"}
    assert sum(parts.values()) == pytest.approx(loss.item(), rel=1e-12)
    # Pixels beyond [0, 1] are pulled back as well.
    gradient = torch.autograd.grad(loss, out.raw)[0]
    assert torch.allclose(gradient, (out.raw - normal).sign() / normal.numel())


def test_perfect_outputs_cost_nothing(vgg):
    normal = outputs()[1]
    perfect = Result(normal, reduce_target(normal))
    loss, _ = LEDNetObjective(vgg)(lambda low: perfect, torch.zeros(()), normal)
    assert loss.item() == 0


def test_every_parameter_is_trained_and_the_side_term_stays_in_the_encoder():
    network, (low, normal) = LEDNet(), torch.rand(2, 1, 3, 16, 16)
    loss, _ = LEDNetObjective(None)(network.run, low, normal)
    loss.backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    side_only = Result(network.run(low).raw.detach(), network.run(low).side)
    network.zero_grad()
    LEDNetObjective(None)(lambda low: side_only, low, normal)[0].backward()
    names = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    encoder = {f"{part}{level}" for part in ("E_block", "PPM") for level in (1, 2, 3)}
    assert names == encoder | {"conv_1c", "conv_2c", "conv_3c", "side_out"}


def test_features_of_the_target_have_no_gradient(vgg):
    out, normal = outputs(16)
    loss = perceptual(vgg, out.raw, normal.requires_grad_())
    to_image, to_target = torch.autograd.grad(loss, (out.raw, normal), allow_unused=True)
    assert to_image.abs().sum() > 0
    assert to_target is None


def test_pairs_are_needed():
    with pytest.raises(EnhancerError, match="normal-light"):
        LEDNetObjective(None)(lambda low: None, torch.zeros(()), None)


def test_crops_too_small_for_vgg_are_refused(vgg):
    out, normal = outputs(56)
    with pytest.raises(EnhancerError, match="56 pixels"):
        LEDNetObjective(vgg)(lambda low: out, torch.zeros(()), normal)
