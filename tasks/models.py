"""Frozen downstream models: any timm classifier, any mmsegmentation segmentor."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tasks import mm
from tasks.errors import TaskError
from tasks.resize import resize
from tasks.segmentors.released import first_outputs, from_released


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
        num_outputs: K, the number of classes.
        void_output: a segmentor's logits are (B, K+1, H, W), the last one void, which is no class.
        info: class names and input size from the checkpoint.
        settings: what else decides its scores, for the record.
    """

    kind: str
    num_outputs: int
    void_output: bool = False
    settings: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.info = info

    @contextmanager
    def told(self, image: torch.Tensor) -> Iterator[None]:
        """TaskError: the network fails on `image`; its own error is the cause."""
        try:
            yield
        except (RuntimeError, ValueError, AssertionError) as error:
            height, width = image.shape[-2:]
            raise TaskError(
                f"{self.info.file}: the frozen model fails on an image of {width}x{height} "
                f"({' '.join(str(error).split())}); `size` in a protocol of your own changes that"
            ) from error


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
        with self.told(image):
            return self.network((image - self.mean) / self.std)


class MMSegmentor(DownstreamModel):
    """An mmsegmentation model from its config; normalises as its own data preprocessor says.

    Class names are the checkpoint's, else the config's `evaluator`'s, else those of the dataset on
    which the config tests.

    Published checkpoints of our own networks load as they are. The config's `evaluator`
    (`EvaluatorSettings`) may resize the image; the logits have the given image's size all the same.

    Raises:
        TaskError: the config cannot be built, or the checkpoint does not fit it.
    """

    kind = "segmentation"

    def __init__(self, config: Path, state: Mapping[str, torch.Tensor], info: ModelInfo) -> None:
        network, settings = mm.build_segmentor(config), mm.evaluator_settings(config)
        classes = info.classes or settings.classes or mm.dataset_classes(config)
        super().__init__(replace(info, classes=classes))
        self.network = network
        self.void_output = settings.void_output
        self.num_outputs = network.out_channels - settings.void_output
        state = from_released(state, info.file)
        if settings.first_outputs:
            state = first_outputs(state, network.state_dict(), network.out_channels)
        load_strict(self.network, state, info.file, f"config {config.name}")
        self.input_size = settings.input_size or info.input_size
        self.settings = {
            "input_size": self.input_size,
            "eight_bit": settings.eight_bit,
            "score_by": settings.score_by,
            "first_outputs": settings.first_outputs,
            "void_output": settings.void_output,
        }

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        size = image.shape[-2:]
        if self.input_size:
            # Mixed precision is for the network.
            with torch.autocast(image.device.type, enabled=False):
                image = resize(image, self.input_size, "bilinear", self.settings["eight_bit"])
        with self.told(image):
            logits = mm.segment(self.network, image)
        if logits.shape[-2:] != size:
            # The nearest logits have the nearest prediction.
            logits = F.interpolate(logits, size, mode=self.settings["score_by"])
        return logits


class ClassMapped(DownstreamModel):
    """A model under a task's class names: each gets the greatest logit of what is mapped to it.

    So its argmax is the mapped argmax of the model; classes mapped to nothing are never predicted.
    A void output stays the last one.

    Args:
        sources: per class of the task, the outputs that are mapped to it.
        classes: the task's class names.
    """

    def __init__(
        self, model: DownstreamModel, sources: Sequence[Sequence[int]], classes: tuple[str, ...]
    ) -> None:
        super().__init__(replace(model.info, classes=classes))
        self.model, self.sources = model, [list(outputs) for outputs in sources]
        if model.void_output:
            self.sources.append([model.num_outputs])
        self.kind, self.num_outputs, self.settings = model.kind, len(classes), model.settings
        self.void_output = model.void_output

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        logits = self.model(image)
        return torch.stack([logits[:, outputs].amax(1) for outputs in self.sources], 1)


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
    module.load_state_dict({k: _without_subnormals(v) for k, v in state.items()}, strict=False)


def _without_subnormals(value: torch.Tensor) -> torch.Tensor:
    """Zeros for numbers below 1e-38: no output changes, and a CPU is twenty times faster."""
    if not value.is_floating_point():
        return value
    return value.masked_fill(value.abs() < torch.finfo(torch.float32).tiny, 0)
