import json
import math

import pytest
import torch

from enhancers import EnhancerError
from enhancers.losses.ruas import (
    RUASDenoiserObjective,
    RUASObjective,
    denoiser_terms,
    illumination_terms,
    released_smoothness,
)
from enhancers.losses.sci import ycbcr
from enhancers.ruas import RUAS


@pytest.fixture
def low():
    return 0.1 + 0.2 * torch.rand(2, 3, 16, 17)


@pytest.mark.shared
def test_parity_with_the_released_losses(shared, weights, loss_input):
    expected = json.loads((shared / "reference/losses/loss_ruas.json").read_text())
    enhance, denoise = expected["enhance"], expected["denoise"]
    network = RUAS(denoise=True)
    network.load_released(weights("ruas/lol.pt"))
    loss, parts = RUASObjective(released=True)(network.run, loss_input, None)
    assert parts["fidelity"] == pytest.approx(0.5 * enhance["fid_mse(t3,y)"], rel=1e-5)
    assert parts["smoothness"] == pytest.approx(enhance["smooth(sigma=0.1)"], rel=1e-5)
    assert loss.item() == pytest.approx(enhance["total=0.5*fid+smooth"], rel=1e-5)
    loss, parts = RUASDenoiserObjective()(network.run, loss_input, None)
    assert parts["fidelity"] == pytest.approx(1e-7 * denoise["mse(u_d,u3)"], rel=1e-5)
    assert parts["smoothness"] == pytest.approx(denoise["tv(u_d)"], rel=1e-5)
    assert loss.item() == pytest.approx(denoise["total=1e-7*mse+tv"], rel=1e-5)


def neighbours(height, width):
    """((y, x), (y2, x2)) of every pixel and neighbour, by offset."""
    for down in range(-2, 3):
        for right in range(-2, 3):
            if (down, right) != (0, 0):
                yield [
                    ((y, x), (y + down, x + right))
                    for y in range(max(0, -down), min(height, height - down))
                    for x in range(max(0, -right), min(width, width - right))
                ]


def slow_weights_and_steps(illumination, colours, factor, pairs):
    weights, steps = [], []
    for n in range(len(illumination)):
        for (y, x), (y2, x2) in pairs:
            change = colours[n, :, y2, x2] - colours[n, :, y, x]
            weights.append(math.exp(factor * sum(c.item() ** 2 for c in change)))
            step = illumination[n, :, y2, x2] - illumination[n, :, y, x]
            steps.append([abs(c.item()) for c in step])
    return weights, steps


def test_illumination_terms_against_loops():
    illumination, image = torch.rand(2, 2, 3, 5, 6, dtype=torch.float64)
    smoothness = 0.0
    for pairs in neighbours(5, 6):
        weights, steps = slow_weights_and_steps(illumination, ycbcr(image), -1 / 0.02, pairs)
        products = [weight * sum(step) for weight, step in zip(weights, steps, strict=True)]
        smoothness += sum(products) / len(products)
    squares = [value.item() ** 2 for value in (illumination - image).flatten()]
    terms = illumination_terms(illumination, image)
    assert terms["smoothness"].item() == pytest.approx(smoothness, rel=1e-12)
    assert terms["fidelity"].item() == pytest.approx(0.5 * sum(squares) / len(squares), rel=1e-12)


def test_released_smoothness_against_loops():
    illumination, colours = torch.rand(2, 2, 3, 5, 6, dtype=torch.float64)
    colours = 10 * colours
    expected = 0.0
    for pairs in neighbours(5, 6):
        weights, steps = slow_weights_and_steps(illumination, colours, -0.5 * 0.1 * 0.1, pairs)
        expected += sum(weights) / len(weights) * sum(map(sum, steps)) / (3 * len(steps))
    got = released_smoothness(illumination, colours).item()
    assert got == pytest.approx(expected, rel=1e-12)


def test_denoiser_terms_against_loops():
    image, noise = torch.rand(2, 2, 3, 4, 5, dtype=torch.float64)
    denoised = image - noise
    down, right = [], []
    for plane in denoised.flatten(0, 1).tolist():
        down += [(plane[y + 1][x] - plane[y][x]) ** 2 for y in range(3) for x in range(5)]
        right += [(plane[y][x + 1] - plane[y][x]) ** 2 for y in range(4) for x in range(4)]
    terms = denoiser_terms(image, noise)
    expected = 2 * (sum(down) / len(down) + sum(right) / len(right))
    assert terms["smoothness"].item() == pytest.approx(expected, rel=1e-12)
    squares = [value.item() ** 2 for value in noise.flatten()]
    assert terms["fidelity"].item() == pytest.approx(1e-7 * sum(squares) / len(squares), rel=1e-12)


@pytest.mark.parametrize(
    ("objective", "trained", "kept"),
    [(RUASObjective, "iems", "denoise_net"), (RUASDenoiserObjective, "denoise_net", "iems")],
)
def test_each_objective_trains_its_own_module_only(objective, trained, kept, low):
    network = RUAS(denoise=True)
    loss, parts = objective()(network.run, low, None)
    assert sum(parts.values()) == pytest.approx(loss.item(), rel=1e-5)
    loss.backward()
    for parameter in getattr(network, trained).parameters():
        assert parameter.grad.isfinite().all()
    # The nearest layers to input and output, which a gradient cut on its way would miss.
    ends = {"iems": ("0.c1_r.op.weight", "2.c5.weight"), "denoise_net": ("stem.weight",)}
    for name in ends[trained]:
        assert getattr(network, trained).get_parameter(name).grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in getattr(network, kept).parameters())


def test_the_released_quirks_are_not_the_default(low):
    network = RUAS()
    default = RUASObjective()(network.run, low, None)[1]
    released = RUASObjective(released=True)(network.run, low, None)[1]
    assert default["fidelity"] == released["fidelity"]
    assert not math.isclose(default["smoothness"], released["smoothness"], rel_tol=0.1)


def test_edges_of_the_image_excuse_edges_of_the_illumination():
    edge = torch.zeros(1, 3, 16, 16)
    edge[..., 8:] = 1.0
    flat = torch.full_like(edge, 0.5)
    with_edge, without = (
        illumination_terms(edge, image)["smoothness"].item() for image in (edge, flat)
    )
    assert without > 1.0
    assert with_edge < 1e-6 * without


def test_training_the_denoiser_needs_it_to_run(low):
    with pytest.raises(EnhancerError, match="denoise"):
        RUASDenoiserObjective()(RUAS(denoise=False).run, low, None)
