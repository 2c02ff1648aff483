"""Features of VGG networks trained on ImageNet (Simonyan & Zisserman, ICLR 2015)."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torchvision.models import vgg16, vgg19

from enhancers.states import load_strict

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class VGGFeatures(nn.Module):
    """Frozen VGG features at named layers, `convB_I` or `reluB_I` (block B, convolution I).

    `state` holds torchvision's keys `features.N.weight` and `features.N.bias`; the classifier's,
    and layers beyond the deepest named one, are not needed. EnhancerError where it does not fit,
    ValueError for a layer that the network does not have.
    """

    def __init__(
        self, depth: Literal[16, 19], layers: Sequence[str], state: Mapping[str, Tensor]
    ) -> None:
        super().__init__()
        with torch.device("meta"):
            whole = (vgg16 if depth == 16 else vgg19)(weights=None).features
        names = _layer_names(whole)
        if unknown := set(layers) - set(names):
            raise ValueError(f"VGG{depth} has no layer {sorted(unknown)[0]}")
        self.layers = tuple(layers)
        self.names = names[: max(names.index(layer) for layer in layers) + 1]
        self.features = whole[: len(self.names)].to_empty(device="cpu")
        own = {f"features.{key}" for key in self.features.state_dict()}
        load_strict(
            self.features,
            {key.removeprefix("features."): state[key] for key in own & state.keys()},
        )
        for layer in self.features:
            if isinstance(layer, nn.ReLU):
                # In place it would overwrite the convolution's output, which may be asked for.
                layer.inplace = False
        self.requires_grad_(False)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """B×3×H×W RGB in [0, 1] to one feature map per named layer, in the order of `layers`."""
        feature = (image - self.mean) / self.std
        found = {}
        for name, layer in zip(self.names, self.features, strict=True):
            feature = layer(feature)
            if name in self.layers:
                found[name] = feature
        return [found[name] for name in self.layers]


def _layer_names(features: nn.Sequential) -> list[str]:
    """`conv1_1`, `relu1_1`, … for every module of torchvision's `features`."""
    names = []
    block, index = 1, 0
    for layer in features:
        if isinstance(layer, nn.MaxPool2d):
            names.append(f"pool{block}")
            block, index = block + 1, 0
            continue
        index += isinstance(layer, nn.Conv2d)
        names.append(f"{'conv' if isinstance(layer, nn.Conv2d) else 'relu'}{block}_{index}")
    return names
