import pytest
import torch
from torchvision.models import vgg16, vgg19

from enhancers.losses.denoising import DenoiserPretraining
from enhancers.losses.perceptual import VGGFeatures
from enhancers.ruas import RUAS
from enhancers.uretinex import URetinex
from pipeline.backbones import Backbone
from pipeline.errors import PipelineError
from pipeline.registry import OBJECTIVES
from pipeline.training import objectives
from pipeline.training.objectives import Objectives, own_state


@pytest.fixture
def here(monkeypatch, tmp_path):
    """here("vgg16"): these backbones are here, untrained."""

    def arrange(*names):
        made = {"vgg16": vgg16, "vgg19": vgg19}
        found = {
            name: Backbone(
                {f"features.{k}": v for k, v in made[name]().features.state_dict().items()},
                tmp_path / f"{name}.pth",
                "abc",
            )
            for name in names
        }
        monkeypatch.setattr(objectives, "find_backbone", found.get)

    return arrange


def test_all_objectives_can_be_made():
    made = Objectives("none")
    for name in OBJECTIVES.names():
        network = RUAS(denoise=True) if name.startswith("ruas") else URetinex()
        assert made.make(name, network, None)
    assert made.used is None


def test_perceptual_weights_that_are_not_here_end_the_training(here):
    here()
    with pytest.raises(PipelineError, match="weights download vgg19, or write perceptual: none in"):
        Objectives("vgg").make("lednet", None, None)
    here("vgg16")
    with pytest.raises(PipelineError, match="perceptual: none or perceptual: vgg16"):
        Objectives("vgg").make("lednet", None, None)


def test_vgg16_in_the_place_of_vgg19(here):
    here("vgg16")
    made = Objectives("vgg16")
    features = made.make("lednet", None, None).vgg
    assert features.layers == ("conv1_2", "conv2_2", "conv3_3", "conv4_3")
    assert made.used == {
        "network": "vgg16",
        "layers": ["conv1_2", "conv2_2", "conv3_3", "conv4_3"],
        "file": "vgg16.pth",
        "sha256": "abc",
    }
    assert made.make("enlightengan", None, None).vgg.layers == ("relu5_1",)


def test_frozen_features_are_not_saved(here):
    here("vgg16")
    objective = Objectives("vgg").make("enlightengan", None, None)
    assert isinstance(objective.vgg, VGGFeatures)
    keys = own_state(objective).keys()
    assert keys and all(key.startswith("discriminators.") for key in keys)


def test_the_denoiser_learns_noise():
    torch.manual_seed(0)
    network = RUAS(denoise=True)
    objective = DenoiserPretraining(network.denoise_net)
    assert not list(objective.parameters())
    image = torch.rand(2, 3, 16, 16)
    optimiser = torch.optim.Adam(network.denoise_net.parameters(), 1e-2)
    losses = []
    for _ in range(40):
        loss, parts = objective(network.run, image, image)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(parts["noise"])
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert all(parameter.grad is None for parameter in network.iems.parameters())


def test_without_normal_images_the_noise_is_put_on_enhanced_ones():
    network = RUAS(denoise=True)
    loss, _ = DenoiserPretraining(network.denoise_net)(network.run, torch.rand(1, 3, 16, 16), None)
    loss.backward()
    assert all(parameter.grad is None for parameter in network.iems.parameters())
