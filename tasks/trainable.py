"""Evaluators before training: the frozen models on fresh weights, their loss, how they start."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tasks import mm
from tasks.errors import TaskError
from tasks.models import (
    DownstreamModel,
    MMSegmentor,
    ModelInfo,
    TimmClassifier,
    create_timm,
    load_strict,
)


def untrained_classifier(name: str, info: ModelInfo) -> TimmClassifier:
    """A timm model for the classes of `info`, as timm initialises it.

    Raises:
        TaskError: timm does not know the name.
    """
    network = create_timm(name)
    network.reset_classifier(len(info.classes or ()))
    return TimmClassifier(name, network.state_dict(), info)


def untrained_segmentor(config: Path, info: ModelInfo) -> MMSegmentor:
    """An mmsegmentation model for the classes of `info`, without the config's own downloads.

    Raises:
        TaskError: the config cannot be built, or has another number of classes.
    """
    model = MMSegmentor(config, mm.build_segmentor(config).state_dict(), info)
    count = len(info.classes or ())
    if model.num_outputs != count:
        raise TaskError(
            f"{config.name} has {model.num_outputs} classes, the data {count}; change "
            "`num_classes` in the config"
        )
    return model


def start_from(model: DownstreamModel, state: dict[str, Tensor], file: str) -> None:
    """Load a classifier without its head, or a segmentor's backbone.

    What else the file holds (its own classifier) is left out.

    Raises:
        TaskError: a weight is missing, or has another shape.
    """
    part, head = _body(model)
    own = part.state_dict()
    new = {key: value for key, value in own.items() if head and key.startswith(f"{head}.")}
    body = {key: state[key] for key in own if key in state and key not in new}
    load_strict(part, body | new, file, f"the {'classifier' if head else 'backbone'}")


def imagenet_state(model: DownstreamModel) -> dict[str, Tensor]:
    """timm's pretrained weights of a classifier, or of a segmentor's backbone; downloads them.

    Raises:
        TaskError: the backbone is none of timm's, or the weights cannot be had.
    """
    import timm

    stated = getattr(_body(model)[0], "pretrained_cfg", None)
    if not stated:
        raise TaskError("start: imagenet is for networks of timm; name a file, or write none")
    name = ".".join(filter(None, (stated["architecture"], stated.get("tag"))))
    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # whatever the hub, the network or the file system raises
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TaskError(
            f"ImageNet weights of {name} cannot be had ({reason.rstrip('.')}); write start: none, "
            "or start: FILE in the recipe"
        ) from None


class TrainingLoss(nn.Module):
    """Cross-entropy of a classifier, or the sum of a segmentor's heads' own losses.

    `precision` is the type the network computes in under autocast, None for its own.
    """

    def __init__(self, model: DownstreamModel, precision: torch.dtype | None) -> None:
        super().__init__()
        self.model, self.precision = model, precision

    def forward(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W uint8 and their targets (see `Labelled`) → a scalar."""
        image, target = image.to(torch.get_default_dtype()) / 255, target.long()
        with torch.autocast(image.device.type, self.precision, enabled=bool(self.precision)):
            if self.model.kind == "classification":
                return F.cross_entropy(self.model(image), target)
            return mm.segmentation_loss(self.model.network, image, target)


def synchronised(model: DownstreamModel) -> None:
    """BatchNorm over all ranks instead of each alone."""
    from timm.layers import convert_sync_batchnorm

    model.network = convert_sync_batchnorm(model.network)


def _body(model: DownstreamModel) -> tuple[nn.Module, str]:
    """The part of a model that may start from a file, and its head's name, "" without one."""
    if model.kind == "classification":
        head = model.network.default_cfg["classifier"]
        return model.network, head if isinstance(head, str) else head[0]
    backbone = model.network.backbone
    return getattr(backbone, "timm_model", backbone), ""
