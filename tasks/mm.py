"""The only door to mmcv and mmsegmentation, and to mmengine but for its training loop.

mmsegmentation imports compiled mmcv operations that none of its usual models call. Where mmcv is
the lite build, a stand-in module takes their place, so that the imports succeed and a model that
does need a compiled operation says so when it runs.
"""

import importlib.util
import logging
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch
from torch import nn

from tasks.errors import TaskError
from tasks.segmentors.espnetv2 import ESPNetv2Decoder, ESPNetv2Encoder
from tasks.segmentors.refinenet import RefineNetDecoder
from tasks.segmentors.settings import EvaluatorSettings, settings_from


def build_segmentor(config_path: Path) -> nn.Module:
    """Build the model of an mmsegmentation config, without downloading any weights.

    Raises:
        TaskError: no such file, no `model` in it, or mmsegmentation refuses it.
    """
    if not config_path.is_file():
        raise TaskError(f"{config_path}: no such mmsegmentation config")
    prepare()
    from mmengine.config import Config, ConfigDict
    from mmengine.registry import DefaultScope
    from mmseg.registry import MODELS

    try:
        config = Config.fromfile(config_path)
        if "model" not in config:
            raise TaskError(f"{config_path}: has no `model`; an mmsegmentation config is needed")
        model = ConfigDict(_without_downloads(config.model.to_dict()))
        if not model.get("data_preprocessor"):
            raise TaskError(
                f"{config_path}: its model has no `data_preprocessor`, so no mean and std"
            )
        with DefaultScope.overwrite_default_scope("mmseg"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            built = MODELS.build(model).eval()
    except TaskError:
        raise
    except (Exception, SystemExit) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)
        raise TaskError(f"{config_path}: mmsegmentation cannot build it ({reason})") from error
    if not isinstance(getattr(built, "out_channels", None), int):
        raise TaskError(f"{config_path}: its model is no segmentor, but {type(built).__name__}")
    return built


def segment(model: nn.Module, image: torch.Tensor) -> torch.Tensor:
    """Logits of an mmsegmentation model, normalised as its own data preprocessor says.

    Args:
        image: (B, 3, H, W) float32 RGB in [0, 1].

    Returns:
        (B, K, H, W) float logits.
    """
    height, width = image.shape[-2:]
    batch = _normalised(model, image)
    meta = {
        "ori_shape": (height, width),
        "img_shape": batch.shape[-2:],
        "pad_shape": batch.shape[-2:],
    }
    logits = model.inference(batch, [meta] * len(image))
    return logits[..., :height, :width]


