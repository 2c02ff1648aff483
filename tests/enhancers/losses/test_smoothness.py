import pytest
import torch

from enhancers.losses.smoothness import smoothness, total_variation


def slow_smoothness(illumination, colours, sigma):
    total = 0.0
    height, width = illumination.shape[-2:]
    for down in range(-2, 3):
        for right in range(-2, 3):
            terms = []
            for y in range(max(0, -down), min(height, height - down)):
                for x in range(max(0, -right), min(width, width - right)):
                    there = (..., y + down, x + right)
                    distance = ((colours[there] - colours[..., y, x]) ** 2).sum(1)
                    step = (illumination[there] - illumination[..., y, x]).abs().sum(1)
                    terms.append(torch.exp(-distance / (2 * sigma**2)) * step)
            if (down, right) != (0, 0):
                total += torch.stack(terms).mean()
    return total


@pytest.mark.parametrize("sigma", [10.0, 3.0])
def test_smoothness_against_loops(sigma):
    illumination = torch.rand(2, 3, 5, 6, dtype=torch.float64)
    colours = 20 * torch.rand(2, 3, 5, 6, dtype=torch.float64)
    expected = slow_smoothness(illumination, colours, sigma)
    assert smoothness(illumination, colours, sigma).item() == pytest.approx(
        expected.item(), rel=1e-12
    )


def test_total_variation_of_a_ramp():
    ramp = 0.1 * torch.arange(5.0).reshape(1, 1, 1, 5).expand(2, 3, 4, 5)
    assert total_variation(ramp).item() == pytest.approx(2 * 3 * 0.01, rel=1e-5)
