"""`run`: one enhancer through one task, to a result."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from enhancers.base import Enhancer, in_eval_mode
from pipeline.backbones import find_backbone, how_to_get
from pipeline.chain import ChainOptions, default_batch, measure
from pipeline.cost import cost
from pipeline.errors import PipelineError
from pipeline.evaluators import load_evaluator
from pipeline.factory import Loaded, create_task, load_enhancer
from pipeline.names import parse_enhancer
from pipeline.own.python import state_digest
from pipeline.provenance import as_given, environment, manifest
from pipeline.result import Result
from pipeline.statistics import SEED
from pipeline.summary import summarise, without_pixels
from tasks.darken import Darkening
from tasks.evaluators import Evaluator, create_evaluator
from tasks.models import DownstreamModel
from tasks.quality import LPIPS
from tasks.restoration import RestorationEvaluator
from tasks.task import Task


@dataclass(frozen=True)
class Bench:
    """A task joined to its frozen evaluator: what every enhancer of a table is measured on."""

    evaluator: Evaluator
    evaluator_provenance: dict[str, Any]
    dataset: dict[str, Any]

    @property
    def task(self) -> Task:
        """The evaluator's task."""
        return self.evaluator.task

    def darkened(self, darkening: Darkening) -> "Bench":
        """The same frozen model on the same images, darkened as they are read.

        Raises:
            TaskError: see `Task.darkened`.
        """
        task = self.task.darkened(darkening)
        return replace(self, evaluator=create_evaluator(self.evaluator.model, task))


def run(
    enhancer: str | Enhancer,
    task: str | Task,
    *,
    root: str | Path | None = None,
    evaluator: str | DownstreamModel | None = None,
    evaluator_weights: str | Path | None = None,
    class_map: str | Path | None = None,
    protocol: str | None = None,
    sample: bool = False,
    device: str = "auto",
    amp: bool = False,
    batch_size: int | None = None,
) -> Result:
    """Measure an enhancer as preprocessing of a frozen daytime model.

    Args:
        enhancer: a name (`base[+lfpv][@weights]`), or a module that maps (B, 3, H, W) float32 RGB
            in [0, 1] to the same shape and range; it is moved to `device`, and asked in eval mode.
        task: a name, or a task made by `create_task`.
        root: the dataset's folder, when `task` is a name of a published dataset.
        evaluator: timm name, mmsegmentation config, listed evaluator, or a model of your own;
            None is the task's default.
        evaluator_weights: checkpoint of the evaluator.
        class_map: YAML file from the evaluator's classes to the task's, where they differ.
        protocol: a protocol of the task; None is its default.
        sample: evaluate on the procedural sample scenes that ship with the product.
        device: "auto", "cpu", "cuda" or "cuda:N".
        amp: mixed precision.
        batch_size: images of one size at a time; None is 16 for classification, 1 otherwise.

    Returns:
        The result; `result.headline` is the task's main score in percent.

    Raises:
        PipelineError, EnhancerError, TaskError: bad names, files, data or weights, in one line.
    """
    given = as_given(locals())
    if empty := [name for name, value in given.items() if value == ""]:
        raise PipelineError(f"{empty[0]} is empty; give it a value, or leave it out")
    if isinstance(task, str):
        task = create_task(task, root, protocol, sample=sample)
    elif root or protocol or sample:
        raise PipelineError("root, protocol and sample belong to a task's name, not to a task")
    if not isinstance(enhancer, str | nn.Module):
        raise PipelineError(f"an enhancer is a name or a torch.nn.Module, not {enhancer!r}")
    if batch_size is not None and not (isinstance(batch_size, int) and batch_size > 0):
        raise PipelineError(f"batch_size must be a whole number above 0, not {batch_size!r}")
    bench = prepare(task, evaluator, evaluator_weights, class_map)
    options = chain_options(task, device, amp, batch_size)
    if isinstance(enhancer, str):
        loaded = load_enhancer(parse_enhancer(enhancer), sample=task.sample_data)
        return run_loaded(enhancer, loaded, bench, options, given)
    state = enhancer.state_dict()
    loaded = Loaded(enhancer, {"sha256": state_digest(state)} if state else {})
    with in_eval_mode(enhancer):
        return run_loaded(type(enhancer).__name__, loaded, bench, options, given)


