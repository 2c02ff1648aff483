"""The updates against the paper's equations, row by row in float64, with conv2d."""

from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from enhancers.lfpv.options import Options
from enhancers.lfpv.sampling import Samples, draw_partners
from enhancers.lfpv.store import Nodes, Store
from enhancers.lfpv.updaters import NodeUpdater, Stack, Updaters, all_others

L, C = 5, 3
BRANCHES = {"vectors": (1, 1), "patches": (4, 9)}
STEP = torch.tensor(11)


def slow_stack(stack, rows):
    """Whole rows, N×(parts·c)×k×k, through all seven layers; BatchNorm by its definition."""
    for index, weight in enumerate(stack.weights):
        side = 3 if len(weight) == 9 else 1
        kernel = weight.permute(2, 1, 0).unflatten(2, (side, side))
        rows = F.conv2d(rows, kernel, padding=side // 2)
        if index == 6:
            return rows + stack.bias.view(-1, 1, 1)
        norm = stack.norms[index]
        mean = rows.mean((0, 2, 3), keepdim=True)
        spread = ((rows - mean) ** 2).mean((0, 2, 3), keepdim=True)
        unit = (rows - mean) / torch.sqrt(spread + norm.eps)
        rows = F.relu(unit * norm.weight.view(-1, 1, 1) + norm.bias.view(-1, 1, 1))


def slow_delta(updater, samples, nodes, embedding):
    """S(f ⊕ C_j ⊕ e_j) of every sample and node, N×l×c×k×k."""
    rows = [
        torch.cat([one, nodes[j], embedding[j].view(C, 1, 1).expand_as(nodes[j])])
        for one in samples
        for j in range(L)
    ]
    return slow_stack(updater.sample, torch.stack(rows)).unflatten(0, (len(samples), L))


def slow_wedge(updater, nodes, embedding, partners):
    """M(C_j ⊕ C_h ⊕ e_j ⊕ e_h) of every node j and each of its partners h, l×n×c×k×k."""
    rows = []
    for j in range(L):
        for h in partners[j]:
            e_j, e_h = (embedding[i].view(C, 1, 1).expand_as(nodes[i]) for i in (j, h))
            rows.append(torch.cat([nodes[j], nodes[h], e_j, e_h]))
    return slow_stack(updater.mutual, torch.stack(rows)).unflatten(0, (L, -1))


def slow_norm(values, norm):
    flat = values.flatten(1)
    mean = flat.mean(1, keepdim=True)
    spread = ((flat - mean) ** 2).mean(1, keepdim=True)
    unit = ((flat - mean) / torch.sqrt(spread + norm.eps)).view_as(values)
    return unit * norm.weight + norm.bias


def every_other():
    return [[h for h in range(L) if h != j] for j in range(L)]


def setting(branch, **options):
    size, taps = BRANCHES[branch]
    torch.manual_seed(size)
    updater = NodeUpdater(C, size, taps, Options(nodes=L, **options)).double()
    for name, parameter in updater.named_parameters():
        if "norm" in name:
            nn.init.uniform_(parameter, 0.5, 1.5)
    values = {"dtype": torch.float64}
    nodes = torch.randn(L, C, size, size, **values)
    return updater, torch.randn(4, C, size, size, **values), nodes, torch.randn(L, C, **values)


@pytest.fixture(params=BRANCHES)
def branch(request):
    return request.param


def test_sample_updater_against_loops(branch):
    updater, samples, nodes, embedding = setting(branch)
    got = updater.sample_update(samples, nodes, embedding)
    expected = slow_delta(updater, samples, nodes, embedding).mean(0)
    assert torch.allclose(got, expected, atol=1e-10)


def test_mutual_updater_against_loops(branch):
    updater, _, nodes, embedding = setting(branch)
    got = updater.mutual_update(nodes, embedding, all_others(L, nodes.device))
    expected = slow_wedge(updater, nodes, embedding, every_other()).mean(1)
    assert torch.allclose(got, expected, atol=1e-10)


@pytest.mark.parametrize("centre", ["none", "nodes"])
@pytest.mark.parametrize("learn", ["updated", "without_su", "without_mu"])
def test_additive_update_against_loops(branch, learn, centre):
    updater, samples, nodes, embedding = setting(branch, learn=learn, centre=centre)
    expected = nodes
    if learn != "without_su":
        expected = expected + slow_delta(updater, samples, nodes, embedding).mean(0)
    if learn != "without_mu":
        expected = expected + slow_wedge(updater, nodes, embedding, every_other()).mean(1)
    if centre == "nodes":
        expected = expected - sum(expected) / L
    expected = slow_norm(expected, updater.norm)
    got = updater(samples, nodes, embedding, STEP)
    assert torch.allclose(got, expected, atol=1e-10)


def test_raw_update_against_loops(branch):
    updater, samples, nodes, embedding = setting(branch, rule="additive_raw")
    delta = slow_delta(updater, samples, nodes, embedding).sum(0)
    wedge = slow_wedge(updater, nodes, embedding, every_other()).sum(1)
    got = updater(samples, nodes, embedding, STEP)
    assert torch.allclose(got, nodes + delta + wedge, atol=1e-10)


@pytest.mark.parametrize("rule", ["additive", "additive_raw"])
def test_fewer_partners_stand_for_all_others(branch, rule):
    options = {"learn": "without_su", "partners": 2, "rule": rule}
    updater, samples, nodes, embedding = setting(branch, **options)
    met = draw_partners(L, 2, STEP).tolist()
    wedge = slow_wedge(updater, nodes, embedding, met).mean(1)
    raw = rule == "additive_raw"
    expected = nodes + (L - 1) * wedge if raw else slow_norm(nodes + wedge, updater.norm)
    assert torch.allclose(updater(samples, nodes, embedding, STEP), expected, atol=1e-10)


@pytest.mark.parametrize("centre", ["none", "both"])
@pytest.mark.parametrize("learn", ["updated", "without_su", "without_mu"])
def test_sequential_update_against_loops(branch, learn, centre):
    options = {"rule": "sequential", "learn": learn, "centre": centre}
    updater, samples, nodes, embedding = setting(branch, **options)

    def settled(values, norm):
        return slow_norm(values - sum(values) / L if centre == "both" else values, norm)

    expected = nodes
    if learn != "without_su":
        last = updater.norm if learn == "without_mu" else updater.sample_norm
        expected = slow_delta(updater, samples, nodes, embedding).mean(0)
        expected = settled(expected, last)
    if learn != "without_mu":
        partners = draw_partners(L, 1, STEP).tolist()
        expected = slow_wedge(updater, expected, embedding, partners)[:, 0]
        expected = settled(expected, updater.norm)
    got = updater(samples, nodes, embedding, STEP)
    assert torch.allclose(got, expected, atol=1e-10)


def test_partners_change_with_the_step():
    updater, samples, nodes, embedding = setting("vectors", rule="sequential")
    first, second = (updater(samples, nodes, embedding, torch.tensor(o)) for o in (0, 1))
    assert not torch.allclose(first, second)


def test_updates_use_batch_statistics_in_evaluation_too(branch):
    updater, samples, nodes, embedding = setting(branch)
    expected = updater.train()(samples, nodes, embedding, STEP)
    assert torch.equal(updater.eval()(samples, nodes, embedding, STEP), expected)


@pytest.mark.parametrize(
    ("channels", "max_width", "hidden"),
    [(3, 256, 12), (64, 256, 256), (128, 256, 256), (16, 10, 10)],
)
def test_stack_widths_and_depth(channels, max_width, hidden):
    stack = Stack(3, channels, 9, max_width)
    widths = [3 * channels, *[hidden] * 5, channels, channels]
    assert [tuple(weight.shape) for weight in stack.weights] == [
        (9, before, after) for before, after in pairwise(widths)
    ]
    assert [norm.num_features for norm in stack.norms] == widths[1:-1]


def test_stack_starts_as_torch_does():
    stack, torchs = Stack(3, 8, 9, 256), nn.Conv2d(24, 32, 3)
    assert stack.weights[0].abs().max().item() == pytest.approx(
        torchs.weight.abs().max().item(), rel=0.01
    )
    assert stack.weights[0].std().item() == pytest.approx(torchs.weight.std().item(), rel=0.05)


def both(**options):
    torch.manual_seed(0)
    chosen = Options(nodes=L, **options)
    store, updaters = Store(C, chosen).double(), Updaters(C, chosen).double()
    values = {"dtype": torch.float64}
    store.keep(Nodes(torch.randn(L, C, **values), torch.randn(L, C, 4, 4, **values)))
    return store, updaters


def random_samples(count=6):
    return Samples(torch.randn(count, C).double(), torch.randn(count, C, 4, 4).double())


def test_each_branch_gets_its_own_sample_and_the_step():
    store, updaters = both(rule="sequential")
    samples = random_samples()
    got = updaters(samples, store.nodes, store.updates)
    step = torch.tensor(1)
    maps = (samples.vectors[..., None, None], store.vectors[..., None, None])
    expected = updaters.vectors(*maps, updaters.embedding, step)
    assert torch.equal(got.vectors, expected[..., 0, 0])
    expected = updaters.patches(samples.patches, store.patches, updaters.embedding, step)
    assert torch.equal(got.patches, expected)


def test_equal_nodes_are_told_apart_by_their_embedding():
    torch.manual_seed(0)
    samples = Samples(torch.randn(2, C), torch.randn(2, C, 4, 4))
    store = Store(C, Options(nodes=L))
    updated = Updaters(C, Options(nodes=L))(samples, store.nodes, store.updates)
    assert torch.pdist(updated.vectors).min() > 1e-3
    assert torch.pdist(updated.patches.flatten(1)).min() > 1e-3


@pytest.mark.parametrize("rule", ["additive", "sequential", "additive_raw"])
@torch.no_grad()
def test_nodes_over_200_steps(rule):
    """Bounded under every rule but the raw one: a unit LayerNorm gives ‖C‖ = √d."""
    torch.manual_seed(1)
    options = Options(nodes=8, rule=rule)
    store, updaters = Store(4, options), Updaters(4, options)
    generator = torch.Generator().manual_seed(2)
    for _ in range(200):
        vectors = 5 * torch.randn(3, 4, generator=generator)
        patches = 5 * torch.randn(3, 4, 4, 4, generator=generator)
        store.keep(updaters(Samples(vectors, patches), store.nodes, store.updates))
    vectors, patches = store.vectors.norm(dim=1), store.patches.flatten(1).norm(dim=1)
    largest = max(vectors.max() / 2, patches.max() / 8)
    assert largest.isfinite()
    if rule == "additive_raw":
        assert largest > 20
    else:
        assert largest <= 1 + 1e-5
