import pytest
import torch
from torchvision.models import vgg16, vgg19

from enhancers import EnhancerError
from enhancers.losses.perceptual import VGGFeatures

# Index in torchvision's `features` of layers that the papers name.
PLACES = {
    16: {"conv1_2": 2, "relu3_3": 15, "relu5_1": 25},
    19: {"conv1_2": 2, "conv3_4": 16, "conv4_4": 25, "relu5_1": 29},
}


@pytest.mark.parametrize(("depth", "build"), [(16, vgg16), (19, vgg19)])
def test_layers_are_those_of_the_papers(depth, build):
    torch.manual_seed(0)
    whole = build(weights=None)
    places = PLACES[depth]
    # Asked in another order than they come.
    names = list(places)[::-1]
    network = VGGFeatures(depth, names, whole.state_dict())
    image = torch.rand(1, 3, 32, 40)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    for name, feature in zip(names, network(image), strict=True):
        expected = whole.features[: places[name] + 1]((image - mean) / std)
        assert torch.allclose(feature, expected, atol=1e-6), name


def test_frozen_but_passes_gradient_to_the_image():
    state = vgg16(weights=None).state_dict()
    network = VGGFeatures(16, ["conv1_2", "relu1_2"], state)
    image = torch.rand(1, 3, 16, 16, requires_grad=True)
    before, after = network(image)
    assert (before < 0).any()
    after.sum().backward()
    assert image.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_wrong_layers_and_weights():
    state = vgg16(weights=None).state_dict()
    with pytest.raises(ValueError, match="VGG16 has no layer conv3_4"):
        VGGFeatures(16, ["conv3_4"], state)
    with pytest.raises(EnhancerError, match="shape of|missing"):
        VGGFeatures(19, ["conv4_4"], state)
