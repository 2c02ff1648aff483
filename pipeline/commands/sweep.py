"""`pipeline sweep`."""

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.compare.tables import COLOURS
from pipeline.console import progress, stdout
from pipeline.errors import PipelineError
from pipeline.extremes import draw, first_images
from pipeline.factory import Loaded, create_task, load_enhancer
from pipeline.files import atomic, require_writable
from pipeline.folders import enhancer_folder, sweep_folder
from pipeline.names import EnhancerName, parse_enhancer
from pipeline.own.images import OTHER_IMAGES, ImageFolder
from pipeline.panels import PANELS, forget_panels
from pipeline.provenance import as_given
from pipeline.result import Result
from pipeline.runner import chain_options, prepare, run_loaded
from pipeline.sweep import Point, Sweep, curves, row, save_picture
from pipeline.table import short_name, task_heading
from tasks.darken import Darkening
from tasks.task import Task

REFERENCE = EnhancerName("identity")


def sweep(arguments: Namespace) -> None:
    """Measure every enhancer at every exposure; each result is written as soon as it is there."""
    darkenings = _darkenings(arguments)
    task = create_task(arguments.task, arguments.root, arguments.protocol, sample=arguments.sample)
    task = _of_split(task, arguments.split)
    options = chain_options(
        task, arguments.device, arguments.amp, arguments.batch_size, arguments.workers
    )
    loaded = _load(arguments.enhancer, task)
    bench = prepare(task, arguments.evaluator, arguments.evaluator_weights, arguments.class_map)
    benches = [bench.darkened(darkening) for darkening in darkenings]
    folder = sweep_folder(arguments.out, benches[0])
    parts = {name: enhancer_folder(name, options.amp) for name in loaded}
    if len(set(parts.values())) < len(parts):
        raise PipelineError("two of the enhancers would share one result file; sweep them apart")
    require_writable(folder / "sweep.json")
    given = as_given(vars(arguments))
    points: list[Point] = []
    with progress() as shown:
        bar = shown.add_task("", total=len(benches) * len(loaded))
        for bench in benches:
            exposure = bench.task.darkening.exposure
            results: dict[Path, Result] = {}
            for name, enhancer in loaded.items():
                shown.update(bar, description=f"{name} at exposure {exposure:g}")
                cell = Path(f"exposure-{exposure}") / parts[name]
                result = run_loaded(str(name), enhancer, bench, options, given)
                forget_panels(folder / cell / PANELS)
                result.write(folder / cell / "result.json")
                images = first_images(result, arguments.save_images)
                for line in draw(result, images, folder / cell / PANELS, enhancer, bench, options):
                    print(line, file=sys.stderr)
                results[cell / "result.json"] = result
                shown.advance(bar)
            points += row(exposure, results)
            measured = curves(points, list(results.values()))
            _write(folder, measured)
    print_sweep(measured, stdout())
    print(f"results: {folder}")


def _darkenings(arguments: Namespace) -> list[Darkening]:
    """One an exposure, bright to dark."""
    settings = {
        "seed": arguments.seed,
        "color_cast": arguments.color_cast and tuple(arguments.color_cast),
        "shot_noise": arguments.shot_noise,
        "read_noise": arguments.read_noise,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    return [Darkening(exposure, **given) for exposure in sorted(set(arguments.exposure))[::-1]]


def _of_split(task: Task, split: str | None) -> Task:
    """The task with the samples of one split."""
    splits = ", ".join(task.splits)
    if split is None and len(task.splits) > 1:
        raise PipelineError(f"{task.name} has several splits: --split, one of {splits}, by day")
    if split not in (None, *task.splits):
        raise PipelineError(f"{task.name} has no split '{split}'; there are {splits}")
    return replace(task, samples=tuple(s for s in task.samples if split in (None, s.split)))


def _load(texts: Sequence[str], task: Task) -> dict[EnhancerName, Loaded]:
    """The enhancers, the reference first."""
    names = list(dict.fromkeys(parse_enhancer(text) for text in texts))
    names.sort(key=lambda name: name != REFERENCE)
    loaded = {name: load_enhancer(name, sample=task.sample_data) for name in names}
    for name, enhancer in loaded.items():
        if isinstance(enhancer.model, ImageFolder):
            raise PipelineError(f"{name}: {OTHER_IMAGES}")
    return loaded


def _write(folder: Path, measured: Sweep) -> None:
    with atomic(folder / "sweep.json") as temporary:
        temporary.write_text(json.dumps(measured.as_dict(), indent=1, allow_nan=False) + "\n")
    save_picture(folder / "sweep.png", measured)


def print_sweep(sweep: Sweep, console: Console) -> None:
    """Print a table of the scores, one of the differences, and how to read them."""
    heading = f"{task_heading(sweep.task, sweep.data)}, protocol {sweep.protocol['name']}"
    title = f"{heading}: {sweep.score} {sweep.unit}, {sweep.images} images"
    console.print(_table(title, sweep, sweep.enhancers, _score))
    _, *others = sweep.enhancers
    if others:
        console.print(_table(f"Δ to {escape(sweep.reference)}", sweep, others, _difference))
    for line in _legend(sweep, bool(others)):
        console.print(line, markup=False, highlight=False)


def _table(
    title: str, sweep: Sweep, enhancers: Sequence[str], cell: Callable[[Point], str]
) -> Table:
    """A row an exposure, a column an enhancer."""
    table = Table(title=title)
    for name in ("exposure", "level"):
        table.add_column(name, justify="right")
    for name in enhancers:
        table.add_column(escape(short_name(name)), justify="right", overflow="fold")
    for exposure, points in sweep.rows.items():
        cells = [cell(point) for point in points if point.enhancer in enhancers]
        table.add_row(f"{exposure:g}", f"{points[0].mean_level:.1f}", *cells)
    return table


def _score(point: Point) -> str:
    if point.interval is None:
        return f"{point.score:.2f}"
    low, high = point.interval
    return f"{point.score:.2f}\n[dim][{low:.1f}, {high:.1f}][/dim]"


def _difference(point: Point) -> str:
    difference = point.difference
    if difference.interval is None:
        return f"{difference.delta:+.2f}"
    colour = COLOURS.get(difference.verdict)
    delta = f"[{colour}]{difference.delta:+.2f} *[/]" if colour else f"{difference.delta:+.2f}  "
    low, high = difference.interval
    return f"{delta}\n[dim][{low:+.1f}, {high:+.1f}][/dim]"


def _legend(sweep: Sweep, compared: bool) -> Iterator[str]:
    settings = ", ".join(f"{name} {value}" for name, value in sweep.darkening.items())
    yield f"images darkened by a model of a camera ({settings})"
    yield "level: mean of the darkened images before enhancement, of 255"
    yield f"[95 % bootstrap over images, {sweep.resamples} resamples]"
    if compared:
        yield "Δ paired on the same darkened images; * p < 0.05 by Holm over all of this table"
    model = sweep.provenance["evaluator"]
    yield f"frozen model: {model['model']}, weights {model['file']}"
    for note in sweep.notes:
        yield f"note: {note}"
