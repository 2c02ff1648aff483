"""What the store keeps, and what it makes of its nodes once at inference."""

import copy

import pytest
import torch

from enhancers import EnhancerError
from enhancers.lfpv.options import Options
from enhancers.lfpv.store import Nodes, Store

L, C, K = 5, 3, 4


def random_nodes(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return Nodes(
        torch.randn(L, C, generator=generator), torch.randn(L, C, K, K, generator=generator)
    )


def test_keep_stores_without_gradient_and_counts():
    store = Store(C, Options(nodes=L))
    nodes = Nodes(torch.rand(L, C, requires_grad=True), torch.rand(L, C, K, K, requires_grad=True))
    assert store.updates == 0
    assert not store.vectors.any()
    store.keep(nodes)
    assert store.updates == 1
    assert torch.equal(store.vectors, nodes.vectors)
    assert torch.equal(store.patches, nodes.patches)
    assert not store.vectors.requires_grad
    assert not store.patches.requires_grad


def test_direct_nodes_are_parameters_that_start_small():
    store = Store(64, Options(nodes=64, learn="direct"))
    assert {"vectors", "patches"} <= {name for name, _ in store.named_parameters()}
    for nodes in store.nodes:
        assert nodes.std().item() == pytest.approx(0.02, rel=0.1)
        assert abs(nodes.mean()) < 0.002


@pytest.fixture
def remembered(monkeypatch):
    """A trained store at inference, and how often its nodes were made ready."""
    store = Store(C, Options(nodes=L)).eval()
    store.keep(random_nodes())
    count = []
    recall = store.recall
    monkeypatch.setattr(store, "recall", lambda nodes: count.append(1) or recall(nodes))
    return store, count


@torch.inference_mode()
def test_nodes_are_made_ready_once(remembered):
    store, count = remembered
    for _ in range(3):
        store.recall_stored()
    assert len(count) == 1


CHANGES = {
    "keep": lambda store: store.keep(random_nodes(3)),
    "in place": lambda store: store.vectors.add_(1),
    "norm": lambda store: store.vector_attention.key_norm.bias.add_(1),
    "load": lambda store: store.load_state_dict(
        {key: value + 1 for key, value in store.state_dict().items()}
    ),
    "data": lambda store: setattr(store.vectors, "data", store.vectors.data + 1),
    "mode": lambda store: (store.vectors.data.add_(1), store.eval()),
}


@pytest.mark.parametrize("name", CHANGES)
@torch.no_grad()
def test_changed_nodes_are_made_ready_anew(remembered, name):
    store, _ = remembered
    store.recall_stored()
    CHANGES[name](store)
    expected = store.recall(store.nodes)
    for got, wanted in zip(store.recall_stored(), expected, strict=True):
        assert all(torch.equal(*pair) for pair in zip(got, wanted, strict=True))


@torch.no_grad()
def test_a_copy_and_a_moved_store_make_their_own(remembered):
    store, _ = remembered
    store.recall_stored()
    twin = copy.deepcopy(store)
    for _ in range(store.vectors._version + 3):
        twin.vectors.add_(1)
        assert torch.equal(twin.recall_stored().vectors.values, twin.vectors.T)
    assert store.double().recall_stored().vectors.keys.dtype == torch.float64


def test_with_gradient_nothing_is_remembered(remembered):
    store, count = remembered
    store.recall_stored()
    assert store.recall_stored().vectors.keys.requires_grad
    assert len(count) == 2


def test_untrained_nodes_are_told():
    with pytest.raises(EnhancerError, match="no trained nodes"):
        Store(C, Options()).recall_stored()


def test_no_channels_are_told():
    with pytest.raises(EnhancerError, match="channels >= 1, not 0"):
        Store(0, Options())
