import json

import pytest
import torch

from enhancers.losses.zerodcepp import (
    ZeroDCEppObjective,
    colour_constancy,
    exposure,
    spatial_consistency,
)
from enhancers.zerodcepp import ZeroDCEpp

NAMES = {
    "smoothness": "L_TV(A)*1600",
    "spatial": "L_spa",
    "colour": "5*L_color",
    "exposure": "10*L_exp(16,0.6)",
}


@pytest.mark.shared
def test_parity_with_the_released_loss(shared, weights, loss_input):
    expected = json.loads((shared / "reference/losses/loss_zerodcepp.json").read_text())
    network = ZeroDCEpp(1)
    network.load_released(weights("zerodcepp/Epoch99.pth"))
    with torch.no_grad():
        loss, parts = ZeroDCEppObjective()(network.run, loss_input, None)
    assert loss.item() == pytest.approx(expected["total"], rel=1e-5)
    for ours, theirs in NAMES.items():
        assert parts[ours] == pytest.approx(expected["official"][theirs], rel=1e-5)


def test_spatial_consistency_against_loops():
    image, low = torch.rand(2, 2, 3, 12, 16, dtype=torch.float64)
    change = (image - low).mean(1)
    regions = {
        (n, y, x): change[n, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4].mean().item()
        for n in range(2)
        for y in range(3)
        for x in range(4)
    }
    total = sum(
        (here - regions.get((n, y + down, x + right), 0.0)) ** 2
        for (n, y, x), here in regions.items()
        for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1))
    )
    got = spatial_consistency(image, low).item()
    assert got == pytest.approx(total / len(regions), rel=1e-12)


def test_colour_constancy_of_known_means():
    colour = torch.tensor([0.1, 0.3, 0.4]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    expected = (0.2**4 + 0.3**4 + 0.1**4) ** 0.5
    assert colour_constancy(colour).item() == pytest.approx(expected, rel=1e-5)


def test_colour_constancy_has_a_gradient_at_grey():
    grey = torch.full((1, 3, 4, 4), 0.5, requires_grad=True)
    colour_constancy(grey).backward()
    assert grey.grad.isfinite().all()


def test_exposure_looks_at_patches():
    image = torch.zeros(1, 3, 16, 32)
    image[..., 16:] = 1.0
    assert exposure(image).item() == pytest.approx((0.36 + 0.16) / 2, rel=1e-5)
