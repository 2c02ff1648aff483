"""The compute-matched control."""

import copy

import pytest
import torch

from enhancers import EnhancerError
from enhancers.lfpv import TwoPath


def image():
    return torch.rand(2, 3, 24, 26, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def model(toy_class):
    torch.manual_seed(0)
    toy = toy_class(stride=2)
    return TwoPath(toy.encode, toy.decode)


def test_both_paths_are_plain_and_share_one_encoder_pass(model):
    low = image()
    paths = model.training_paths(low, torch.tensor([4, 5]))
    plain, second = paths.plain(low).image, paths.lfpv(low).image
    assert model.network.passes == 1
    assert torch.equal(plain, second)
    other = paths.lfpv(low * 0.5).image
    assert model.network.passes == 2
    assert not torch.allclose(other, second, atol=1e-3)


def test_both_paths_reach_the_network(model):
    low = image()
    gradients = []
    for path in ("plain", "lfpv"):
        model.zero_grad()
        getattr(model.training_paths(low), path)(low).image.mean().backward()
        gradients.append(model.network.first.weight.grad)
        assert gradients[-1].any()
    assert torch.equal(*gradients)


def test_it_enhances_as_the_plain_network(model):
    model.eval()
    expected = model.network.decode(*model.network.encode(image())).image
    assert torch.equal(model(image()), expected)


def test_its_weights_are_the_plain_networks(model, toy_class):
    plain = toy_class(stride=2)
    plain.load_state_dict(model.inference_state_dict())
    assert torch.equal(plain.first.weight, model.network.first.weight)


def test_a_trainer_needs_nothing_else(model):
    assert model.options == {}
    assert not model.trained
    low = image()
    assert torch.equal(
        model.stored_paths(low).lfpv(low).image, model.training_paths(low).plain(low).image
    )


def test_a_copy_is_independent(model):
    twin = copy.deepcopy(model.eval())
    twin.network.last.bias.data += 1
    assert not torch.allclose(twin(image()), model(image()), atol=1e-3)


def test_a_plain_function_is_refused(toy_class):
    with pytest.raises(EnhancerError, match="module"):
        TwoPath(lambda picture: (picture, None), toy_class().decode)
