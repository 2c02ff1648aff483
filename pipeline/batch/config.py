"""A batch: which cells a config asks for, every value checked before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pipeline.batch.cells import Cell, TaskSpec
from pipeline.batch.checks import enhancer_problem, task_problems
from pipeline.batch.darkening import darkenings
from pipeline.batch.schema import SLURM, TASK, TEXT, TOP, check, is_kind, listed, right
from pipeline.batch.selection import kept, overridden
from pipeline.batch.source import ConfigErrors, Key, Source, find_config, read_source
from pipeline.errors import PipelineError
from pipeline.names import EnhancerName, parse_enhancer
from pipeline.own.images import OTHER_IMAGES

SEED = "{seed}"


@dataclass(frozen=True)
class Batch:
    """What a config says.

    Attributes:
        cells: enhancer by enhancer.
        slurm: what a job asks SLURM for, by `schema.SLURM`; None where the config is silent.
    """

    cells: list[Cell]
    slurm: dict[str, Any] | None


def read_batch(name: str | Path) -> Batch:
    """Read a config and check all of it.

    Raises:
        PipelineError: no such file.
        ConfigErrors: everything that is wrong in it.
    """
    source = read_source(find_config(name))
    content, unread = source.content, bool(source.problems)
    check(source, content, TOP, ())
    for key in ("enhancers", "tasks"):
        missing = not isinstance(content.get(key), list) or not content[key]
        # It may stand in a file that could not be read.
        if missing and not (unread and key not in content):
            source.wrong((key,), "names none; a list of one or more is needed")
    enhancers = list(_enhancers(source))
    tasks = list(_tasks(source))
    numerics = content.get("amp") is True, content.get("chunk")
    cells = [Cell(enhancer, task, {}, *numerics) for enhancer, task in product(enhancers, tasks)]
    cells = overridden(source, kept(source, cells))
    for name in dict.fromkeys(str(cell.enhancer) for cell in cells if _of_other_images(cell)):
        source.wrong(("enhancers",), f"{name} {OTHER_IMAGES}; `exclude` it there")
    if not source.problems and not cells:
        source.wrong(("exclude",), "leaves no cell")
    slurm = _slurm(source)
    if source.problems:
        raise ConfigErrors(source.problems)
    return Batch(cells, slurm)


def _of_other_images(cell: Cell) -> bool:
    return cell.enhancer.base == "images" and cell.task.darken is not None


def _enhancers(source: Source) -> Iterator[EnhancerName]:
    """The names, each once, `{seed}` replaced by every seed."""
    seeds = listed(source, "seeds")
    for index, seed in enumerate(seeds):
        if type(seed) is not int:
            source.wrong(("seeds", index), f"must be a whole number, not {seed!r}")
    seen: set[EnhancerName] = set()
    texts = listed(source, "enhancers")
    if seeds and not any(SEED in str(text) for text in texts):
        source.wrong(("seeds",), "no enhancer holds {seed}, e.g. sci@runs/{seed}.safetensors")
    for index, text in enumerate(texts):
        key = ("enhancers", index)
        if not isinstance(text, str):
            source.wrong(key, f"must be a name, not {text!r}")
            continue
        if SEED in text and not seeds:
            source.wrong(key, "holds {seed}, but there are no `seeds`")
        for seed in seeds if SEED in text else [None]:
            if name := _enhancer(source, key, text.replace(SEED, str(seed))):
                if name in seen:
                    source.wrong(key, f"{name} is there twice")
                seen.add(name)
                yield name


def _enhancer(source: Source, key: Key, text: str) -> EnhancerName | None:
    try:
        name = parse_enhancer(text)
    except PipelineError as error:
        source.wrong(key, str(error))
        return None
    if problem := enhancer_problem(name):
        source.wrong(key, problem)
        return None
    return name


def _tasks(source: Source) -> Iterator[TaskSpec]:
    """The entries; lists of protocols, evaluators and exposures are multiplied out."""
    seen: set[TaskSpec] = set()
    for index, entry in enumerate(listed(source, "tasks")):
        key: Key = ("tasks", index)
        entry = {"task": entry} if isinstance(entry, str) else entry
        if not isinstance(entry, dict):
            source.wrong(key, f"must be a name or a mapping, not {entry!r}")
            continue
        before = len(source.problems)
        check(source, entry, TASK, key)
        entry = {name: value for name, value in entry.items() if right(TASK, name, value)}
        if "task" not in entry:
            source.wrong(key, "has no `task`")
            continue
        choices = [_choices(source, entry, key, name) for name in ("protocol", "evaluator")]
        for chosen in product(*choices, darkenings(source, entry, key)):
            names = ("protocol", "evaluator", "darken")
            spec = TaskSpec(**entry | dict(zip(names, chosen, strict=True)))
            for name, problem in task_problems(spec):
                source.wrong((*key, name), problem)
            if spec in seen:
                source.wrong(key, "the same as an entry above")
            seen.add(spec)
            if len(source.problems) == before:
                yield spec


def _choices(source: Source, entry: dict[str, Any], key: Key, name: str) -> list[str | None]:
    value = entry.get(name)
    values = value if isinstance(value, list) else [value]
    wrong = [one for one in values if not is_kind(one, TEXT)]
    if value is not None and (wrong or not values):
        shown = wrong[0] if wrong else value
        source.wrong((*key, name), f"must be a name or a list of names, not {shown!r}")
        return []
    return values


def _slurm(source: Source) -> dict[str, Any] | None:
    asked = source.content.get("slurm")
    if not isinstance(asked, dict):
        return None
    check(source, asked, SLURM, ("slurm",))
    if "timeout_min" not in asked:
        source.wrong(("slurm",), "has no `timeout_min`, the minutes that a job may take")
    setup = asked.get("setup")
    for index, line in enumerate(setup if isinstance(setup, list) else []):
        if not isinstance(line, str):
            source.wrong(("slurm", "setup", index), f"must be a line of shell, not {line!r}")
    return asked
