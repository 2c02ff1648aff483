"""Frozen downstream models: any timm classifier, any mmsegmentation segmentor."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from tasks import mm
from tasks.errors import TaskError


@dataclass(frozen=True)
class ModelInfo:
    """What a checkpoint says of the model that it was trained as.

    Attributes:
        classes: class names in output order, or None when the checkpoint holds none.
        input_size: (H, W) that the model was trained on, or None to keep the image's size.
        file: name of the checkpoint, for messages.
    """

    classes: tuple[str, ...] | None = None
    input_size: tuple[int, int] | None = None
    file: str = "the weights"


class DownstreamModel(nn.Module):
    """A frozen model: (B, 3, H, W) float32 RGB in [0, 1] → logits.

    Attributes:
        kind: "classification" → (B, K) logits; "segmentation" → (B, K, H, W).
        num_outputs: K.
        info: class names and input size from the checkpoint.
    """

    kind: str
    num_outputs: int

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.info = info


class TimmClassifier(DownstreamModel):
    """A timm model with a checkpoint; torchvision's ResNet layout has the same names.

    Normalises by the mean and std that timm states for the model. Resizes (bilinear, antialiased)
    to the checkpoint's input size, or to timm's where the model takes no other.

    Raises:
        TaskError: timm does not know the name, or the checkpoint does not fit it.
    """

    kind = "classification"

    def __init__(self, name: str, state: Mapping[str, torch.Tensor], info: ModelInfo) -> None:
        super().__init__(info)
        self.network = create_timm(name)
        stated = self.network.default_cfg
        head = stated["classifier"]
        head = f"{head if isinstance(head, str) else head[0]}.weight"
        if head not in state:
            raise TaskError(f"{info.file}: does not fit timm model {name}: '{head}' is missing")
        self.num_outputs = len(state[head])
        self.network.reset_classifier(self.num_outputs)
        load_strict(self.network, state, info.file, f"timm model {name}")
        fixed = tuple(stated["input_size"][1:]) if stated.get("fixed_input_size") else None
        self.input_size = info.input_size or fixed
        mean, std = timm_normalisation(self.network)
        self.register_buffer("mean", mean, False)
        self.register_buffer("std", std, False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        size = self.input_size
        if size and tuple(image.shape[-2:]) != tuple(size):
            image = F.interpolate(image, size, mode="bilinear", antialias=True)
        return self.network((image - self.mean) / self.std)


class MMSegmentor(DownstreamModel):
    """An mmsegmentation model from its config; normalises as its own data preprocessor says.

    Raises:
        TaskError: the config cannot be built, or the checkpoint does not fit it.
    """

    kind = "segmentation"

    def __init__(self, config: Path, state: Mapping[str, torch.Tensor], info: ModelInfo) -> None:
        super().__init__(info)
        self.network = mm.build_segmentor(config)
        load_strict(self.network, state, info.file, f"config {config.name}")
        self.num_outputs = self.network.out_channels

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return mm.segment(self.network, image)


def create_timm(name: str) -> nn.Module:
    """A timm model without weights, with its default number of outputs.

    Raises:
        TaskError: timm does not know the name; the nearest one is offered.
    """
    import timm

    if not timm.is_model(name):
        near = timm.list_models(f"*{name}*")[:3]
        hint = f"did you mean {', '.join(near)}?" if near else "see timm.list_models()"
        raise TaskError(f"evaluator '{name}' is neither a timm model nor a config file; {hint}")
    return timm.create_model(name, pretrained=False)


def timm_normalisation(network: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and std that timm states for a model, each (1, 3, 1, 1) for images in [0, 1]."""
    mean, std = (torch.tensor(network.default_cfg[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    return mean, std


def load_strict(module: nn.Module, state: Mapping[str, torch.Tensor], file: str, what: str) -> None:
    """Load a state dict whose keys and shapes must all agree.

    Args:
        file, what: the checkpoint and the model, for messages.

    Raises:
        TaskError: names the first key that is missing, unexpected or of another shape.
    """
    own = module.state_dict()
    optional = {key for key in own if key.endswith("num_batches_tracked")}
    for key in own:
        if key not in state and key not in optional:
            raise TaskError(f"{file}: does not fit {what}: '{key}' is missing")
    for key, value in state.items():
        if key not in own:
            raise TaskError(f"{file}: does not fit {what}: '{key}' is not in the model")
        if own[key].shape != value.shape:
            raise TaskError(
                f"{file}: does not fit {what}: '{key}' is {tuple(value.shape)} in the file, "
                f"{tuple(own[key].shape)} in the model"
            )
    module.load_state_dict(state, strict=False)
