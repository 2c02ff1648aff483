import json
import math

import pytest
import torch

from enhancers import EnhancerError
from enhancers.losses.calibration import SelfCalibration
from enhancers.losses.sci import SCIObjective, ycbcr
from enhancers.sci import SCI
from tests.enhancers.losses.test_smoothness import slow_smoothness


@pytest.mark.shared
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_parity_with_the_released_loss(mode, shared, weights, loss_input):
    expected = json.loads((shared / "reference/losses/loss_sci.json").read_text())[mode]
    network, objective = SCI(), SCIObjective(released_ycbcr=True)
    network.load_released(weights("sci/medium.pt"))
    objective.calibrate.load_released(weights("sci/medium.pt"))
    network.train(mode == "train")
    objective.train(mode == "train")
    loss, parts = objective(network.run, loss_input, None)
    assert loss.item() == pytest.approx(expected["total_3stage"], rel=1e-5)
    assert sum(parts.values()) == pytest.approx(loss.item(), rel=1e-5)
    stages = expected["per_stage"]
    smooth = sum(stage["smooth"] for stage in stages)
    assert parts["smoothness"] == pytest.approx(smooth, rel=1e-5)
    loss.backward()
    parameters = [*network.parameters(), *objective.parameters()]
    assert sum(parameter.numel() for parameter in parameters) == 5877
    norm = torch.stack([parameter.grad.norm() for parameter in parameters]).norm()
    assert norm.item() == pytest.approx(expected["grad_norm"], rel=3e-4)


def test_smoothness_of_the_first_stage():
    network, low = SCI().double(), torch.rand(1, 3, 5, 6, dtype=torch.float64)
    stage = SCIObjective().double().stages(network.run, low)[0]
    expected = slow_smoothness(network.run(low).illumination, ycbcr(low), 10)
    assert stage.smoothness.item() == pytest.approx(expected.item(), rel=1e-12)


def test_ycbcr_of_known_colours():
    white_red_blue = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 1]]).T.reshape(1, 3, 1, 3)
    y, cb, cr = ycbcr(white_red_blue)[0, :, 0]
    assert y[0] == pytest.approx(219 / 255, abs=1e-3)
    assert cb[0] == pytest.approx(0, abs=1e-3)
    assert cr[0] == pytest.approx(0, abs=1e-3)
    assert cr[1] == pytest.approx(112 / 255, abs=1e-3)
    assert cb[2] == pytest.approx(112 / 255, abs=1e-3)


def test_the_right_conversion_is_the_default_and_differs():
    network, low = SCI(), torch.rand(1, 3, 16, 17)
    losses = []
    for released in (False, True):
        torch.manual_seed(0)
        losses.append(SCIObjective(released).eval()(network.eval().run, low, None)[0].item())
    assert not math.isclose(losses[0], losses[1], rel_tol=1e-5)


def test_calibration_is_trained_by_the_objective():
    network, objective = SCI(), SCIObjective()
    objective(network.run, torch.rand(2, 3, 16, 16), None)[0].backward()
    assert all(parameter.grad is not None for parameter in objective.parameters())
    assert objective.calibrate.convs[0].weight.grad.abs().sum() > 0


def test_calibration_refuses_other_weights():
    with pytest.raises(EnhancerError, match="missing"):
        SelfCalibration().load_released({"calibrate.in_conv.0.bias": torch.zeros(16)})
