"""The loss of a step: one path, two paths, and what both share."""

from typing import NamedTuple

import pytest
import torch
from torch import nn

from enhancers.errors import EnhancerError
from enhancers.lfpv import LFPVEnhancer, TwoPath
from enhancers.losses import Objective, Paired
from enhancers.losses.sci import SCIObjective
from enhancers.losses.zerodcepp import ZeroDCEppObjective
from enhancers.sci import SCI
from enhancers.training import StepLoss, in_full_precision, plain_network
from enhancers.zerodcepp import ZeroDCEpp

CASES = {
    "sci-own": (SCI, SCIObjective, 3e-3),
    "sci-paired": (SCI, Paired, 1e-2),
    "zerodcepp-own": (lambda: ZeroDCEpp(1), ZeroDCEppObjective, 2e-3),
    "zerodcepp-paired": (lambda: ZeroDCEpp(1), Paired, 2e-3),
}


@pytest.fixture
def batch():
    normal = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return normal * 0.2, normal


def with_lfpv(network):
    return LFPVEnhancer(network.encode, network.decode, network.feature_channels, nodes=4)


@pytest.mark.parametrize("lfpv", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_every_loss_falls(case, lfpv, batch):
    torch.manual_seed(0)
    network, objective, rate = CASES[case]
    loss = StepLoss(with_lfpv(network()) if lfpv else network(), objective())
    optimiser = torch.optim.Adam(loss.parameters(), rate)
    losses = []
    for _ in range(15):
        step = loss(*batch)
        optimiser.zero_grad()
        step.loss.backward()
        nn.utils.clip_grad_norm_(loss.parameters(), 5.0)
        optimiser.step()
        losses.append(step.parts["loss"])
    assert sum(losses[-3:]) / 3 < 0.9 * losses[0]


def test_control_and_lfpv_track_as_often_as_the_base(batch):
    """Or BatchNorm at inference would differ for another reason than the nodes."""

    def tracked(model):
        norm, momenta = plain_network(model).conv[1], []
        norm.register_forward_pre_hook(lambda norm, _: momenta.append(norm.momentum))
        StepLoss(model, SCIObjective())(*batch)
        return sum(momentum > 0 for momentum in momenta)

    base, network = tracked(SCI()), SCI()
    assert tracked(TwoPath(network.encode, network.decode)) == base
    assert tracked(with_lfpv(SCI())) == base


def test_an_objective_of_another_network_is_told(batch):
    with pytest.raises(EnhancerError, match="^ZeroDCEppObjective does not fit SCI: .*'curve'"):
        StepLoss(SCI(), ZeroDCEppObjective())(*batch)


def test_lambda_weighs_the_lfpv_path(batch):
    torch.manual_seed(0)
    step = StepLoss(with_lfpv(SCI()), Paired(), lfpv_weight=0.25)(*batch)
    parts = step.parts
    assert step.loss.item() == pytest.approx(parts["plain"] + 0.25 * parts["lfpv"], rel=1e-6)
    assert parts["plain"] != pytest.approx(parts["lfpv"], rel=1e-3)
    assert parts["plain.charbonnier"] == pytest.approx(parts["plain"])
    assert parts["lfpv.charbonnier"] == pytest.approx(parts["lfpv"])
    assert step.images.keys() == {"plain", "lfpv"}
    assert all(image.shape == batch[0].shape for image in step.images.values())


def test_a_plain_network_has_one_path(batch):
    network = SCI()
    step = StepLoss(network, Paired())(*batch)
    assert step.parts == {"loss": step.loss.item(), "charbonnier": step.loss.item()}
    assert step.images.keys() == {"plain"}
    torch.testing.assert_close(step.images["plain"], network.run(batch[0]).image)


def test_without_nodes_the_plain_path_is_trained_alone(batch):
    model = with_lfpv(SCI())
    step = StepLoss(model, Paired(), nodes="none")(*batch)
    assert step.images.keys() == {"plain"}
    assert not model.trained


class Output(NamedTuple):
    image: torch.Tensor


class Paths(NamedTuple):
    plain: object
    lfpv: object


class TwoPaths(nn.Module):
    """Stands for LFPV: the lfpv path is darker by half; remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))
        self.learnt, self.stored, self.given = [], [], {"plain": [], "lfpv": []}

    def training_paths(self, image, indices=None):
        self.learnt.append((image, indices))
        return self._paths()

    def stored_paths(self, image):
        self.stored.append(image)
        return self._paths()

    def _paths(self):
        def path(name, factor):
            def run(image):
                self.given[name].append(image)
                return Output(image * factor * self.weight)

            return run

        return Paths(path("plain", 1.0), path("lfpv", 0.5))


class Adversarial(Objective):
    """Draws what it gives the network, runs it twice, and has an adversary."""

    def __init__(self):
        super().__init__()
        self.discriminators = nn.ModuleDict({"one": nn.Linear(1, 1)})
        self.fake = None

    def forward(self, run, low, normal):
        self.fake = run(low * torch.rand(())).image.detach()
        loss = run(low + 1).image.mean()
        return loss, {"mean": loss.item()}

    def discriminator_loss(self, fake, normal):
        return fake.mean() - normal.mean(), {"fakes": float(len(fake))}


def test_both_paths_get_the_same_random_image_and_one_encoder_pass(batch):
    model, indices = TwoPaths(), torch.tensor([6, 7])
    step_loss = StepLoss(model, Adversarial())
    step_loss(*batch, indices)
    (first, second), (other, _) = model.given["plain"], model.given["lfpv"]
    assert other is first
    assert not torch.equal(first, batch[0])
    assert torch.equal(second, batch[0] + 1)
    ((learnt, given),) = model.learnt
    assert learnt is first and given is indices
    assert not model.stored


def test_randomness_goes_on_after_both_paths(batch):
    drawn = []
    torch.manual_seed(0)
    for _ in range(2):
        model = TwoPaths()
        StepLoss(model, Adversarial())(*batch)
        drawn.append(model.given["plain"][0])
    assert not torch.equal(*drawn)


def test_the_adversary_sees_what_both_paths_made(batch):
    step_loss = StepLoss(TwoPaths(), Adversarial())
    for _ in range(2):
        step = step_loss(*batch)
    plain, lfpv = step_loss.fakes
    torch.testing.assert_close(lfpv, plain / 2)
    loss, parts = step_loss.discriminator_loss(batch[1])
    assert parts == {"fakes": 4.0}
    torch.testing.assert_close(loss, torch.cat([plain, lfpv]).mean() - batch[1].mean())
    torch.testing.assert_close(step.images["lfpv"], lfpv)


def test_fixed_nodes_are_not_updated(batch):
    model = TwoPaths()
    step = StepLoss(model, Paired(), nodes="fixed")(*batch)
    assert not model.learnt
    assert model.stored[0] is batch[0]
    assert {"plain", "lfpv"} <= step.parts.keys()
    real = with_lfpv(SCI())
    StepLoss(real, Paired())(*batch)
    before = {key: value.clone() for key, value in real.store.state_dict().items()}
    StepLoss(real, Paired(), nodes="fixed")(*batch)
    assert all(torch.equal(before[key], value) for key, value in real.store.state_dict().items())


def test_the_objective_gets_full_precision(batch):
    seen = []

    class Looking(Paired):
        def forward(self, run, low, normal):
            seen.append(run(low))
            return super().forward(run, low, normal)

    network = SCI()
    step = StepLoss(network, Looking(), precision=torch.bfloat16)(*batch)
    assert {value.dtype for value in seen[0]} == {torch.float32}
    whole = network.run(batch[0]).image
    assert not torch.equal(step.images["plain"], whole)
    torch.testing.assert_close(step.images["plain"], whole, atol=2e-2, rtol=0)


def test_full_precision_inside_tuples():
    half = torch.ones(1, dtype=torch.bfloat16)
    wide = in_full_precision(Output((half, Output(half.double()), None)))
    assert isinstance(wide, Output)
    assert wide.image[0].dtype == torch.float32
    assert wide.image[1].image.dtype == torch.float64
    assert wide.image[2] is None
