"""Objectives by name, with what their constructors ask for."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from torch import Tensor, nn

from enhancers.base import EncodeDecode
from enhancers.losses import Objective
from enhancers.losses.lednet import VGG_LAYERS
from enhancers.losses.perceptual import VGGFeatures
from enhancers.losses.uretinex import PERCEPTUAL_LAYERS
from enhancers.uretinex_units import Decomposition
from pipeline.backbones import find_backbone, how_to_get
from pipeline.errors import PipelineError
from pipeline.registry import OBJECTIVES
from pipeline.training.recipe import Perceptual

# Of which network, and where, an objective compares features.
FEATURES: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "enlightengan": (16, ("relu5_1",)),
    "lednet": (19, VGG_LAYERS),
    "uretinex_unfolding": (19, PERCEPTUAL_LAYERS),
}


class Objectives:
    """Makes the objectives of one training; `used` tells a header which perceptual weights."""

    def __init__(self, perceptual: Perceptual) -> None:
        self.perceptual = perceptual
        self.used: dict[str, Any] | None = None

    def make(self, name: str, network: EncodeDecode, previous: Objective | None) -> Objective:
        """The objective `name`; what it shares with the phase before comes from `previous`.

        Raises:
            PipelineError: unknown name, or its perceptual weights are not here.
        """
        factory = OBJECTIVES.get(name)
        given: dict[str, Callable[[], Any]] = {
            "vgg": lambda: self._features(name),
            "high": lambda: getattr(previous, "high", None) or Decomposition(),
            "denoiser": lambda: network.get_submodule("denoise_net"),
        }
        asked = given.keys() & signature(factory).parameters.keys()
        return factory(**{key: given[key]() for key in sorted(asked)})

    def _features(self, name: str) -> VGGFeatures | None:
        if self.perceptual == "none":
            return None
        depth, layers = FEATURES[name]
        if self.perceptual == "vgg16" and depth == 19:
            depth, layers = 16, tuple(in_vgg16(layer) for layer in layers)
        backbone = find_backbone(f"vgg{depth}")
        if backbone is None:
            instead = " or perceptual: vgg16" if depth == 19 and find_backbone("vgg16") else ""
            raise PipelineError(
                f"objective {name} compares features of VGG{depth}, which is not here: "
                f"{how_to_get(f'vgg{depth}')}, or write perceptual: none{instead} in the recipe"
            )
        self.used = {"network": f"vgg{depth}", "layers": list(layers)}
        self.used |= {"file": backbone.file.name, "sha256": backbone.sha256}
        return VGGFeatures(depth, layers, backbone.state)


def in_vgg16(layer: str) -> str:
    """The layer of VGG16 in the place of VGG19's: its deeper blocks have three convolutions."""
    return layer.replace("_4", "_3")


def own_state(objective: nn.Module) -> dict[str, Tensor]:
    """What an objective has learnt: its state without the frozen features."""
    frozen = tuple(
        f"{name}." for name, part in objective.named_modules() if isinstance(part, VGGFeatures)
    )
    state = objective.state_dict()
    return {key: value for key, value in state.items() if not key.startswith(frozen)}
