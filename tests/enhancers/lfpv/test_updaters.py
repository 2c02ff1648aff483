"""The updates against the paper's equations, row by row in float64."""

import pytest
import torch
from torch import nn

from enhancers import EnhancerError
from enhancers.lfpv.store import Nodes
from enhancers.lfpv.updaters import (
    NodeUpdater,
    Updaters,
    convolution_stack,
    draw_positions,
    sample,
)

L, C = 5, 3
KINDS = [(1, 1), (4, 3)]


def slow_stack(stack, rows):
    """Convolutions by torch; BatchNorm over rows and pixels by its definition."""
    for layer in stack:
        if isinstance(layer, nn.BatchNorm2d):
            mean = rows.mean((0, 2, 3), keepdim=True)
            spread = ((rows - mean) ** 2).mean((0, 2, 3), keepdim=True)
            weight, bias = (value.view(1, -1, 1, 1) for value in (layer.weight, layer.bias))
            rows = (rows - mean) / torch.sqrt(spread + layer.eps) * weight + bias
        else:
            rows = layer(rows)
    return rows


def slow_delta(updater, samples, nodes, embedding):
    rows, owners = [], []
    for one in samples:
        for j in range(L):
            identity = embedding[j].view(C, 1, 1).repeat(1, *nodes.shape[-2:])
            rows.append(torch.cat([one, nodes[j], identity]))
            owners.append(j)
    out = slow_stack(updater.sample, torch.stack(rows))
    return means(out, owners)


def slow_wedge(updater, nodes, embedding):
    rows, owners = [], []
    for j in range(L):
        for h in range(L):
            if h != j:
                e_j, e_h = (embedding[i].view(C, 1, 1).repeat(1, *nodes.shape[-2:]) for i in (j, h))
                rows.append(torch.cat([nodes[j], nodes[h], e_j, e_h]))
                owners.append(j)
    return means(slow_stack(updater.mutual, torch.stack(rows)), owners)


def means(rows, owners):
    owner = torch.tensor(owners)
    return torch.stack([rows[owner == j].mean(0) for j in range(L)])


def slow_layer_norm(values, norm):
    flat = values.flatten(1)
    mean = flat.mean(1, keepdim=True)
    spread = ((flat - mean) ** 2).mean(1, keepdim=True)
    unit = ((flat - mean) / torch.sqrt(spread + norm.eps)).view_as(values)
    return unit * norm.weight + norm.bias


def setting(size, kernel):
    torch.manual_seed(size)
    updater = NodeUpdater(C, size, kernel).double()
    for parameter in updater.parameters():
        if parameter.dim() != 4:
            nn.init.uniform_(parameter, 0.5, 1.5)
    values = {"dtype": torch.float64}
    nodes = torch.randn(L, C, size, size, **values)
    return updater, torch.randn(4, C, size, size, **values), nodes, torch.randn(L, C, **values)


def identities(embedding, nodes):
    return embedding[..., None, None].expand_as(nodes)


@pytest.mark.parametrize(("size", "kernel"), KINDS)
def test_sample_updater_against_loops(size, kernel):
    updater, samples, nodes, embedding = setting(size, kernel)
    got = updater.sample_update(samples, nodes, identities(embedding, nodes))
    assert torch.allclose(got, slow_delta(updater, samples, nodes, embedding), atol=1e-10)


@pytest.mark.parametrize(("size", "kernel"), KINDS)
def test_mutual_updater_against_loops(size, kernel):
    updater, _, nodes, embedding = setting(size, kernel)
    got = updater.mutual_update(nodes, identities(embedding, nodes))
    assert torch.allclose(got, slow_wedge(updater, nodes, embedding), atol=1e-10)


