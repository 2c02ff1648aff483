"""From names to objects: enhancers and tasks."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from enhancers.base import EncodeDecode, Enhancer
from enhancers.errors import EnhancerError
from enhancers.lfpv import LFPVEnhancer
from pipeline import zoo
from pipeline.checkpoints import Checkpoint, read_checkpoint, read_checkpoints
from pipeline.errors import PipelineError
from pipeline.names import EnhancerName, parse_enhancer, parse_task
from pipeline.registry import ENHANCERS, TASKS
from pipeline.sample import SAMPLE_PROTOCOL, is_sample, sample_root
from tasks.task import Task

DATA_FOLDER = "PIPELINE_DATA"


@dataclass(frozen=True)
class Loaded:
    """An enhancer or evaluator with where its weights came from (for provenance)."""

    model: Any
    weights: dict[str, Any]


def create_enhancer(
    name: str, pretrained: str | Path | None = None, *, sample: bool = False, **options: Any
) -> Enhancer:
    """Create an enhancer with its weights, ready for inference.

    Args:
        name: `base[+lfpv][@weights]`, e.g. "sci@medium", "gamma@0.6", "sci+lfpv@file.safetensors",
            or the user's own, "onnx:FILE", "python:package.module:callable".
        pretrained: weights name or file; the same as `@weights`.
        sample: a bare name means the weights trained on the sample scenes.
        options: arguments of the network's constructor; they override the checkpoint's.

    Returns:
        A module in eval mode: (B, 3, H, W) float32 RGB in [0, 1] → the same shape and range.

    Raises:
        PipelineError: unknown name, no such weights, or an unsafe or broken file.
        EnhancerError: the weights do not fit the network, or an option is wrong.
    """
    parsed = parse_enhancer(name)
    if pretrained is not None:
        if parsed.weights or parsed.source or not str(pretrained):
            raise PipelineError(f"'{name}' with pretrained='{pretrained}': name the weights once")
        parsed = replace(parsed, weights=str(pretrained))
    return load_enhancer(parsed, sample=sample, **options).model


def load_enhancer(name: EnhancerName, *, sample: bool = False, **options: Any) -> Loaded:
    """As `create_enhancer`, with the weights' provenance."""
    factory = ENHANCERS.get(name.base)
    if name.source is not None or hasattr(factory, "from_source"):
        return _from_source(factory, name, options)
    if not is_network(factory):
        return Loaded(_without_weights(factory, name, options), {})
    file, listed = zoo.enhancer_weights(name.bare, name.weights, sample)
    checkpoint = _read_weights(factory, file)
    listed = listed or zoo.options_of(name.bare, file, checkpoint.sha256)
    try:
        model = _network(factory, name, checkpoint, listed | options)
    except EnhancerError as error:
        raise EnhancerError(f"{file}: {error}") from None
    provenance = {
        "file": file.name,
        "sha256": checkpoint.sha256,
        "options": model.options,
        "header": checkpoint.header,
    }
    if isinstance(model, LFPVEnhancer):
        provenance["lfpv_parameters"] = model.extra_parameters()
    return Loaded(model.eval(), provenance)


def create_task(
    name: str, root: str | Path | None = None, protocol: str | None = None, *, sample: bool = False
) -> Task:
    """Create a task over a dataset that lies on disk.

    Args:
        name: "codan", "nighttime_driving", "darkzurich", "lol", or "classification:DIR",
            "segmentation:DIR", "restoration:DIR".
        root: the dataset's folder; by default `$PIPELINE_DATA/NAME`. Not beside ":DIR".
        protocol: a protocol of the task; None is its default, or "sample" for the sample.
        sample: use the procedural sample scenes instead of the dataset; no root is needed.

    Raises:
        PipelineError: unknown task, or no root.
        TaskError: wrong layout, no images, unknown protocol.
    """
    parsed = parse_task(name)
    build = TASKS.get(parsed.base)
    if sample:
        if parsed.folder or root:
            raise PipelineError("--sample brings its own data; leave the folder out")
        folder = sample_root(parsed.base)
    elif parsed.folder and root:
        raise PipelineError(f"task '{name}' names its folder; leave --root out")
    else:
        folder = parsed.folder or (Path(root) if root else dataset_root(parsed.base))
    # Rendered scenes stay sample scenes wherever they lie.
    if sample or is_sample(folder):
        return replace(
            build(folder, protocol or SAMPLE_PROTOCOL.get(parsed.base)), sample_data=True
        )
    if protocol == "sample":
        raise PipelineError("protocol 'sample' is for the sample scenes only")
    return build(folder, protocol)


def require_trainable(name: EnhancerName) -> type[EncodeDecode]:
    """The network class of a name.

    Raises:
        PipelineError: unknown base, or one that has nothing to train.
    """
    factory = ENHANCERS.get(name.base)
    if not is_network(factory):
        raise PipelineError(f"enhancer '{name.base}' has nothing to train")
    return factory


