import json
import math

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import vgg19

from enhancers import EnhancerError
from enhancers.losses.perceptual import VGGFeatures
from enhancers.losses.uretinex import (
    PERCEPTUAL_LAYERS,
    AdjustmentObjective,
    DecompositionObjective,
    UnfoldingObjective,
    consistency,
    dissimilarity,
    edge_aware_variation,
    gradient_difference,
    perceptual,
)
from enhancers.uretinex import Unfolded, URetinex, ratio_between
from enhancers.uretinex_units import Decomposition
from tests.enhancers.conftest import read_image
from tests.enhancers.test_uretinex import read_released


class Pyramid(nn.Module):
    """Five feature maps, each half the one before."""

    def forward(self, image):
        return [nn.functional.avg_pool2d(image, 2**level) for level in range(5)]


PHASES = {
    "decomposition": DecompositionObjective,
    "unfolding": lambda: UnfoldingObjective(Decomposition(), Pyramid()),
    "adjustment": lambda: AdjustmentObjective(Decomposition()),
}


def double(*shape):
    return torch.rand(*shape, dtype=torch.float64)


@pytest.fixture
def pair():
    return double(2, 3, 16, 18) / 4, double(2, 3, 16, 18)


@pytest.mark.shared
@torch.no_grad()
def test_parity_with_the_released_loss(shared, loss_input):
    expected = json.loads((shared / "reference/losses/loss_uretinex.json").read_text())
    folder = shared / "reference/weights/uretinexnet"
    network, objective = URetinex(), DecompositionObjective()
    for part, stem in ((network.model_decom, "init_low"), (objective.high, "init_high")):
        state = read_released(folder, f"{stem}.pth")
        part.load_released({key.removeprefix(f"{stem}."): state[key] for key in state})
    normal = read_image(shared / "data/LOL/eval15/high/1.png")[..., :256, :256]
    loss, parts = objective(network.run, loss_input, normal)
    targets = {"low": "L_sup_mse_vs_max", "high": "L_sup_mse_vs_max^(1/2.2)"}
    for light, target in targets.items():
        fit, supervised = parts[f"{light}.reconstruction"], parts[f"{light}.illumination"]
        assert fit == pytest.approx(expected[light]["rec_L1"], rel=1e-4)
        assert supervised == pytest.approx(0.1 * expected[light][target], rel=1e-4)
    assert loss.item() == pytest.approx(sum(parts.values()), rel=1e-5)


def test_decomposition_against_plain_sums(pair):
    low, normal = pair
    network, objective = URetinex().double(), DecompositionObjective().double()
    loss, _ = objective(network.run, low, normal)
    expected = 0.0
    for decompose, image, power in (
        (network.model_decom, low, 1.0),
        (objective.high, normal, 1 / 2.2),
    ):
        R, L = decompose(image)
        brightest = torch.maximum(torch.maximum(image[:, 0], image[:, 1]), image[:, 2]) ** power
        expected += (R * L - image).abs().mean() + 0.1 * ((L[:, 0] - brightest) ** 2).mean()
    expected += 0.1 * edge_aware_variation(L, normal)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)


def test_unfolding_against_plain_sums(pair):
    low, normal = pair
    network, high = URetinex().double(), Decomposition().double()
    loss, parts = UnfoldingObjective(high, Pyramid())(network.run, low, normal)
    out, target = network.run(low), high(normal).reflectance
    R, L = out.rounds[-1].R, out.rounds[-1].L
    variation = 2 * ((L[..., 1:] - L[..., :-1]) ** 2).mean()
    variation += 2 * ((L[..., 1:, :] - L[..., :-1, :]) ** 2).mean()
    maps = zip((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1), Pyramid()(R), Pyramid()(target), strict=True)
    expected = {
        "consistency": consistency(out.rounds),
        "reflectance": ((R - target) ** 2).mean(),
        "structure": dissimilarity(R, target),
        "smoothness": 20 * variation,
        "perceptual": sum(weight * (a - b).abs().mean() for weight, a, b in maps),
    }
    assert parts == pytest.approx({name: term.item() for name, term in expected.items()}, rel=1e-9)
    assert loss.item() == pytest.approx(sum(expected.values()).item(), rel=1e-9)
    without, _ = UnfoldingObjective(high, None)(network.run, low, normal)
    assert (loss - without).item() == pytest.approx(parts["perceptual"], rel=1e-9)


def test_adjustment_against_plain_sums(pair):
    low, normal = pair
    network, high = URetinex().double(), Decomposition().double()
    loss, parts = AdjustmentObjective(high)(network.run, low, normal)
    L, target = network.run(low).illumination, high(normal).illumination
    adjusted = torch.cat(
        [
            network.model_A(one, ratio_between(one, wanted).item())
            for one, wanted in zip(L.split(1), target.split(1), strict=True)
        ]
    )
    expected = {
        "gradient": gradient_difference(adjusted, target),
        "illumination": ((adjusted - target) ** 2).mean(),
        "structure": dissimilarity(adjusted, target),
    }
    assert parts == pytest.approx({name: term.item() for name, term in expected.items()}, rel=1e-9)
    assert loss.item() == pytest.approx(sum(expected.values()).item(), rel=1e-9)


def neighbours(height, width):
    """(here, there) of all horizontal, then of all vertical neighbours."""
    for down, right in ((0, 1), (1, 0)):
        yield [
            ((y, x), (y + down, x + right))
            for y in range(height - down)
            for x in range(width - right)
        ]


