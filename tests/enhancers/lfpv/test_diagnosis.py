"""The diagnostics against attention built by hand."""

import math

import pytest
import torch

from enhancers import EnhancerError
from enhancers.lfpv import LFPVEnhancer, diagnose, node_norms
from enhancers.lfpv.store import Nodes

L, C = 4, 4


def build(toy_class, nodes=None, **options):
    torch.manual_seed(0)
    toy = toy_class(stride=2)
    model = LFPVEnhancer(toy.encode, toy.decode, C, nodes=L, patch=2, **options)
    model.store.keep(nodes or Nodes(torch.randn(L, C), torch.randn(L, C, 2, 2)))
    return model


def image():
    return torch.rand(2, 3, 20, 18, generator=torch.Generator().manual_seed(3))


def queried(model, branch):
    """Weights and answers of every query, as rows, from the model's own query."""
    feature = model.encode(image())[0]
    memories = model.store.recall(model.store.nodes)
    weights = getattr(model.store.attend(feature, memories), branch)
    nodes = getattr(model.store, branch).flatten(1)
    rows = weights.movedim(1, -1).flatten(0, 2)
    return rows, rows @ nodes


@pytest.mark.parametrize("branch", ["vectors", "patches"])
@torch.no_grad()
def test_figures_against_their_definitions(toy_class, branch):
    model = build(toy_class, temperature="sqrt").eval()
    found = getattr(diagnose(model, image()), branch)
    rows, answers = queried(model, branch)
    norms = getattr(model.store, branch).flatten(1).norm(dim=1)
    assert found.norm_mean == pytest.approx(norms.mean().item())
    assert found.norm_max == pytest.approx(norms.max().item())
    winners = rows.argmax(1)
    for j in range(L):
        assert found.usage[j] == pytest.approx((winners == j).float().mean().item())
        assert found.attention[j] == pytest.approx(rows[:, j].mean().item(), abs=1e-6)
    entropy = -(rows * rows.log()).sum(1).mean() / math.log(L)
    assert found.entropy == pytest.approx(entropy.item(), rel=1e-4)
    energy = answers.square().sum(1).mean()
    constant = answers.mean(0).square().sum() / energy
    assert found.constant == pytest.approx(constant.item(), rel=1e-4)
    unit = torch.nn.functional.normalize(getattr(model.store, branch).flatten(1))
    cosines = [unit[j] @ unit[h] for j in range(L) for h in range(L) if h != j]
    assert found.similarity == pytest.approx(sum(cosines).item() / len(cosines), abs=1e-6)
    side = 1 if branch == "vectors" else 2
    assert found.winners.shape == (2, math.ceil(10 / side), math.ceil(9 / side))
    assert torch.equal(found.winners.flatten(), winners)


def test_one_node_for_all_is_a_bias(toy_class):
    same = Nodes(torch.ones(1, C).expand(L, C), torch.ones(1, C, 2, 2).expand(L, C, 2, 2))
    found = diagnose(build(toy_class, same), image()).vectors
    assert found.constant == pytest.approx(1, abs=1e-5)
    assert found.entropy == pytest.approx(1, abs=1e-5)
    assert found.used == 1


def test_a_closed_gate_has_no_energy(toy_class):
    assert diagnose(build(toy_class, gate=True), image()).vectors.constant == 0


def test_one_branch(toy_class):
    nodes = Nodes(torch.randn(L, C), None)
    found = diagnose(build(toy_class, nodes, branches="vectors"), image())
    assert found.patches is None
    assert {name.partition(".")[0] for name in found.scalars()} == {"vectors"}


def test_scalars_are_floats_for_a_log(toy_class):
    scalars = diagnose(build(toy_class), image()).scalars()
    assert len(scalars) == 12
    assert all(type(value) is float for value in scalars.values())
    norms = node_norms(build(toy_class).store.nodes)
    assert norms.items() <= scalars.items()


def test_it_changes_nothing(toy_class):
    model = build(toy_class).train()
    model.network.norm.eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    diagnose(model, image())
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_untrained_nodes_are_told(toy_class):
    toy = toy_class()
    model = LFPVEnhancer(toy.encode, toy.decode, C).train()
    with pytest.raises(EnhancerError, match="no trained nodes"):
        diagnose(model, image())
    assert model.training
