import copy

import pytest
import torch

from enhancers import EnhancerError
from enhancers.lfpv import LFPVEnhancer
from enhancers.sci import SCI
from enhancers.zerodcepp import ZeroDCEpp

NETWORKS = {"sci": SCI, "zerodcepp-1": lambda: ZeroDCEpp(1), "zerodcepp-12": ZeroDCEpp}


def join(network, **options):
    channels = getattr(network, "feature_channels", 4)
    return LFPVEnhancer(network.encode, network.decode, channels, **options)


def image(size=(24, 26)):
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def model(toy_class):
    """A model after two updates of its nodes."""
    torch.manual_seed(0)
    made = join(toy_class(stride=2))
    for _ in range(2):
        made.training_paths(image())
    return made


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


def named(model, prefix):
    return {name for name, _ in model.named_parameters() if name.startswith(prefix)}


def test_lfpv_path_reaches_the_updaters_the_norms_and_the_network(model):
    paths = model.training_paths(image())
    reached = gradients(model, (paths.lfpv(image()).image - 0.6).square().mean())
    assert {"updaters.embedding"} < named(model, "updaters.") <= reached
    for part in ("vectors.sample", "vectors.mutual", "patches.sample", "patches.mutual"):
        assert named(model, f"updaters.{part}")
    assert {"network.first.weight", "network.norm.weight", "network.last.weight"} <= reached
    assert named(model, "store.vector_attention.query") <= reached


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
    again = model.network.decode(model.store(feature, model.store.nodes), context).image
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
@torch.no_grad()
def test_export_without_updaters_gives_the_same_image(name, size):
    torch.manual_seed(0)
    source = join(NETWORKS[name]())
    source.training_paths(image(size))
    exported = copy.deepcopy(source.inference_state_dict())
    assert not any("updaters" in key for key in exported)
    target = join(NETWORKS[name](), updaters=False)
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


def test_nodes_stay_bounded(model):
    for _ in range(30):
        model.training_paths(image())
    assert model.store.vectors.abs().max() < 10
    assert model.store.patches.abs().max() < 10
