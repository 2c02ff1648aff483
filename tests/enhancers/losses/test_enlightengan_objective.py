import math
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import vgg16

from enhancers import EnhancerError
from enhancers.enlightengan import EnlightenGAN
from enhancers.losses.enlightengan import (
    EnlightenGANObjective,
    cut_patches,
    darken,
    draw_corners,
    feature_distance,
    least_squares,
    relativistic,
)
from enhancers.losses.perceptual import VGGFeatures
from tests.enhancers.synthetic import synthetic_state


class Features(nn.Module):
    """Stands for VGG16: one small map, told apart from its input."""

    def forward(self, image: Tensor) -> list[Tensor]:
        return [torch.exp(3 * nn.functional.avg_pool2d(image, 8))]


class RawOutput(NamedTuple):
    raw: Tensor


class Shift(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.full((1, 3, 1, 1), 0.3))

    def run(self, image: Tensor) -> RawOutput:
        return RawOutput(2 * image - 1 + self.shift)


@pytest.fixture
def objective():
    return EnlightenGANObjective(Features()).double()


@pytest.fixture
def images():
    return torch.rand(2, 3, 36, 40).double(), torch.rand(2, 3, 34, 38).double()


def slow_least_squares(rating, target):
    return sum((value - target) ** 2 for value in rating.flatten().tolist()) / rating.numel()


def slow_relativistic(better, worse):
    better_mean = sum(better.flatten().tolist()) / better.numel()
    worse_mean = sum(worse.flatten().tolist()) / worse.numel()
    return slow_least_squares(better - worse_mean, 1) + slow_least_squares(worse - better_mean, 0)


def slow_feature_distance(feature, target):
    total = 0.0
    for ours, theirs in zip(feature.flatten(0, 1), target.flatten(0, 1), strict=True):
        maps = []
        for values in (ours.flatten().tolist(), theirs.flatten().tolist()):
            mean = sum(values) / len(values)
            variance = sum((value - mean) ** 2 for value in values) / len(values)
            maps.append([(value - mean) / math.sqrt(variance + 1e-5) for value in values])
        total += sum((a - b) ** 2 for a, b in zip(*maps, strict=True))
    return total / feature.numel()


def test_least_squares_against_a_loop():
    rating = torch.randn(2, 1, 3, 4, dtype=torch.float64)
    for target in (0, 1):
        expected = slow_least_squares(rating, target)
        assert least_squares(rating, target).item() == pytest.approx(expected, rel=1e-12)


def test_relativistic_against_loops():
    better = torch.randn(2, 1, 3, 4, dtype=torch.float64)
    worse = torch.randn(2, 1, 5, 2, dtype=torch.float64) + 1
    expected = slow_relativistic(better, worse)
    assert relativistic(better, worse).item() == pytest.approx(expected, rel=1e-12)


def test_relativistic_has_its_gradient_through_both_means():
    better = torch.zeros(1, 1, 2, 2, requires_grad=True)
    worse = torch.full((1, 1, 2, 2), 3.0)
    relativistic(better, worse).backward()
    # (b − 4)² + (3 − b)² at b = 0: −8 and −6, shared by four ratings.
    assert torch.allclose(better.grad, torch.full_like(better, -14 / 4))


def test_feature_distance_against_loops():
    feature, target = torch.rand(2, 2, 3, 5, 4, dtype=torch.float64)
    expected = slow_feature_distance(feature, target)
    assert feature_distance(feature, target).item() == pytest.approx(expected, rel=1e-12)


def test_generator_loss_against_its_formula(objective, images):
    low, normal = images
    torch.manual_seed(1)
    loss, parts = objective(Shift().double().run, low, normal)
    torch.manual_seed(1)
    entered = darken(low)
    assert not torch.equal(entered, low)
    fake = 2 * entered - 1 + 0.3
    corners = draw_corners(fake)
    whole, local = objective.discriminators["global"], objective.discriminators["local"]
    image, rated, kept = (fake + 1) / 2, [], []
    for y, x in corners:
        window = (..., slice(y, y + 32), slice(x, x + 32))
        rated.append(slow_least_squares(local(fake[window]), 1))
        kept.append(slow_feature_distance(*Features()(image[window]), *Features()(low[window])))
    expected = {
        "global": slow_relativistic(whole(fake), whole(2 * normal - 1)),
        "local": sum(rated) / 6,
        "features": slow_feature_distance(*Features()(image), *Features()(low)),
        "patch_features": sum(kept) / 6,
    }
    assert parts == pytest.approx(expected, rel=1e-6)
    assert loss.item() == pytest.approx(sum(parts.values()), rel=1e-12)
    assert torch.allclose(objective.fake, fake, atol=1e-7)


