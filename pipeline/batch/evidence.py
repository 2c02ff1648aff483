"""What a cell is made of: files and their hashes, without building a model."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from enhancers.base import EncodeDecode
from pipeline import zoo
from pipeline.backbones import find_backbone
from pipeline.batch.cells import TaskSpec
from pipeline.batch.versions import DARKENING, EVALUATION, LFPV, code_version
from pipeline.errors import PipelineError
from pipeline.evaluators import evaluator_config, find_class_map, resolve_evaluator
from pipeline.factory import create_task, is_network
from pipeline.files import sha256
from pipeline.names import EnhancerName, parse_task
from pipeline.own.onnx import digest as onnx_digest
from pipeline.provenance import manifest
from pipeline.registry import ENHANCERS
from tasks import mm
from tasks.classes import read_class_map
from tasks.task import Task


@dataclass(frozen=True)
class Bed:
    """A task with its data and its evaluator's files: what all enhancers are measured on.

    Attributes:
        dataset: as `manifest`.
        known: model, file and class map of the evaluator, as `task_folder` wants them.
        identity: the parts of a cell's identity that come from here.
    """

    task: Task
    dataset: dict[str, Any]
    known: dict[str, Any]
    identity: dict[str, Any]


def bed(spec: TaskSpec, fetch: bool = True) -> Bed:
    """Find and hash the data and the evaluator of an entry; `fetch` downloads listed weights.

    Raises:
        PipelineError, TaskError: something is not here, in one line.
    """
    task = create_task(spec.task, spec.root, spec.protocol, sample=spec.sample)
    if spec.darken:
        task = task.darkened(spec.darken)
    known, evaluator = _evaluator(spec, task, fetch)
    dataset = manifest(task.samples)
    protocol = {key: value for key, value in asdict(task.protocol).items() if key != "about"}
    data = {
        **dataset,
        "task": parse_task(task.name).base,
        "classes": task.classes,
        "ignore_index": task.ignore_index,
    }
    if task.darkening:
        data["darkening"] = {"code": DARKENING, **asdict(task.darkening)}
    identity = {"protocol": protocol, "evaluator": evaluator, "dataset": data}
    return Bed(task, dataset, known, identity)


def enhancer_identity(
    name: EnhancerName, sample: bool, options: Mapping[str, Any], fetch: bool = True
) -> dict[str, Any]:
    """Family, code version, hash of the weights and options; the constructor's defaults and the
    options in the weights' header are in the version and in the hash.

    Raises:
        PipelineError: the weights are not here.
    """
    factory = ENHANCERS.get(name.base)
    identity = {"name": name.bare, "code": code_version(name.base, factory)}
    if name.lfpv:
        identity["lfpv"] = LFPV
    if name.source is not None:
        return identity | {"source": factory.from_source(name.source).provenance}
    if not is_network(factory):
        return identity | {"parameter": name.weights, "options": dict(options)}
    file, listed = zoo.enhancer_weights(name.bare, name.weights, sample, fetch)
    digest = _weights_digest(file, factory)
    listed = listed or zoo.options_of(name.bare, file, digest)
    return identity | {"weights": digest, "options": listed | dict(options)}


def config_digest(name: str) -> str:
    """Hash of an mmsegmentation config's content: its comments and its layout may change."""
    content = mm.config_content(evaluator_config(name))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _weights_digest(file: Path, factory: type[EncodeDecode]) -> str:
    """As `Checkpoint.sha256`, of a file or of an authors' folder of several."""
    if not file.is_dir():
        return sha256(file)
    parts = (sha256(file / name) for name in factory.released_files)
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _evaluator(spec: TaskSpec, task: Task, fetch: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is known of the evaluator, and its identity."""
    identity: dict[str, Any] = {"code": EVALUATION[task.kind]}
    if task.kind == "restoration":
        alexnet = find_backbone("alexnet")
        return {}, identity | {"lpips": alexnet.sha256 if alexnet else None}
    model, weights = resolve_evaluator(spec.evaluator, spec.evaluator_weights, task, fetch)
    if weights is None:
        file = Path(model.removeprefix("onnx:"))
        known = {"model": "onnx", "file": file.name}
        identity |= {"model": "onnx", "settings": _digest_of_file(file.with_suffix(".yaml"))}
        identity["weights"] = onnx_digest(file)
    else:
        file = Path(weights)
        known = {"model": model, "file": file.name}
        identity |= {"model": Path(model).name}
        if model.endswith(".py"):
            identity["settings"] = config_digest(model)
        identity["weights"] = _digest_of_file(file)
    if spec.class_map:
        path = find_class_map(Path(spec.class_map))
        known["class_map"] = {"file": path.name}
        identity["class_map"] = read_class_map(path)
    return known, identity


def _digest_of_file(path: Path) -> str:
    if not path.is_file():
        raise PipelineError(f"{path}: no such file")
    return sha256(path)
