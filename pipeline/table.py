"""The comparison on the terminal."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.result import Result, class_counts, metric_of, split_of, weights_meant

SUFFIXES = (".safetensors", ".pt", ".pth", ".onnx")
DECIMALS = {"%": 2, "dB": 2, "": 4}
MARKS = {
    "sample": " — SAMPLE SCENES",
    "darkened": " — DARKENED IMAGES",
    "darkened sample": " — SAMPLE SCENES, DARKENED",
}


def print_table(results: Sequence[Result], console: Console) -> None:
    """Print one row per enhancer: scores with intervals, Δ to identity, time per image."""
    first = results[0]
    heading = task_heading(first.task, first.data)
    table = Table(title=f"{heading}, protocol {first.protocol['name']}")
    table.add_column("enhancer", overflow="fold")
    main = {next(n for n in first.scores if split_of(n) == s) for s in first.images}
    for name in first.scores:
        heading = f"{_heading(name, first)} {first.scores[name].unit}".rstrip()
        # A cell with an interval holds spaces, a heading may fold.
        table.add_column(heading, justify="right", no_wrap=name in main)
    reference = next((r for r in results if r.enhancer == "identity"), None)
    if reference:
        table.add_column("Δ", justify="right", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    labels = _labels(results)
    for result in results:
        row = [escape(labels[result.enhancer]), *_scores(result)]
        if reference:
            row.append(_difference(result, reference))
        table.add_row(*row, f"{1000 * result.seconds['enhance']:.1f}" if result.timed else "–")
    console.print(table)
    for line in _legend(results, reference is not None):
        console.print(line, markup=False, highlight=False)


def _heading(score: str, result: Result) -> str:
    """`val/mIoU` is plainly `mIoU` where there is one split."""
    name = metric_of(score) if len(result.images) == 1 else score
    return name.replace("pixel_", "").replace("_", " ")


def _labels(results: Sequence[Result]) -> dict[str, str]:
    """Enhancer → its short name, or the whole one where another has that too."""
    short = {result.enhancer: short_name(result.enhancer) for result in results}
    count = Counter(short.values())
    return {name: shown if count[shown] == 1 else name for name, shown in short.items()}


def frozen_model(evaluator: Mapping[str, Any]) -> Iterator[str]:
    """A line on the provenance of an evaluator; none where a score needs none."""
    if evaluator:
        file = evaluator.get("file", "given in memory")
        yield f"frozen model: {evaluator['model']}, weights {file}"


def task_heading(task: str, data: str) -> str:
    """A task's name, and what its images are where they are not the dataset's own."""
    return escape(short_name(task)) + MARKS.get(data, "")


def short_name(name: str) -> str:
    """A name that holds a path is shown with the last part of it, a file without suffix."""
    head, separator, path = name.partition(":" if ":" in name.partition("@")[0] else "@")
    if "/" in path:
        path = Path(path).stem if Path(path).suffix in SUFFIXES else Path(path).name
    return head + separator + path


def _scores(result: Result) -> Iterator[str]:
    """Every score; the main one of each split with its interval."""
    seen = set()
    for name, score in result.scores.items():
        split = split_of(name)
        if split in seen or score.interval is None:
            yield f"{score.value:.{DECIMALS[score.unit]}f}"
        else:
            yield f"{score.value:.2f} [dim][{score.interval[0]:.1f}, {score.interval[1]:.1f}][/dim]"
        seen.add(split)


def _difference(result: Result, reference: Result) -> str:
    if result is reference:
        return ""
    return f"{result.headline[1].value - reference.headline[1].value:+.2f}"


def _legend(results: Sequence[Result], with_reference: bool) -> Iterator[str]:
    result = results[0]
    images = ", ".join(f"{split} {count}" for split, count in result.images.items())
    delta = f"; Δ of {result.headline[0]} to identity" if with_reference else ""
    yield f"images: {images}; [95 % bootstrap over images]{delta}; ms to enhance an image"
    if not with_reference:
        yield "no row of identity: with it, Δ says what an enhancer does"
    yield from class_counts(results)
    yield from weights_meant(results)
    yield from frozen_model(result.provenance["evaluator"])
    for note in result.notes:
        yield f"note: {note}"