def test_discriminator_loss_against_its_formula(objective, images):
    fake, normal = images
    torch.manual_seed(1)
    loss, parts = objective.discriminator_loss(fake, normal)
    torch.manual_seed(1)
    real = 2 * normal - 1
    whole, local = objective.discriminators["global"], objective.discriminators["local"]
    rated = []
    for image, target in ((real, 1), (fake, 0)):
        for y, x in draw_corners(image):
            patch = image[..., y : y + 32, x : x + 32]
            rated.append(slow_least_squares(local(patch), target) / 6)
    expected = {
        "discriminator.global": slow_relativistic(whole(real), whole(fake)),
        "discriminator.local": sum(rated),
    }
    assert parts == pytest.approx(expected, rel=1e-9)
    assert loss.item() == pytest.approx(sum(parts.values()), rel=1e-12)


def test_each_step_has_gradient_for_its_own_side_only(images):
    low, normal = (image.float() for image in images)
    network, objective = EnlightenGAN().train(), EnlightenGANObjective(Features())
    objective(network.run, low, normal)[0].backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(parameter.grad is None for parameter in objective.parameters())
    assert not objective.fake.requires_grad
    network.zero_grad()
    objective.discriminator_loss(network.run(low).raw, normal)[0].backward()
    assert all(parameter.grad is None for parameter in network.parameters())
    # Not the biases: a rating relative to another does not change with the last one.
    for discriminator in objective.discriminators.values():
        assert all(layer.weight.grad.abs().sum() > 0 for layer in discriminator.model[::2])


def test_without_vgg_the_discriminators_alone_teach(images):
    low, normal = (image.float() for image in images)
    objective, network = EnlightenGANObjective(), Shift()
    loss, parts = objective(network.run, low, normal)
    assert parts.keys() == {"global", "local"}
    loss.backward()
    assert network.shift.grad.abs().sum() > 0


def test_vgg16_features_of_the_patches():
    with torch.device("meta"):
        layers = vgg16(weights=None).features
    shapes = {f"features.{key}": value.shape for key, value in layers.state_dict().items()}
    state = synthetic_state(shapes)
    objective = EnlightenGANObjective(VGGFeatures(16, ["relu5_1"], state))
    network = Shift()
    loss, parts = objective(network.run, torch.rand(1, 3, 32, 48), torch.rand(1, 3, 32, 32))
    assert parts["features"] > 0
    assert parts["patch_features"] > 0
    loss.backward()
    assert network.shift.grad.isfinite().all()


def test_half_of_the_images_are_darkened():
    low = torch.rand(400, 3, 2, 2) + 0.1
    divisors = low / darken(low)
    assert torch.allclose(divisors.amin((1, 2, 3)), divisors.amax((1, 2, 3)))
    divisors = divisors[:, 0, 0, 0]
    darkened = divisors > 1.5
    assert 160 < darkened.sum() < 240
    assert torch.allclose(divisors[~darkened], torch.ones(()))
    assert divisors[darkened].min() > 1.999
    assert divisors[darkened].max() < 4.001
    assert divisors[darkened].std() > 0.4


def test_patches_lie_anywhere_and_come_from_their_corners():
    image = torch.rand(2, 3, 33, 60)
    corners = [corner for _ in range(100) for corner in draw_corners(image)]
    assert {y for y, _ in corners} == {0, 1}
    assert {x for _, x in corners} == set(range(29))
    patches = cut_patches(image, corners[:6])
    assert patches.shape == (12, 3, 32, 32)
    y, x = corners[3]
    assert torch.equal(patches[7], image[1, :, y : y + 32, x : x + 32])


def test_what_cannot_be_trained_on_is_refused():
    objective = EnlightenGANObjective()
    with pytest.raises(EnhancerError, match="normal-light"):
        objective(Shift().run, torch.rand(1, 3, 32, 32), None)
    with pytest.raises(EnhancerError, match="32 pixels"):
        objective(Shift().run, torch.rand(1, 3, 31, 40), torch.rand(1, 3, 32, 32))