@pytest.mark.parametrize(("size", "kernel"), KINDS)
def test_additive_update_against_loops(size, kernel):
    updater, samples, nodes, embedding = setting(size, kernel)
    delta = slow_delta(updater, samples, nodes, embedding)
    wedge = slow_wedge(updater, nodes, embedding)
    expected = slow_layer_norm(nodes + delta + wedge, updater.norm)
    assert torch.allclose(updater(samples, nodes, embedding), expected, atol=1e-10)


def test_updates_use_batch_statistics_in_evaluation_too():
    updater, samples, nodes, embedding = setting(4, 3)
    expected = updater.train()(samples, nodes, embedding)
    assert torch.equal(updater.eval()(samples, nodes, embedding), expected)


@pytest.mark.parametrize(("channels", "hidden"), [(3, 12), (64, 256), (128, 256)])
def test_stack_widths_and_depth(channels, hidden):
    stack = convolution_stack(3 * channels, channels, 1)
    convolutions = [layer for layer in stack if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [hidden] * 5 + [channels] * 2
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in stack) == 6
    assert sum(isinstance(layer, nn.ReLU) for layer in stack) == 6
    assert isinstance(stack[-1], nn.Conv2d)


@pytest.mark.parametrize("size", [(8, 12), (9, 7), (2, 3)])
def test_samples_are_the_patches_of_the_query_grid(size):
    height, width = size
    feature = torch.randn(2, C, height, width)
    rows, columns = torch.tensor([0, height - 1, height // 2]), torch.tensor([width - 1, 1, 0])
    got = sample(feature, rows, columns, 4)
    assert got.shape == (6, C, 4, 4)
    for n in range(2):
        for p in range(3):
            for y in range(4):
                for x in range(4):
                    at_y = min(int(rows[p]) // 4 * 4 + y, height - 1)
                    at_x = min(int(columns[p]) // 4 * 4 + x, width - 1)
                    assert torch.equal(got[3 * n + p, :, y, x], feature[n, :, at_y, at_x])


def test_vector_samples_are_the_feature_at_the_positions():
    feature = torch.randn(2, C, 5, 6)
    rows, columns = torch.tensor([4, 0]), torch.tensor([1, 5])
    got = sample(feature, rows, columns, 1)[..., 0, 0]
    expected = [feature[n, :, y, x] for n in range(2) for y, x in ((4, 1), (0, 5))]
    assert torch.equal(got, torch.stack(expected))


def test_every_position_is_drawn():
    torch.manual_seed(0)
    rows, columns = draw_positions(torch.zeros(1, C, 3, 5), 500)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {
        (y, x) for y in range(3) for x in range(5)
    }


def test_updaters_feed_each_kind_its_own_sample():
    torch.manual_seed(0)
    updaters = Updaters(C, L, 4, positions=3).double()
    feature = torch.randn(2, C, 10, 9, dtype=torch.float64)
    nodes = Nodes(torch.randn(L, C).double(), torch.randn(L, C, 4, 4).double())
    torch.manual_seed(7)
    got = updaters(feature, nodes)
    torch.manual_seed(7)
    rows, columns = draw_positions(feature, 3)
    vectors, patches = (sample(feature, rows, columns, size) for size in (1, 4))
    as_maps = nodes.vectors[..., None, None]
    expected = updaters.vectors(vectors, as_maps, updaters.embedding)
    assert torch.equal(got.vectors, expected[..., 0, 0])
    assert torch.equal(got.patches, updaters.patches(patches, nodes.patches, updaters.embedding))


def test_equal_nodes_are_told_apart_by_their_embedding():
    torch.manual_seed(0)
    updaters = Updaters(C, L, 4)
    nodes = Nodes(torch.zeros(L, C), torch.zeros(L, C, 4, 4))
    updated = updaters(torch.randn(2, C, 8, 8), nodes)
    assert torch.pdist(updated.vectors).min() > 1e-3
    assert torch.pdist(updated.patches.flatten(1)).min() > 1e-3


def test_positions_must_be_positive():
    with pytest.raises(EnhancerError, match="positions"):
        Updaters(C, L, 4, positions=0)
