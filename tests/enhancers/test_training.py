import itertools
from types import SimpleNamespace

import pytest
import torch

from enhancers import EnhancerError
from enhancers.lfpv import LFPVEnhancer
from enhancers.losses import Objective, Paired
from enhancers.losses.sci import SCIObjective
from enhancers.losses.zerodcepp import ZeroDCEppObjective
from enhancers.sci import SCI
from enhancers.training import TrainingConfig, total_loss, train
from enhancers.zerodcepp import ZeroDCEpp

CASES = {
    "sci-own": (SCI, SCIObjective, 3e-3),
    "sci-paired": (SCI, Paired, 1e-2),
    "zerodcepp-own": (lambda: ZeroDCEpp(1), ZeroDCEppObjective, 2e-3),
    "zerodcepp-paired": (lambda: ZeroDCEpp(1), Paired, 2e-3),
}


def batches():
    generator = torch.Generator().manual_seed(0)
    normal = torch.rand(2, 3, 16, 16, generator=generator)
    return itertools.repeat((normal * 0.2, normal))


def with_lfpv(network):
    return LFPVEnhancer(network.encode, network.decode, network.feature_channels, nodes=4)


@pytest.mark.parametrize("lfpv", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_loss_falls(case, lfpv):
    torch.manual_seed(0)
    network, objective, rate = CASES[case]
    model = with_lfpv(network()) if lfpv else network()
    losses = []
    config = TrainingConfig(steps=15, learning_rate=rate, clip_norm=5.0)
    train(model, objective(), batches(), config, lambda step, parts: losses.append(parts["loss"]))
    assert len(losses) == 15
    assert sum(losses[-3:]) / 3 < 0.9 * losses[0]


def test_the_objectives_own_parameters_are_trained():
    model, objective = SCI(), SCIObjective()
    before = objective.calibrate.out_conv[0].weight.clone()
    train(model, objective, batches(), TrainingConfig(1, 1e-3), lambda step, parts: None)
    assert not torch.equal(objective.calibrate.out_conv[0].weight, before)


def test_total_loss_weighs_the_lfpv_path():
    torch.manual_seed(0)
    model = with_lfpv(SCI())
    low, normal = next(batches())
    loss, parts = total_loss(model, Paired(), low, normal, 0.25)
    assert loss.item() == pytest.approx(parts["plain"] + 0.25 * parts["lfpv"], rel=1e-6)
    assert parts["plain"] != pytest.approx(parts["lfpv"], rel=1e-3)
    assert parts["plain.charbonnier"] == pytest.approx(parts["plain"])


class Broken(Objective):
    """Finite for two calls, then not a number."""

    calls = 0

    def forward(self, run, low, normal):
        self.calls += 1
        return run(low).image.mean() * (float("nan") if self.calls > 2 else 1.0), {}


def test_a_loss_that_is_not_finite_is_told_before_it_reaches_the_weights():
    model = SCI()
    with pytest.raises(EnhancerError, match="nan at step 3"):
        train(model, Broken(), batches(), TrainingConfig(5, 1e-3), lambda step, parts: None)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


def test_batches_that_run_out_are_told():
    two = itertools.islice(batches(), 2)
    with pytest.raises(EnhancerError, match="step 3 of 5"):
        train(SCI(), Paired(), two, TrainingConfig(5, 1e-3), lambda step, parts: None)


def test_gradients_are_clipped():
    torch.manual_seed(0)
    objective = Paired()
    norms = []

    def look(step, parts):
        squares = [p.grad.square().sum() for p in model.parameters()]
        norms.append(torch.stack(squares).sum().sqrt().item())

    for limit in (1e-3, 1e3):
        model = SCI()
        train(model, objective, batches(), TrainingConfig(1, 1e-4, clip_norm=limit), look)
    assert norms[0] == pytest.approx(1e-3, rel=1e-2)
    assert norms[1] > 2e-3


def test_schedules():
    constant, cosine = (TrainingConfig(10, 1.0, schedule=name) for name in ("constant", "cosine"))
    assert [constant.rate_factor(step) for step in (0, 5, 9)] == [1, 1, 1]
    assert cosine.rate_factor(0) == 1
    assert cosine.rate_factor(5) == pytest.approx(0.5)
    assert cosine.rate_factor(10) == pytest.approx(0)


@pytest.mark.parametrize(
    "wrong", [{"steps": 0}, {"learning_rate": 0.0}, {"clip_norm": 0.0}, {"schedule": "linear"}]
)
def test_wrong_options_are_told(wrong):
    with pytest.raises(EnhancerError, match=next(iter(wrong))):
        TrainingConfig(**{"steps": 1, "learning_rate": 1e-3} | wrong)


def test_the_learning_rate_follows_the_schedule(monkeypatch):
    rates = []
    real = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam,
        "step",
        lambda self, *given: (rates.append(self.param_groups[0]["lr"]), real(self, *given))[1],
    )
    config = TrainingConfig(4, 1e-3, schedule="cosine")
    train(SCI(), Paired(), batches(), config, lambda step, parts: None)
    assert rates == pytest.approx([1e-3 * config.rate_factor(step) for step in range(4)])


def test_parts_of_a_plain_network_come_with_the_loss():
    run = SimpleNamespace(run=lambda low: SimpleNamespace(image=low))
    low, normal = next(batches())
    loss, parts = total_loss(run, Paired(), low, normal, 1.0)
    assert parts == {"loss": loss.item(), "charbonnier": loss.item()}
