"""The model as a whole: construction, inference, weights."""

import copy

import pytest
import torch

from enhancers import EnhancerError
from enhancers.lfpv import LFPVEnhancer
from enhancers.sci import SCI
from enhancers.zerodcepp import ZeroDCEpp
from tests.enhancers.lfpv.models import gradients, image, join, random_nodes, trained

NETWORKS = {"sci": SCI, "zerodcepp-1": lambda: ZeroDCEpp(1), "zerodcepp-12": ZeroDCEpp}


@pytest.fixture
def model(toy_class):
    return trained(toy_class)


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


def test_a_feature_of_other_channels_is_refused(toy_class):
    network = toy_class()
    model = LFPVEnhancer(network.encode, network.decode, 5)
    with pytest.raises(EnhancerError, match="made for . channels, the feature has"):
        model.training_paths(image())


def test_extra_parameters_of_the_paper():
    network = torch.nn.Identity()
    model = LFPVEnhancer(network, network, channels=64, updaters=False)
    assert model.extra_parameters() == {"nodes": 17_408, "norms": 4 * 64 * 17}


def test_stored_paths_need_trained_nodes(toy_class):
    with pytest.raises(EnhancerError, match="no trained nodes"):
        join(toy_class()).stored_paths(image())


@torch.inference_mode()
def test_inference_makes_the_nodes_ready_once(model, monkeypatch):
    model.eval()
    expected = model(image())
    monkeypatch.setattr(model.store, "recall", None)
    assert torch.equal(model(image()), expected)


def test_its_cost_is_counted_without_running_it():
    with torch.device("meta"):
        model = join(SCI(), updaters=False).eval()
        assert model(torch.empty(1, 3, 40, 40)).shape == (1, 3, 40, 40)