def test_edge_aware_variation_against_loops():
    L, image = double(1, 1, 5, 6), double(1, 3, 5, 6)
    grey = 0.2989 * image[0, 0] + 0.587 * image[0, 1] + 0.114 * image[0, 2]
    expected = 0.0
    for pairs in neighbours(5, 6):
        terms = [
            abs(L[0, 0][a] - L[0, 0][b]) * math.exp(-10 * abs(grey[a] - grey[b])) for a, b in pairs
        ]
        expected += sum(terms) / len(terms)
    assert edge_aware_variation(L, image).item() == pytest.approx(expected.item(), rel=1e-12)


def test_gradient_difference_against_loops():
    ours, theirs = double(2, 1, 5, 6)
    expected = 0.0
    for pairs in neighbours(5, 6):
        terms = [abs((ours[0][b] - ours[0][a]) - (theirs[0][b] - theirs[0][a])) for a, b in pairs]
        expected += sum(terms) / len(terms)
    got = gradient_difference(ours[None], theirs[None])
    assert got.item() == pytest.approx(expected.item(), rel=1e-12)


def test_consistency_weighs_the_rounds():
    zero, one, two = torch.zeros(1), torch.ones(1), torch.full((1,), 2.0)
    rounds = [Unfolded(one, zero, zero, zero), Unfolded(zero, zero, one, two)]
    rounds.append(Unfolded(one, one, one, zero))
    assert consistency(rounds).item() == pytest.approx(0.1 + 0.15 + 0.55 * 4 + 0.6, rel=1e-6)


def slow_similarity(a, b):
    """SSIM of two H×W images, one 11×11 window round every pixel, borders reflected."""
    line = torch.exp(-(torch.arange(-5, 6, dtype=torch.float64) ** 2) / (2 * 1.5**2))
    window = torch.outer(line, line) / line.sum() ** 2
    values = []
    a, b = (torch.from_numpy(np.pad(image, 5, "reflect")) for image in (a, b))
    for y in range(a.shape[0] - 10):
        for x in range(a.shape[1] - 10):
            p, q = a[y : y + 11, x : x + 11], b[y : y + 11, x : x + 11]
            m, n = (window * p).sum(), (window * q).sum()
            covariance = (window * (p - m) * (q - n)).sum()
            spread = (window * (p - m) ** 2).sum() + (window * (q - n) ** 2).sum()
            brightness = (2 * m * n + 1e-4) / (m**2 + n**2 + 1e-4)
            values.append(brightness * (2 * covariance + 9e-4) / (spread + 9e-4))
    return torch.stack(values).mean()


def test_dissimilarity_against_loops():
    a, b = double(2, 2, 3, 11, 12)
    planes = zip(a.flatten(0, 1), b.flatten(0, 1), strict=True)
    expected = 1 - torch.stack([slow_similarity(p, q) for p, q in planes]).mean()
    assert dissimilarity(a, b).item() == pytest.approx(expected.item(), rel=1e-9)


def test_perceptual_weights_of_known_features():
    targets = [torch.zeros(1, 2, 3, 3)] * 5
    for layer, weight in enumerate((1 / 32, 1 / 16, 1 / 8, 1 / 4, 1)):
        features = list(targets)
        features[layer] = torch.full((1, 2, 3, 3), -2.0)
        assert perceptual(features, targets).item() == pytest.approx(2 * weight)


@torch.no_grad()
def test_perceptual_layers_are_vgg19s():
    with torch.device("meta"):
        whole = vgg19(weights=None).features.state_dict()
    state = {f"features.{key}": torch.zeros(value.shape) for key, value in whole.items()}
    maps = VGGFeatures(19, PERCEPTUAL_LAYERS, state)(torch.rand(1, 3, 16, 16))
    shapes = [tuple(feature.shape[1:]) for feature in maps]
    assert PERCEPTUAL_LAYERS == ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    assert shapes == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2), (512, 1, 1)]


def reached(module):
    return {
        name
        for name, parameter in module.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }


@pytest.mark.parametrize("phase", PHASES)
def test_gradients_reach_exactly_what_the_phase_trains(phase):
    network, objective = URetinex(), PHASES[phase]()
    names = {name for name, _ in network.named_parameters()}
    trained = {name for name in names if name.startswith(objective.trains)}
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in trained)
    objective(network.run, torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16))[0].backward()
    assert reached(network) == trained
    own = {name for name, _ in objective.named_parameters()}
    assert reached(objective) == (own if phase == "decomposition" else set())


def test_the_phases_together_train_the_whole_network():
    prefixes = [prefix for build in PHASES.values() for prefix in build().trains]
    for name, _ in URetinex().named_parameters():
        assert sum(name.startswith(prefix) for prefix in prefixes) == 1


@pytest.mark.parametrize("phase", PHASES)
def test_training_lowers_the_loss(phase):
    network, objective = URetinex(), PHASES[phase]()
    normal = torch.rand(2, 3, 16, 16)
    parameters = [p for n, p in network.named_parameters() if n.startswith(objective.trains)]
    parameters += [p for p in objective.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, 1e-3)
    losses = []
    for _ in range(12):
        loss, _ = objective(network.run, normal / 5, normal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("phase", PHASES)
def test_pairs_are_required(phase):
    with pytest.raises(EnhancerError, match="normal-light"):
        PHASES[phase]()(URetinex().run, torch.rand(1, 3, 16, 16), None)
