"""`pipeline submit`: the archive that a benchmark's test server takes."""

import json
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from enhancers.base import Enhancer
from pipeline.chain import ChainOptions, measure
from pipeline.console import progress
from pipeline.errors import PipelineError
from pipeline.evaluators import load_evaluator
from pipeline.factory import create_task, load_enhancer
from pipeline.files import atomic, require_writable, sha256
from pipeline.names import parse_enhancer
from pipeline.provenance import environment, manifest
from pipeline.runner import chain_options
from tasks.measurer import Record
from tasks.protocol import TaskCard, task_cards
from tasks.submission import Predictor, check_archive, write_archive
from tasks.task import Task

OUT = Path("submission.zip")


def submit(arguments: Namespace) -> None:
    """Write an archive, or check one."""
    (_check if arguments.check else _write)(arguments)


def _write(arguments: Namespace) -> None:
    """Predict every test image; what the archive came from goes into a .json beside it."""
    path, card = arguments.out or OUT, _card(arguments.task)
    if path.suffix != ".zip":
        raise PipelineError(f"{path}: the server takes a zip; name it *.zip")
    for file in (path, path.with_suffix(".json")):
        if file.exists():
            raise PipelineError(f"{file}: is there; name another --out, or remove it")
    name = parse_enhancer(arguments.enhancer)
    task = create_task(arguments.task, arguments.root, arguments.protocol)
    options = chain_options(task, arguments.device, arguments.amp, batch_size=None)
    require_writable(path)
    enhancer = load_enhancer(name)
    evaluator = load_evaluator(
        arguments.evaluator, arguments.evaluator_weights, task, arguments.class_map
    )
    predictor = Predictor(evaluator.model, task)
    with atomic(path) as temporary:
        write_archive(temporary, _predictions(enhancer.model, predictor, options))
        problems = list(check_archive(temporary, _names(task), card.splits["test"]))
    provenance: dict[str, Any] = {
        "sha256": sha256(path),
        "task": task.name,
        "protocol": asdict(task.protocol),
        "enhancer": {"name": str(name), **enhancer.weights},
        "evaluator": evaluator.weights,
        "dataset": manifest(task.samples),
        **environment(options.device),
    }
    with atomic(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(provenance, indent=1) + "\n")
    for problem in problems:
        print(f"note: {problem}")
    print(f"archive of {len(task.samples)} images: {path}")


def _predictions(
    enhancer: Enhancer, predictor: Predictor, options: ChainOptions
) -> Iterator[Record]:
    predictor.to(options.device)
    measured = measure(enhancer.to(options.device), predictor, options)
    total = len(predictor.task.samples)
    with progress() as shown:
        for one in shown.track(measured, total, description="predicting"):
            yield one.record


def _check(arguments: Namespace) -> None:
    """Print every problem of an archive."""
    for name in ("out", "evaluator", "evaluator_weights", "class_map", "protocol", "amp"):
        if getattr(arguments, name):
            raise PipelineError(f"--check takes --task and --root, no --{name.replace('_', '-')}")
    card = _card(arguments.task)
    names = _names(create_task(arguments.task, arguments.root)) if arguments.root else None
    problems = list(check_archive(arguments.check, names, card.splits["test"]))
    for problem in problems:
        print(f"problem: {problem}")
    if problems:
        raise PipelineError(f"{arguments.check}: {len(problems)} problems; do not submit it")
    print(f"{arguments.check}: names, count, sizes and label ids are right")


def _card(name: str) -> TaskCard:
    cards = {card.name: card for card in task_cards() if card.kind == "submission"}
    if name not in cards:
        raise PipelineError(f"task {name} has no test server; there is {', '.join(cards)}")
    return cards[name]


def _names(task: Task) -> list[str]:
    return [sample.image.name for sample in task.samples]
