"""A training step: both paths, and where the gradient goes."""

import copy

import pytest
import torch

from enhancers.base import decode_rounds
from enhancers.lfpv import LFPVEnhancer
from enhancers.uretinex import URetinex
from tests.enhancers.lfpv.models import gradients, image, join, named, trained


@pytest.fixture
def model(toy_class):
    return trained(toy_class)


@pytest.mark.parametrize("rule", ["additive", "additive_raw", "sequential"])
@pytest.mark.filterwarnings("ignore:LFPV nodes grow")
def test_lfpv_path_reaches_the_updaters_the_norms_and_the_network(toy_class, rule):
    model = trained(toy_class, rule=rule)
    paths = model.training_paths(image())
    reached = gradients(model, (paths.lfpv(image()).image - 0.6).square().mean())
    assert {"updaters.embedding"} < named(model, "updaters.") <= reached
    for part in ("vectors.sample", "vectors.mutual", "patches.sample", "patches.mutual"):
        assert named(model, f"updaters.{part}")
    assert {"network.first.weight", "network.norm.weight", "network.last.weight"} <= reached
    assert named(model, "store.") <= reached
    if rule == "additive":
        without = named(trained(toy_class, learn="without_su"), "updaters.")
        assert not any("sample" in name for name in without)
        without = named(trained(toy_class, learn="without_mu"), "updaters.")
        assert not any("mutual" in name for name in without)


def test_the_lfpv_path_alone_reaches_the_network_through_the_nodes(model):
    """The sampled features carry gradient to F: decoded from a feature of no gradient."""
    paths = model.training_paths(image())
    feature, context = model.network.encode(image())
    fused = paths.lfpv.fuse(feature.detach())
    reached = gradients(model, model.network.decode(fused, context).image.mean())
    assert "network.first.weight" in reached


def test_direct_nodes_learn_by_gradient(toy_class):
    model = trained(toy_class, learn="direct")
    assert model.updaters is None
    assert model.trained
    assert model.extra_parameters() == {"nodes": 16 * 4 * 17, "norms": 4 * 4 * 17}
    reached = gradients(model, (model.training_paths(image()).lfpv(image()).image - 0.6).mean())
    assert {"store.vectors", "store.patches", "network.first.weight"} <= reached
    before = model.store.vectors.clone()
    model.training_paths(image())
    assert torch.equal(model.store.vectors, before)
    torch.optim.SGD(model.parameters(), 1.0).step()
    assert not torch.equal(model.store.vectors, before)


def test_plain_path_reaches_the_network_alone(model):
    plain = model.training_paths(image()).plain
    reached = gradients(model, (plain(image()).image - 0.6).square().mean())
    assert {"network.first.weight", "network.norm.weight", "network.last.weight"} <= reached
    assert all(name.startswith("network.") for name in reached)


def test_stored_nodes_are_this_steps_nodes_without_gradient(model):
    before = model.store.nodes.patches.clone()
    low = image()
    out = model.training_paths(low).lfpv(low).image
    assert out.requires_grad
    assert not model.store.vectors.requires_grad
    assert not model.store.patches.requires_grad
    assert not torch.equal(model.store.patches, before)
    assert model.store.updates == 3
    feature, context = model.network.encode(low)
    fused = model.store(feature, model.store.recall(model.store.nodes))
    again = model.network.decode(fused, context).image
    assert torch.allclose(again, out, atol=1e-6)


def test_paths_share_one_encoder_pass_and_encode_other_images_anew(model):
    low, other = image(), image() * 0.5
    model.network.passes = 0
    paths = model.training_paths(low)
    plain = paths.plain(low).image
    paths.lfpv(low)
    assert model.network.passes == 1
    assert torch.equal(plain, model.network.decode(*model.network.encode(low)).image)
    model.network.passes = 0
    elsewhere = paths.plain(other).image
    assert model.network.passes == 1
    assert not torch.allclose(elsewhere, plain, atol=1e-3)


def test_later_stages_query_the_same_updated_nodes(model):
    paths = model.training_paths(image())
    updated = copy.deepcopy(model.store.state_dict())
    other = image() * 0.5
    model.network.eval()
    got = paths.lfpv(other).image
    assert torch.allclose(got, model(other), atol=1e-6)
    assert all(torch.equal(value, updated[key]) for key, value in model.store.state_dict().items())