def segmentation_loss(model: nn.Module, image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Training loss of an mmsegmentation model: the sum of its heads' losses.

    Args:
        image: (B, 3, H, W) float32 RGB in [0, 1].
        label: (B, H, W) int64 class indices, 255 is void.
    """
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    shape = {"img_shape": image.shape[-2:], "ori_shape": image.shape[-2:]}
    samples = [SegDataSample(gt_sem_seg=PixelData(data=one[None]), metainfo=shape) for one in label]
    losses = model.loss(_normalised(model, image), samples)
    return sum(value for name, value in losses.items() if "loss" in name)


def packaged_config(name: str) -> Path | None:
    """Path of a config that mmsegmentation ships, e.g. `pspnet/pspnet_r50-....py`, or None."""
    spec = importlib.util.find_spec("mmseg")
    path = Path(spec.origin).parent / ".mim" / "configs" / name
    return path if path.is_file() else None


def evaluator_settings(config_path: Path) -> EvaluatorSettings:
    """The `evaluator` of an mmsegmentation config, beside its `model`; the defaults without one.

    Raises:
        TaskError: a key or a value that is none.
    """
    prepare()
    from mmengine.config import Config

    values = Config.fromfile(config_path).get("evaluator") or {}
    return settings_from(values, config_path.name)


def config_content(config_path: Path) -> dict[str, object]:
    """What of an mmsegmentation config, with all that it inherits, can change a prediction.

    Raises:
        TaskError: no such file, or it cannot be read.
    """
    from mmengine.config import Config

    if not config_path.is_file():
        raise TaskError(f"{config_path}: no such mmsegmentation config")
    try:
        config = Config.fromfile(config_path).to_dict()
    except Exception as error:  # a config is Python, which can fail in any way
        raise TaskError(f"{config_path}: cannot be read ({error})") from error
    dataset = (config.get("test_dataloader") or {}).get("dataset") or {}
    shown = {key: dataset.get(key) for key in ("type", "metainfo")}
    return {"model": config.get("model"), "evaluator": config.get("evaluator"), "dataset": shown}


def dataset_classes(config_path: Path) -> tuple[str, ...] | None:
    """Class names of the dataset on which a config tests, where mmsegmentation knows it."""
    prepare()
    from mmengine.config import Config
    from mmseg.registry import DATASETS

    dataset = (Config.fromfile(config_path).get("test_dataloader") or {}).get("dataset") or {}
    known = DATASETS.get(dataset["type"]) if isinstance(dataset.get("type"), str) else None
    meta = dict(getattr(known, "METAINFO", {})) | dict(dataset.get("metainfo") or {})
    return tuple(meta["classes"]) if meta.get("classes") else None


def _normalised(model: nn.Module, image: torch.Tensor) -> torch.Tensor:
    # mmsegmentation's images are BGR with levels 0 to 255.
    return model.data_preprocessor({"inputs": list(image.flip(1) * 255)}, False)["inputs"]


def _without_downloads(node: object) -> object:
    """Drop `pretrained` and `init_cfg`, which fetch backbone weights that a checkpoint replaces."""
    if isinstance(node, dict):
        return {
            key: None if key in ("pretrained", "init_cfg") else _without_downloads(value)
            for key, value in node.items()
        }
    if isinstance(node, list | tuple):
        return type(node)(_without_downloads(value) for value in node)
    return node


@cache
def prepare() -> None:
    """Make mmsegmentation importable, and add our networks to its registry."""
    with warnings.catch_warnings(), _compiled_operations():
        warnings.simplefilter("ignore")
        import mmseg.models  # noqa: F401
    logging.getLogger("mmengine").setLevel(logging.WARNING)
    # Advice on input sizes, at every image size; our decoders were trained as they are.
    warnings.filterwarnings("ignore", message="When align_corners=True")
    from mmseg.registry import MODELS

    MODELS.register_module(module=ESPNetv2Encoder)
    for decoder in (ESPNetv2Decoder, RefineNetDecoder):
        name = decoder.__name__.replace("Decoder", "Head")
        MODELS.register_module(name=name, module=_decode_head(decoder))


def _decode_head(decoder: type[nn.Module]) -> type[nn.Module]:
    """mmsegmentation's decode head (its losses, its resizing) around a decoder of all features.

    A config's `decoder_options` are the decoder's own.
    """
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead

    class Head(BaseDecodeHead):
        def __init__(self, in_channels, num_classes, decoder_options=None, **options):
            super().__init__(
                in_channels,
                channels=1,
                num_classes=num_classes,
                in_index=list(range(len(in_channels))),
                input_transform="multiple_select",
                align_corners=True,
                init_cfg=None,
                **options,
            )
            # The base's own classifier; the decoder has one.
            del self.conv_seg
            self.decoder = decoder(in_channels, num_classes, **(decoder_options or {}))

        def forward(self, inputs):
            return self.decoder(self._transform_inputs(inputs))

    return Head


@contextmanager
def _compiled_operations() -> Iterator[None]:
    """Lend the stand-in to imports; it must not stay, or mmengine would look for it in mmcv."""
    if importlib.util.find_spec("mmcv._ext") is not None:
        yield
        return
    sys.modules["mmcv._ext"] = _StandIn("mmcv._ext")
    try:
        yield
    finally:
        del sys.modules["mmcv._ext"]


class _StandIn(types.ModuleType):
    """Takes the place of mmcv's compiled extension; every operation fails when called."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*_args, **_kwargs):
            raise NotImplementedError(f"{name} needs the full mmcv with compiled operations")

        return missing
