"""What is wrong with the names of a config.

Files and data that are absent are no matter here: the cells that need them cannot run, the others
do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import configs
from pipeline import zoo
from pipeline.batch.cells import TaskSpec
from pipeline.errors import user_errors
from pipeline.factory import is_network, load_enhancer, new_network, require_source
from pipeline.names import EnhancerName, parse_task
from pipeline.registry import ENHANCERS, TASKS
from pipeline.sample import SAMPLE_PROTOCOL
from tasks.protocol import task_cards


def enhancer_problem(name: EnhancerName) -> str | None:
    """Why there is no enhancer of that name; None where there is, its files aside."""
    try:
        factory = ENHANCERS.get(name.base)
        if name.source is not None or hasattr(factory, "from_source"):
            require_source(name, factory)
            return None
        if not is_network(factory):
            load_enhancer(name)
            return None
    except user_errors() as error:
        return str(error)
    return _weights_problem(name) if name.weights else None


def options_problem(name: EnhancerName, options: Mapping[str, Any]) -> str | None:
    """Why an enhancer cannot have those options; None where it can."""
    try:
        if is_network(ENHANCERS.get(name.base)):
            new_network(replace(name, lfpv=False), options, {})
        else:
            load_enhancer(name, **options)
    except user_errors() as error:
        return str(error)
    return None


def task_problems(spec: TaskSpec) -> Iterator[tuple[str, str]]:
    """What is wrong with an entry of `tasks`: key and message, the data's folder aside."""
    try:
        name = parse_task(spec.task)
        TASKS.get(name.base)
    except user_errors() as error:
        yield "task", str(error)
        return
    card = {card.name: card for card in task_cards()}.get(name.base)
    if spec.sample and (spec.root or name.folder):
        yield "sample", "brings its own data; leave the folder out"
    elif spec.sample and name.base not in SAMPLE_PROTOCOL:
        yield "sample", f"there are sample scenes of {', '.join(SAMPLE_PROTOCOL)} only"
    if name.folder and spec.root:
        yield "root", f"task '{spec.task}' names its folder; leave root out"
    if card and card.kind == "submission":
        yield "task", f"{name.base} has no public labels; `pipeline submit` is for it"
    elif card and spec.protocol:
        try:
            card.protocol(spec.protocol)
        except user_errors() as error:
            yield "protocol", str(error)
    if card and card.kind == "restoration":
        for key in ("evaluator", "evaluator_weights", "class_map"):
            if getattr(spec, key):
                yield key, f"{name.base} compares with the truth; leave {key} out"
        if spec.darken:
            yield "darken", f"{name.base} has dark images already; leave darken out"
    else:
        yield from _evaluator_problems(spec, name.base)


def _evaluator_problems(spec: TaskSpec, task: str) -> Iterator[tuple[str, str]]:
    listed = zoo.entries("evaluators")
    name = spec.evaluator
    if name is None:
        if zoo.default_evaluator(task, spec.sample) is None:
            yield "evaluator", f"{task} needs one; there are {', '.join(listed)}, or a model's name"
    elif name.startswith("onnx:"):
        if spec.evaluator_weights:
            yield "evaluator_weights", f"{name} holds its weights; leave them out"
    elif name not in listed:
        if not spec.evaluator_weights:
            yield "evaluator", f"'{name}' needs `evaluator_weights`, or is one of {_near(name)}"
        if problem := _model_problem(name):
            yield "evaluator", problem


def _model_problem(name: str) -> str | None:
    """Why there is neither an mmsegmentation config nor a timm model of that name."""
    from pipeline.evaluators import evaluator_config

    if name.endswith(".py"):
        if evaluator_config(name).is_file():
            return None
        return f"'{name}': no such config; nearest: {_near(name)}"
    import timm

    if timm.is_model(name):
        return None
    return f"'{name}' is no evaluator; nearest: {_near(name, timm.list_models())}"


def _near(name: str, more: list[str] | None = None) -> str:
    files = [path.name for path in (configs.ROOT / "evaluators").glob("*.py")]
    known = [*zoo.entries("evaluators"), *files, *(more or [])]
    return ", ".join(get_close_matches(name, known, 3, cutoff=0.4) or zoo.entries("evaluators"))


def _weights_problem(name: EnhancerName) -> str | None:
    """Why the name after @ is none; a path may still have to be written."""
    key = f"{name.bare}@{name.weights}"
    listed = zoo.entries("enhancers")
    path = Path(name.weights)
    trained = zoo.weights_folder() / f"{key}.safetensors"
    if key in listed or path.exists() or trained.is_file() or path.suffix or "/" in name.weights:
        return None
    if name.weights.startswith("ours-"):
        return None
    own = [one for one in listed if one.startswith(f"{name.bare}@")]
    near = get_close_matches(key, own, 1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(own) or 'none'}"
    return f"'{key}': no such weights name or file; {hint}"