def new_network(
    name: EnhancerName, options: Mapping[str, Any], lfpv: Mapping[str, Any]
) -> Enhancer:
    """An untrained network for training, with its updaters when the name says `+lfpv`.

    Raises:
        PipelineError: unknown base, or one that has nothing to train.
        EnhancerError: a wrong option.
    """
    factory = require_trainable(name)
    network = _construct(factory, options)
    if not name.lfpv:
        return network
    return LFPVEnhancer(network.encode, network.decode, network.feature_channels, **lfpv)


def start_network(network: EncodeDecode, base: str, source: str) -> None:
    """Load a whole plain network from weights of the list, a file of ours or the authors' files.

    Raises:
        PipelineError, EnhancerError: no such weights, or they do not fit.
    """
    file, _ = zoo.enhancer_weights(base, source, sample=False)
    _load_plain(network, _read_weights(type(network), file))


def require_source(name: EnhancerName, factory: Any) -> None:
    """PipelineError unless the name has a source and its factory wants one."""
    if not hasattr(factory, "from_source"):
        raise PipelineError(f"'{name}': {name.base} takes weights after @, nothing after a colon")
    if name.source is None:
        raise PipelineError(f"'{name}' needs its source after a colon, {name.base}:…")


def is_network(factory: Any) -> bool:
    """Whether a registered factory is the class of a network, which has weights."""
    return isinstance(factory, type) and issubclass(factory, EncodeDecode)


def _read_weights(factory: type[EncodeDecode], path: Path) -> Checkpoint:
    """Our file, or the authors' one or several."""
    if path.is_dir() and factory.released_files:
        return read_checkpoints(path, factory.released_files, factory.released_globals)
    return read_checkpoint(path, factory.released_globals)


def _load_plain(network: EncodeDecode, checkpoint: Checkpoint) -> None:
    # A state_dict of ours that the user saved with torch has no header.
    own = checkpoint.ours or checkpoint.state.keys() == network.state_dict().keys()
    load = network.load_state_dict if own else network.load_released
    load(checkpoint.state)


def _network(
    factory: type[EncodeDecode], name: EnhancerName, checkpoint: Checkpoint, options: dict[str, Any]
) -> Enhancer:
    header = checkpoint.header if checkpoint.ours else {}
    if header.get("enhancer", name.bare) != name.bare:
        raise EnhancerError(f"these are weights of {header['enhancer']}, not of {name.bare}")
    for key in ("options", "lfpv"):
        if not isinstance(header.get(key, {}), dict):
            raise EnhancerError(f"its header's `{key}` is no mapping")
    network = _construct(factory, header.get("options", {}) | options)
    if not name.lfpv:
        _load_plain(network, checkpoint)
        return network
    if "lfpv" not in header:
        raise EnhancerError(
            f"holds no trained nodes, so it cannot be {name.bare}; train them with "
            f"pipeline train --enhancer {name.bare}"
        )
    lfpv = {k: v for k, v in header["lfpv"].items() if k != "channels"}
    join = partial(LFPVEnhancer, network.encode, network.decode, network.feature_channels)
    model = _construct(join, {**lfpv, "updaters": False})
    model.load_state_dict(checkpoint.state)
    if not model.trained:
        raise EnhancerError(f"its nodes were never trained, so it cannot be {name.bare}")
    return model


def _without_weights(factory: Any, name: EnhancerName, options: dict[str, Any]) -> Enhancer:
    """A baseline or a plug-in; `@` gives a baseline's parameter."""
    if name.lfpv:
        raise PipelineError(f"{name.base} has no deep feature, so there is no {name.bare}")
    parametric = hasattr(factory, "from_parameter")
    if name.weights is not None:
        if not parametric:
            raise PipelineError(f"{name.base} takes nothing after @, not '@{name.weights}'")
        if options:
            raise PipelineError(f"'{name}' gives its parameter after @; leave the options out")
        return factory.from_parameter(name.weights).eval()
    if parametric and not options:
        raise PipelineError(f"{name.base} needs its parameter after @, e.g. {factory.example}")
    return _construct(factory, options).eval()


def _from_source(factory: Any, name: EnhancerName, options: Mapping[str, Any]) -> Loaded:
    """The user's own: `base:source`."""
    require_source(name, factory)
    if options:
        raise PipelineError(f"'{name}' takes no options")
    model = factory.from_source(name.source).eval()
    return Loaded(model, model.provenance)


def _construct(factory: Any, options: Mapping[str, Any]) -> Any:
    try:
        return factory(**options)
    except TypeError as error:
        raise EnhancerError(f"wrong option: {str(error).partition('() ')[2] or error}") from None


def data_folder(name: str) -> Path:
    """Where a dataset is looked for: `$PIPELINE_DATA/NAME`, by default ./data/NAME."""
    return Path(os.environ.get(DATA_FOLDER, "data")) / name


def dataset_root(name: str) -> Path:
    """`data_folder`, proven to exist; PipelineError where it does not."""
    folder = data_folder(name)
    if not folder.is_dir():
        raise PipelineError(
            f"no data for {name}: give --root DIR, or put it at {folder} ({DATA_FOLDER} moves the "
            "parent); `pipeline data list` says where datasets are published, and the built-in "
            "scenes (run --sample, train --data sample) need none"
        )
    return folder
