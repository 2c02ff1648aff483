import copy

import pytest
import torch

from enhancers import EnhancerError
from enhancers.base import decode_rounds
from enhancers.lfpv import LFPVEnhancer
from enhancers.lfpv.store import Nodes
from enhancers.sci import SCI
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp

NETWORKS = {"sci": SCI, "zerodcepp-1": lambda: ZeroDCEpp(1), "zerodcepp-12": ZeroDCEpp}


def join(network, **options):
    channels = getattr(network, "feature_channels", 4)
    return LFPVEnhancer(network.encode, network.decode, channels, **options)


def random_nodes(model):
    return Nodes(*(torch.randn_like(nodes) for nodes in model.store.nodes))


def image(size=(24, 26)):
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(3))


def trained(toy_class, **options):
    """A model after two updates of its nodes."""
    torch.manual_seed(0)
    made = join(toy_class(stride=2), **options)
    for index in range(2):
        made.training_paths(image(), torch.tensor([index, 1 - index]))
    return made


@pytest.fixture
def model(toy_class):
    return trained(toy_class)


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


def named(model, prefix):
    return {name for name, _ in model.named_parameters() if name.startswith(prefix)}


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


@pytest.mark.parametrize("training", [True, False])
@torch.no_grad()
def test_calling_the_model_updates_no_node(model, training):
    model.train(training)
    before = {key: value.clone() for key, value in model.store.state_dict().items()}
    model(image())
    after = model.store.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("size", [(17, 16), (97, 113)])
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("options", [{}, {"learn": "direct"}, {"temperature": "learnt"}])
@torch.no_grad()
def test_export_without_updaters_gives_the_same_image(name, size, options):
    torch.manual_seed(0)
    source = join(NETWORKS[name](), **options)
    if not options:
        source.training_paths(image(size))
    source.store.keep(random_nodes(source))
    exported = copy.deepcopy(source.inference_state_dict())
    assert not any("updaters" in key for key in exported)
    target = join(NETWORKS[name](), updaters=False, **options)
    assert target.updaters is None
    target.load_state_dict(exported)
    got = target.eval()(image(size))
    assert torch.equal(got, source.eval()(image(size)))
    plain = source.network(image(size))
    assert not torch.allclose(got, plain, atol=1e-4)


def test_training_state_round_trip(model, toy_class):
    target = join(toy_class(stride=2))
    target.load_state_dict(model.state_dict())
    results = []
    for one in (model, target):
        torch.manual_seed(5)
        results.append(one.training_paths(image()).lfpv(image()).image)
    assert torch.equal(*results)


def test_a_training_state_does_not_load_for_inference(model, toy_class):
    target = join(toy_class(stride=2), updaters=False)
    with pytest.raises(EnhancerError, match=r"unexpected updaters\."):
        target.load_state_dict(model.state_dict())


def test_an_inference_model_does_not_train(toy_class):
    with pytest.raises(EnhancerError, match="without updaters"):
        join(toy_class(), updaters=False).training_paths(image())


@pytest.mark.parametrize("training", [True, False])
def test_untrained_nodes_never_enhance(toy_class, training):
    model = join(toy_class()).train(training)
    assert not model.trained
    with pytest.raises(EnhancerError, match="no trained nodes"):
        model(image())
    model.training_paths(image())
    assert model.trained
    assert model(image()).shape == image().shape


@torch.no_grad()
def test_deepcopy_is_independent(model):
    model.eval()
    before = model(image())
    twin = copy.deepcopy(model)
    assert torch.equal(twin(image()), before)
    twin.network.last.bias += 1
    twin.store.vectors += 1
    assert not torch.allclose(twin(image()), before, atol=1e-3)
    assert torch.equal(model(image()), before)


def test_a_network_is_registered_once(model):
    names = [name for name, _ in model.named_children()]
    assert names == ["network", "store", "updaters"]
    assert len(list(model.parameters())) == len({id(p) for p in model.parameters()})


def test_modules_serve_as_encode_and_decode(toy_class):
    class Encoder(torch.nn.Conv2d):
        def forward(self, picture):
            return super().forward(picture), picture

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.toy = toy_class()

        def forward(self, feature, context):
            return self.toy.decode(feature, context)

    model = copy.deepcopy(LFPVEnhancer(Encoder(3, 4, 1), Decoder(), 4))
    paths = model.training_paths(image())
    loss = (paths.plain(image()).image + paths.lfpv(image()).image).mean()
    assert {"network.0.weight", "network.1.toy.last.weight"} <= gradients(model, loss)


def test_a_plain_function_is_refused(toy_class):
    with pytest.raises(EnhancerError, match="module"):
        LFPVEnhancer(lambda picture: (picture, None), toy_class().decode, 3)


def test_extra_parameters_of_the_paper():
    network = torch.nn.Identity()
    model = LFPVEnhancer(network, network, channels=64, updaters=False)
    assert model.extra_parameters() == {"nodes": 17_408, "norms": 4 * 64 * 17}


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
        {"centre": "values"},
        {"centre": "answer"},
        {"gate": True},
        {"samples": "attended"},
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
    assert torch.equal(
        paths.plain(low).image, model.network.decode(*model.network.encode(low)).image
    )
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    reached = gradients(model, paths.lfpv(low).image.mean())
    assert "network.first.weight" in reached
    assert not any("updaters" in name for name in reached)


def test_stored_paths_need_trained_nodes(toy_class):
    with pytest.raises(EnhancerError, match="no trained nodes"):
        join(toy_class()).stored_paths(image())


@torch.inference_mode()
def test_inference_makes_the_nodes_ready_once(model, monkeypatch):
    model.eval()
    expected = model(image())
    monkeypatch.setattr(model.store, "recall", None)
    assert torch.equal(model(image()), expected)


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


def test_its_cost_is_counted_without_running_it():
    with torch.device("meta"):
        model = join(SCI(), updaters=False).eval()
        assert model(torch.empty(1, 3, 40, 40)).shape == (1, 3, 40, 40)


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