def prepare(
    task: Task,
    evaluator: str | DownstreamModel | None,
    weights: str | Path | None,
    class_map: str | Path | None = None,
    dataset: dict[str, Any] | None = None,
) -> Bench:
    """Load the evaluator of a task and hash the dataset, unless its `manifest` is given.

    See `run` for the other arguments and errors.
    """
    dataset = dataset or manifest(task.samples)
    if task.kind == "restoration":
        if evaluator or weights or class_map:
            raise PipelineError(f"{task.name} compares with the truth; leave the evaluator out")
        loaded = _load_lpips()
        judge = RestorationEvaluator(loaded.model, task, how_to_get("alexnet"))
        return Bench(judge, loaded.weights, dataset)
    if isinstance(evaluator, DownstreamModel):
        if weights or class_map:
            raise PipelineError("the evaluator is a model already; leave weights and class map out")
        loaded = Loaded(evaluator, {"model": type(evaluator).__name__})
    elif evaluator is None or isinstance(evaluator, str):
        loaded = load_evaluator(evaluator, weights, task, class_map)
    else:
        given = type(evaluator).__name__
        raise PipelineError(f"an evaluator is a name or a DownstreamModel, not a {given}")
    return Bench(create_evaluator(loaded.model, task), loaded.weights, dataset)


def _load_lpips() -> Loaded:
    """LPIPS as far as its backbone is here; None for the model where it is not."""
    alexnet = find_backbone("alexnet")
    if alexnet is None:
        return Loaded(None, {})
    provenance = {"model": "LPIPS (AlexNet)", "file": alexnet.file.name, "sha256": alexnet.sha256}
    return Loaded(LPIPS(alexnet.state, str(alexnet.file)), provenance)


def chain_options(
    task: Task, device: str, amp: bool, batch_size: int | None, workers: int = 2
) -> ChainOptions:
    """Options of the chain with the defaults of `run`.

    Raises:
        PipelineError: the device does not exist.
    """
    return ChainOptions(chosen_device(device), amp, batch_size or default_batch(task), workers)


def chosen_device(name: str) -> torch.device:
    """The device of that name; "auto" is CUDA where there is one.

    Raises:
        PipelineError: the device does not exist.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda"):
            raise RuntimeError("the chain runs on cpu or cuda")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise PipelineError(f"device '{name}' cannot be used ({reason})") from None
    return device


def run_loaded(
    name: str,
    enhancer: Loaded,
    bench: Bench,
    options: ChainOptions,
    given: Mapping[str, Any],
) -> Result:
    """Measure a loaded enhancer; see `provenance_of` for `given`."""
    started = time.perf_counter()
    model = enhancer.model.to(options.device)
    bench.evaluator.to(options.device)
    measured = [without_pixels(one) for one in measure(model, bench.evaluator, options)]
    seconds = time.perf_counter() - started
    provenance = provenance_of(name, enhancer, bench, options, given, seconds)
    return summarise(name, bench.evaluator, measured, provenance)


def provenance_of(
    name: str,
    enhancer: Loaded,
    bench: Bench,
    options: ChainOptions,
    given: Mapping[str, Any],
    seconds: float,
) -> dict[str, Any]:
    """What a result of a loaded enhancer on a bench came from, as plain JSON values.

    Versions, commit and hardware; `enhancer` and `evaluator`: file, hash, options and header of
    their weights; `dataset`: its hash; `given`: what was asked for; `config`: what came of it;
    `cost`: of the enhancer, None where it cannot be counted; `seeds`, None where none is known;
    `wall_seconds`: of all images.
    """
    darkening = bench.task.darkening
    return {
        **environment(options.device),
        "enhancer": enhancer.weights,
        "evaluator": bench.evaluator_provenance,
        "dataset": bench.dataset | ({"darkening": asdict(darkening)} if darkening else {}),
        "cost": asdict(cost(enhancer.model)),
        "seeds": {
            "bootstrap": SEED,
            "enhancer": _trained_with(enhancer.weights),
            "evaluator": _trained_with(bench.evaluator_provenance),
        },
        "wall_seconds": round(seconds, 3),
        "given": dict(given),
        "config": {
            "enhancer": name,
            "task": bench.task.name,
            "sample": bench.task.sample_data,
            "protocol": bench.task.protocol.name,
            **asdict(options),
            "device": str(options.device),
        },
    }


def _trained_with(weights: Mapping[str, Any]) -> int | None:
    """The seed in the header of weights of ours."""
    return (weights.get("header") or {}).get("seed")
