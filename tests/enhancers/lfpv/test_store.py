"""The query against the paper's equations, written as loops in float64."""

import pytest
import torch
import torch.nn.functional as F

from enhancers import EnhancerError
from enhancers.lfpv.store import Nodes, Store

L, C, K = 5, 3, 4


@pytest.fixture(params=[True, False], ids=["normalized", "bare"])
def store(request):
    torch.manual_seed(0)
    made = Store(C, L, K, normalize=request.param).double()
    for parameter in made.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return made


@pytest.fixture
def nodes():
    generator = torch.Generator().manual_seed(1)
    options = {"generator": generator, "dtype": torch.float64}
    return Nodes(torch.randn(L, C, **options), torch.randn(L, C, K, K, **options))


def features(height, width):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(2, C, height, width, generator=generator, dtype=torch.float64)


def normalized(values, norm):
    """LayerNorm of a flat vector, by its definition."""
    if isinstance(norm, torch.nn.Identity):
        return values
    spread = ((values - values.mean()) ** 2).mean()
    return (values - values.mean()) / torch.sqrt(spread + norm.eps) * norm.weight + norm.bias


def answer(query, keys, attention):
    """softmax over the nodes of q·C_j, times C, for one flat query."""
    asked = normalized(query, attention.query_norm)
    logits = [(asked * normalized(key, attention.key_norm)).sum() for key in keys]
    weights = torch.stack(logits).exp() / torch.stack(logits).exp().sum()
    return sum(weight * key for weight, key in zip(weights, keys, strict=True))


def test_vector_query_against_loops(store, nodes):
    feature = features(5, 6)
    got = store.query_vectors(feature, nodes)
    for n in range(2):
        for y in range(5):
            for x in range(6):
                expected = answer(feature[n, :, y, x], nodes.vectors, store.vector_attention)
                assert torch.allclose(got[n, :, y, x], expected, atol=1e-12)


@pytest.mark.parametrize("size", [(8, 12), (9, 7), (2, 3)])
def test_patch_query_against_loops(store, nodes, size):
    feature = features(*size)
    got = store.query_patches(feature, nodes)
    height, width = size
    for n in range(2):
        for top in range(0, height, K):
            for left in range(0, width, K):
                patch = torch.empty(C, K, K, dtype=torch.float64)
                for y in range(K):
                    for x in range(K):
                        at = min(top + y, height - 1), min(left + x, width - 1)
                        patch[:, y, x] = feature[n, :, at[0], at[1]]
                keys = [node.flatten() for node in nodes.patches]
                expected = answer(patch.flatten(), keys, store.patch_attention).view(C, K, K)
                region = got[n, :, top : top + K, left : left + K]
                inside = expected[:, : region.shape[1], : region.shape[2]]
                assert torch.allclose(region, inside, atol=1e-12)


def test_fusion_adds_both_answers_to_the_feature(store, nodes):
    feature = features(6, 6)
    answers = store.query_vectors(feature, nodes) + store.query_patches(feature, nodes)
    assert torch.allclose(store(feature, nodes), feature + answers)


def test_values_are_not_normalised(store, nodes):
    one = Nodes(nodes.vectors[:1].expand(L, C), nodes.patches[:1].expand(L, C, K, K))
    got = store.query_vectors(features(4, 4), one)
    assert torch.allclose(got, nodes.vectors[0].view(1, C, 1, 1).expand_as(got))


def test_nothing_of_positions_times_nodes_times_channels_is_built():
    size, channels, count = 16, 32, 32
    store = Store(channels, count, 4)
    feature = torch.randn(1, channels, size, size, requires_grad=True)
    nodes = Nodes(torch.randn(count, channels), torch.randn(count, channels, 4, 4))
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda tensor: (saved.append(tensor.numel()), tensor)[1], lambda tensor: tensor
    ):
        store(feature, nodes)
    assert max(saved) <= max(size * size * channels, nodes.patches.numel())


def test_keep_stores_without_gradient_and_counts():
    store = Store(C, L, K)
    nodes = Nodes(torch.rand(L, C, requires_grad=True), torch.rand(L, C, K, K, requires_grad=True))
    assert store.updates == 0
    assert not store.vectors.any()
    store.keep(nodes)
    assert store.updates == 1
    assert torch.equal(store.vectors, nodes.vectors)
    assert torch.equal(store.patches, nodes.patches)
    assert not store.vectors.requires_grad
    assert not store.patches.requires_grad


def test_query_is_differentiable_in_feature_and_nodes(nodes):
    store = Store(C, L, K).double()
    given = [value.requires_grad_() for value in (features(5, 3)[:1], *nodes)]
    assert torch.autograd.gradcheck(lambda f, v, p: store(f, Nodes(v, p)), given)


def test_patches_of_one_pixel_are_vectors(nodes):
    store = Store(C, L, 1, normalize=False).double()
    same = Nodes(nodes.vectors, nodes.vectors[..., None, None])
    feature = features(5, 6)
    weights = F.linear(feature.movedim(1, -1), nodes.vectors).softmax(-1)
    expected = F.linear(weights, nodes.vectors.T)
    assert torch.allclose(store.query_vectors(feature, same), expected.movedim(-1, 1))
    assert torch.allclose(store.query_patches(feature, same), expected.movedim(-1, 1))


@pytest.mark.parametrize("wrong", [{"nodes": 1}, {"patch": 0}, {"channels": 0}])
def test_wrong_options_are_told(wrong):
    with pytest.raises(EnhancerError, match="=".join(map(str, *wrong.items()))):
        Store(**{"channels": C, "nodes": L, "patch": K} | wrong)


def test_a_feature_of_other_channels_is_told(nodes):
    with pytest.raises(EnhancerError, match="3 channels, the feature has 7"):
        Store(C, L, K).double()(torch.rand(1, 7, 8, 8, dtype=torch.float64), nodes)