def lfpv_image(toy_class, **options):
    """Ī of a third step."""
    model = trained(toy_class, **options)
    torch.manual_seed(5)
    low = image()
    return model.training_paths(low, torch.tensor([7, 3])).lfpv(low).image


@pytest.mark.parametrize(
    "options",
    [
        {"nodes": 5},
        {"patch": 2},
        {"positions": 3},
        {"normalize": False},
        {"rule": "additive_raw"},
        {"rule": "sequential"},
        {"learn": "without_su"},
        {"learn": "without_mu"},
        {"learn": "direct"},
        {"branches": "vectors"},
        {"branches": "patches"},
        {"temperature": "sqrt"},
        {"temperature": "learnt", "nodes": 16},
        {"centre": "nodes"},
        {"centre": "queries"},
        {"gate": True},
        {"max_width": 6},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:LFPV nodes grow")
def test_every_option_changes_the_image(toy_class, options):
    got, paper = lfpv_image(toy_class, **options), lfpv_image(toy_class)
    assert got.isfinite().all()
    assert not torch.allclose(got, paper, atol=1e-6)


def test_indices_decide_the_positions(model):
    """The same images with their indices in another order give the same nodes."""
    start, low, nodes = copy.deepcopy(model), image(), []
    for order in ([0, 1], [1, 0]):
        one = copy.deepcopy(start)
        one.network.eval()
        one.training_paths(low[order], torch.tensor([40, 41])[order])
        nodes.append(one.store.nodes)
    for first, second in zip(*nodes, strict=True):
        assert torch.allclose(first, second, atol=1e-5)
    model.network.eval()
    model.training_paths(low, torch.tensor([42, 43]))
    assert not torch.allclose(model.store.vectors, nodes[0].vectors, atol=1e-3)


def test_stored_paths_update_nothing(model):
    model.network.eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    low = image()
    paths = model.stored_paths(low)
    assert torch.allclose(paths.lfpv(low).image, model(low), atol=1e-6)
    plain = model.network.decode(*model.network.encode(low)).image
    assert torch.equal(paths.plain(low).image, plain)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    reached = gradients(model, paths.lfpv(low).image.mean())
    assert "network.first.weight" in reached
    assert not any("updaters" in name for name in reached)


class Bare(torch.nn.Module):
    """The image is its own feature, so that autocast changes nothing before the nodes."""

    def encode(self, picture):
        return picture, None

    def decode(self, feature, _):
        return (feature,)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_nodes_are_updated_in_full_precision_under_autocast(dtype):
    bare, nodes = Bare(), []
    for enabled in (True, False):
        torch.manual_seed(0)
        model = LFPVEnhancer(bare.encode, bare.decode, 3)
        with torch.autocast("cpu", dtype, enabled=enabled):
            model.training_paths(image(), torch.tensor([0, 1]))
        nodes.append(model.store.nodes)
    assert torch.equal(nodes[0].vectors, nodes[1].vectors)
    assert torch.equal(nodes[0].patches, nodes[1].patches)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_step_under_autocast(model, dtype):
    """Features may be in half precision; the nodes, their updates and norms are not."""
    low = image()
    with torch.autocast("cpu", dtype):
        paths = model.training_paths(low)
        out = paths.lfpv(low).image
    assert model.store.vectors.dtype == torch.float32
    reached = gradients(model, out.float().mean())
    assert named(model, "updaters.") <= reached


def test_rounds_share_the_nodes_of_a_step():
    network = URetinex()
    torch.manual_seed(0)
    model = join(network)
    low = image()
    out = model.training_paths(low).lfpv(low)
    nodes = model.store.recall(model.store.nodes)
    expected = decode_rounds(network.encode(low), network.decode, lambda f: model.store(f, nodes))
    assert torch.allclose(out.image, expected.image, atol=1e-5)
    out.image.mean().backward()


def test_running_statistics_are_those_of_the_lfpv_path(toy_class):
    class Normed(toy_class):
        def __init__(self):
            super().__init__(stride=2)
            self.bn = torch.nn.BatchNorm2d(4)

        def decode(self, feature, context):
            return super().decode(self.bn(feature), context)

    model = join(Normed())
    paths = model.training_paths(image())
    fused = paths.lfpv.fuse(model.network.encode(image())[0]).detach()
    paths.lfpv(image())
    paths.plain(image() * 0.2)
    expected = 0.1 * fused.mean((0, 2, 3))
    torch.testing.assert_close(model.network.bn.running_mean, expected)
    assert model.network.bn.momentum == 0.1
