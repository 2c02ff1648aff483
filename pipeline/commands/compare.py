"""`pipeline compare`: what is shown of the differences between results on the same images."""

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.compare import Comparison, Difference, Report
from pipeline.compare import compare as compare_results
from pipeline.errors import PipelineError
from pipeline.files import atomic, require_writable
from pipeline.result import Result
from pipeline.table import DECIMALS, short_name

CLASSES_SHOWN = 3
COLOURS = {"better": "green", "worse": "red"}


def compare(arguments: Namespace) -> None:
    """Read results, compare each with the reference, print and write what is shown."""
    if arguments.json:
        require_writable(arguments.json)
    report = compare_results(
        _read(arguments.results),
        arguments.reference,
        arguments.score,
        arguments.levels,
        arguments.interval,
    )
    if arguments.json:
        with atomic(arguments.json) as temporary:
            temporary.write_text(json.dumps(report.as_dict(), indent=1, allow_nan=False) + "\n")
    print_report(report, Console())


def _read(files: Sequence[Path]) -> dict[str, Result]:
    """Label → result. The label is the enhancer's name, with its file where two have one name."""
    results = [(file, Result.read(file)) for file in files]
    names = Counter(result.enhancer for _, result in results)
    labelled: dict[str, Result] = {}
    for file, result in results:
        label = result.enhancer if names[result.enhancer] == 1 else f"{result.enhancer} ({file})"
        if label in labelled:
            raise PipelineError(f"{file}: is named twice")
        labelled[label] = result
    return labelled


def print_report(report: Report, console: Console) -> None:
    """Print a table over all images, one by brightness, one by class, and how to read them."""
    console.print(_overall(report))
    levels = [(c, c.by_level) for c in report.comparisons]
    console.print(_parts("by the input's mean level, of 255", "level", levels, report))
    if report.class_score:
        classes = [(c, _extremes(c.by_class)) for c in report.comparisons]
        title = f"{report.class_score} of classes, the {CLASSES_SHOWN} largest gains and losses"
        console.print(_parts(title, "class", classes, report))
    for line in _legend(report):
        console.print(line, markup=False, highlight=False)


def _overall(report: Report) -> Table:
    sample = " — SAMPLE SCENES" if report.data == "sample" else ""
    heading = f"{report.task}{sample}, protocol {report.protocol['name']}: {report.score}"
    table = Table(title=f"{escape(heading)}, {report.images} images")
    table.add_column("enhancer", overflow="fold")
    for name in (_with_unit("score", report), "Δ", "p", "p Holm", "better/same/worse"):
        table.add_column(name, justify="right", no_wrap=name != "better/same/worse")
    table.add_column("verdict")
    reference = report.comparisons[0].overall.reference
    table.add_row(escape(report.reference), _number(reference, report), *[""] * 4, "reference")
    for one in report.comparisons:
        whole = one.overall
        counts = f"{whole.better}/{whole.same}/{whole.worse}"
        cells = (_number(whole.score, report), _delta(whole, report), _p(whole.p), _p(whole.p_holm))
        table.add_row(escape(short_name(one.enhancer)), *cells, counts, _verdict(whole))
    return table


def _parts(
    title: str,
    part: str,
    rows: Sequence[tuple[Comparison, Sequence[Difference]]],
    report: Report,
) -> Table:
    """One row a bin or class, enhancer by enhancer."""
    table = Table(title=escape(title))
    table.add_column("enhancer", overflow="fold")
    table.add_column(part)
    for name in ("images", _with_unit("reference", report), "Δ", "p Holm"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for comparison, differences in rows:
        name = escape(short_name(comparison.enhancer))
        for one in differences:
            cells = (_number(one.reference, report), _delta(one, report), _p(one.p_holm))
            table.add_row(name, escape(one.name), str(one.images), *cells, _verdict(one))
            name = ""
        table.add_section()
    return table


def _extremes(classes: Sequence[Difference]) -> list[Difference]:
    """The largest gains, then the largest losses, of the classes that count for both."""
    ranked = sorted((c for c in classes if c.delta is not None), key=lambda c: -c.delta)
    if len(ranked) <= 2 * CLASSES_SHOWN:
        return ranked
    return ranked[:CLASSES_SHOWN] + ranked[-CLASSES_SHOWN:]


def _with_unit(name: str, report: Report) -> str:
    return f"{name} {report.unit}".rstrip()


def _number(value: float | None, report: Report) -> str:
    return "" if value is None else f"{value:.{DECIMALS[report.unit]}f}"


def _delta(one: Difference, report: Report) -> str:
    if one.delta is None:
        return ""
    decimals = DECIMALS[report.unit]
    text = f"{one.delta:+.{decimals}f}"
    if one.interval is None:
        return text
    low, high = (f"{end:+.{decimals}f}" for end in one.interval)
    mark = "" if one.method == report.method else "ᵖ"
    return f"{text} [dim][{low}, {high}][/dim]{mark}"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _verdict(one: Difference) -> str:
    colour = COLOURS.get(one.verdict)
    return f"[{colour}]{one.verdict}[/{colour}]" if colour else one.verdict


def _legend(report: Report) -> Iterator[str]:
    first = report.comparisons[0].overall
    least = 2 / (report.resamples + 1)
    tests = {
        "mcnemar": "McNemar's exact test",
        "bootstrap": f"the paired bootstrap, {least:.4f} or more",
    }
    method = {"percentile": "percentile", "bca": "BCa; ᵖ percentile, where BCa is not defined"}
    yield (
        f"Δ to {report.reference} on the same images; [95 % paired bootstrap over images, "
        f"{report.resamples} resamples, {method[report.method]}]"
    )
    if first.test:
        yield (
            f"p: two-sided, of {tests[first.test]}; Holm over the enhancers, and over the levels "
            "and the classes of one enhancer"
        )
    yield (
        "no difference shown: the interval covers 0 (Holm: not alone, but Holm's p is 0.05 or "
        "more); that is no proof that there is none"
    )
    yield "images count as independent; frames of one video are not, and their intervals too narrow"
    for note in report.notes:
        yield f"note: {note}"
