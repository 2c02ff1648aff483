"""The query against the paper's equations, written as loops in float64."""

import math

import pytest
import torch
import torch.nn.functional as F

from enhancers import EnhancerError
from enhancers.lfpv import store as store_module
from enhancers.lfpv.options import Options
from enhancers.lfpv.store import Nodes, Store

L, C, K = 5, 3, 4
OPTIONS = {
    "paper": {},
    "bare": {"normalize": False},
    "sqrt": {"temperature": "sqrt"},
    "learnt": {"temperature": "learnt", "normalize": False},
    "queries": {"centre": "queries"},
    "gate": {"gate": True},
}


def make(channels=C, **options):
    """A store of random parameters in float64."""
    torch.manual_seed(0)
    made = Store(channels, Options(**{"nodes": L, "patch": K} | options)).double()
    for name, parameter in made.named_parameters():
        if name not in ("vectors", "patches"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return made


@pytest.fixture(params=OPTIONS)
def options(request):
    return OPTIONS[request.param]


@pytest.fixture
def nodes():
    return random_nodes()


def random_nodes(seed=1, channels=C, dtype=torch.float64):
    options = {"generator": torch.Generator().manual_seed(seed), "dtype": dtype}
    return Nodes(torch.randn(L, channels, **options), torch.randn(L, channels, K, K, **options))


def features(height, width, channels=C):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(2, channels, height, width, generator=generator, dtype=torch.float64)


def normalized(values, norm):
    """LayerNorm of a flat vector, by its definition."""
    if isinstance(norm, torch.nn.Identity):
        return values
    spread = ((values - values.mean()) ** 2).mean()
    return (values - values.mean()) / torch.sqrt(spread + norm.eps) * norm.weight + norm.bias


def slow_weights(query, keys, attention, temperature):
    """softmax over the nodes of q·C_j/τ for one flat query."""
    divisor = {"one": 1.0, "sqrt": math.sqrt(len(query))}.get(temperature)
    if divisor is None:
        divisor = attention.log_temperature.exp()
    asked = normalized(query, attention.query_norm)
    logits = [(asked * normalized(key, attention.key_norm)).sum() / divisor for key in keys]
    powers = torch.stack(logits).exp()
    return powers / powers.sum()


def slow_fusion(store, feature, nodes, options, branches=("vectors", "patches")):
    """f_d + g·(f̄_d + f̄'_d), one position and one patch after the other."""
    batch, _, height, width = feature.shape
    attentions = {"vectors": store.vector_attention, "patches": store.patch_attention}
    fused = feature.clone()
    for branch in branches:
        size = 1 if branch == "vectors" else K
        keys = [node.flatten() for node in getattr(nodes, branch)]
        for n in range(batch):
            corners = [(y, x) for y in range(0, height, size) for x in range(0, width, size)]
            centred = options.get("centre") == "queries"
            mean = feature[n].flatten(1).mean(1).view(C, 1, 1) if centred else 0
            for top, left in corners:
                patch = torch.empty(C, size, size, dtype=torch.float64)
                for y in range(size):
                    for x in range(size):
                        at = min(top + y, height - 1), min(left + x, width - 1)
                        patch[:, y, x] = feature[n, :, at[0], at[1]]
                query, divisor = (patch - mean).flatten(), options.get("temperature", "one")
                weights = slow_weights(query, keys, attentions[branch], divisor)
                answer = sum(weight * key for weight, key in zip(weights, keys, strict=True))
                answer = answer.view(C, size, size) * (store.gate if options.get("gate") else 1)
                region = fused[n, :, top : top + size, left : left + size]
                region += answer[:, : region.shape[1], : region.shape[2]]
    return fused


@pytest.mark.parametrize("size", [(8, 12), (9, 7), (2, 3)])
@torch.no_grad()
def test_fusion_against_loops(options, nodes, size):
    store = make(**options)
    got = store(features(*size), store.recall(nodes))
    expected = slow_fusion(store, features(*size), nodes, options)
    assert torch.allclose(got, expected, atol=1e-11)


@pytest.mark.parametrize("branch", ["vectors", "patches"])
@torch.no_grad()
def test_one_branch_against_loops(nodes, branch):
    store = make(branches=branch)
    got = store(features(9, 7), store.recall(nodes))
    assert torch.allclose(got, slow_fusion(store, features(9, 7), nodes, {}, (branch,)), atol=1e-11)
    other = {"vectors": "patch", "patches": "vector"}[branch]
    assert not any(other in key for key in store.state_dict())


@pytest.mark.parametrize("name", sorted(OPTIONS.keys() - {"paper"}))
@torch.no_grad()
def test_every_option_changes_the_query(nodes, name):
    paper, other = make(), make(**OPTIONS[name])
    first, second = (one(features(8, 8), one.recall(nodes)) for one in (paper, other))
    assert not torch.allclose(first, second, atol=1e-2)


@torch.no_grad()
def test_what_each_place_attends_to(nodes):
    store, feature = make(), features(9, 7)
    vectors, patches = store.attend(feature, store.recall(nodes))
    assert vectors.shape == (2, L, 9, 7)
    assert patches.shape == (2, L, 3, 2)
    own = slow_weights(feature[1, :, 5, 6], nodes.vectors, store.vector_attention, "one")
    assert torch.allclose(vectors[1, :, 5, 6], own)
    flat = nodes.patches.flatten(1)
    own = slow_weights(feature[0, :, 4:8, :4].flatten(), flat, store.patch_attention, "one")
    assert torch.allclose(patches[0, :, 1, 0], own)


@torch.no_grad()
def test_values_are_not_normalised():
    store, nodes = make(branches="vectors"), random_nodes()
    same = Nodes(nodes.vectors[:1].expand(L, C), None)
    got = store(features(4, 4), store.recall(same)) - features(4, 4)
    assert torch.allclose(got, nodes.vectors[0].view(1, C, 1, 1).expand_as(got))


@torch.no_grad()
def test_patches_of_one_pixel_are_vectors(nodes):
    vectors = make(branches="vectors", normalize=False)
    patches = make(branches="patches", normalize=False, patch=1)
    feature = features(5, 6)
    as_patches = Nodes(None, nodes.vectors[..., None, None])
    got = patches(feature, patches.recall(as_patches))
    assert torch.allclose(got, vectors(feature, vectors.recall(nodes)))
    weights = F.linear(feature.movedim(1, -1), nodes.vectors).softmax(-1)
    assert torch.allclose(got - feature, F.linear(weights, nodes.vectors.T).movedim(-1, 1))


def test_the_gate_starts_closed_or_as_told(nodes):
    feature = features(8, 8)
    answers = {}
    for gate in (True, 0.25, False):
        store = Store(C, Options(nodes=L, gate=gate)).double()
        answers[gate] = store(feature, store.recall(nodes)) - feature
        if gate:
            (answers[gate] + feature).square().sum().backward()
            assert store.gate.grad.abs() > 0
    assert not answers[True].any()
    assert torch.allclose(answers[0.25], answers[False] / 4)


@pytest.mark.parametrize("learnt", [False, True])
def test_query_is_differentiable_in_feature_and_nodes(nodes, learnt):
    store = make(temperature="learnt", gate=True, centre="queries") if learnt else make()
    given = [value.requires_grad_() for value in (features(5, 3)[:1], *nodes)]
    parameters = list(store.parameters())

    def run(feature, vectors, patches, *_):
        return store(feature, store.recall(Nodes(vectors, patches)))

    assert torch.autograd.gradcheck(run, (*given, *parameters))


def test_nothing_of_positions_times_nodes_times_channels_is_built():
    size, channels, count = 16, 32, 32
    store = Store(channels, Options(nodes=count))
    feature = torch.randn(1, channels, size, size, requires_grad=True)
    nodes = Nodes(torch.randn(count, channels), torch.randn(count, channels, K, K))
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: (saved.append(tensor.numel()), tensor)[1], lambda tensor: tensor
    ):
        store(feature, store.recall(nodes))
    assert max(saved) <= max(size * size * channels, nodes.patches.numel())


