import pytest
import torch

from enhancers.losses.discriminators import PatchGAN
from tests.enhancers.conftest import read_image
from tests.enhancers.synthetic import synthetic_state


@pytest.mark.shared
@pytest.mark.parametrize(("layers", "name"), [(5, "D_global_320"), (4, "D_patch_32")])
@torch.no_grad()
def test_parity_with_the_released_architecture(layers, name, shared, parity):
    network = PatchGAN(layers)
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    network.load_state_dict(synthetic_state(shapes))
    side = int(name.rpartition("_")[2])
    image = read_image(shared / "data/LOL/eval15/low/1.png")[..., :side, :side]
    parity(network(2 * image - 1), f"enlightengan_synthweights/{name}")


@pytest.mark.parametrize(("layers", "count"), [(5, 11_154_369), (4, 6_959_553)])
def test_parameter_count_of_the_released_architecture(layers, count):
    with torch.device("meta"):
        network = PatchGAN(layers)
    assert sum(parameter.numel() for parameter in network.parameters()) == count
