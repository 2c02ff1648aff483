import pytest
import torch

from enhancers import EnhancerError
from enhancers.sci import SCI

RELEASED = ["easy", "medium", "difficult"]


@pytest.mark.shared
@pytest.mark.parametrize("name", RELEASED)
@torch.no_grad()
def test_parity_with_the_released_network(name, weights, crop, parity):
    network = SCI().eval()
    network.load_released(weights(f"sci/{name}.pt"))
    out = network.run(crop)
    parity(out.image, f"sci/crop_113x97_{name}_out")
    parity(out.illumination, f"sci/crop_113x97_{name}_illu")
    assert torch.equal(network(crop), out.image)


@pytest.mark.shared
def test_released_weights_with_unshared_blocks_are_refused(weights):
    state = weights("sci/easy.pt")
    state["enhance.blocks.0.0.weight"] = state["enhance.blocks.0.0.weight"] + 1
    with pytest.raises(EnhancerError, match=r"^enhance\.blocks\.0\.0\.weight should be a copy"):
        SCI().load_released(state)


def test_foreign_weights_are_refused():
    with pytest.raises(EnhancerError, match=r"'enhance\.'; the first is 'e_conv1\.weight'"):
        SCI().load_released({"e_conv1.weight": torch.zeros(1)})
    with pytest.raises(EnhancerError, match=r"missing enhance\.in_conv\.0\.weight"):
        SCI().load_released({"enhance.in_conv.0.bias": torch.zeros(3)})


def test_parameter_count_of_the_paper():
    assert sum(parameter.numel() for parameter in SCI().parameters()) == 258


@torch.no_grad()
def test_image_is_input_over_illumination():
    network, image = SCI().eval(), torch.rand(1, 3, 16, 20)
    out = network.run(image)
    assert torch.allclose(out.image * out.illumination, image, atol=1e-6)