@torch.no_grad()
@pytest.mark.parametrize("centre", ["none", "queries"])
def test_tiles_give_the_same(nodes, monkeypatch, centre):
    store, feature = make(centre=centre), features(131, 113)
    whole = store(feature, store.recall(nodes))
    monkeypatch.setattr(store_module, "VALUES", 1)
    before = feature.clone()
    assert torch.allclose(store(feature, store.recall(nodes)), whole, atol=1e-12)
    assert torch.equal(feature, before)
    fused = store(feature, store.recall(nodes), spare=True)
    assert fused is feature
    assert torch.allclose(fused, whole, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_queries_are_computed_in_full(dtype):
    store = make(channels=64).float()
    nodes = random_nodes(channels=64, dtype=torch.float32)
    memories = store.recall(nodes)
    half = (300 * torch.randn(1, 64, 8, 8)).to(dtype)
    expected = store(half.float(), memories)
    with torch.autocast("cpu", dtype):
        got = store(half, store.recall(nodes))
    assert got.dtype == dtype
    assert torch.equal(got, expected.to(dtype))


def test_a_feature_of_other_channels_is_told(nodes):
    store = make()
    with pytest.raises(EnhancerError, match="3 channels, the feature has 7"):
        store(torch.rand(1, 7, 8, 8, dtype=torch.float64), store.recall(nodes))
