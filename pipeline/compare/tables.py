"""Comparisons on the terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.compare.differences import Difference
from pipeline.compare.images import ImageDifference
from pipeline.compare.repeats import Repeats
from pipeline.compare.report import Report
from pipeline.result import lower_is_better
from pipeline.table import DECIMALS, frozen_model, short_name, task_heading

CLASSES_SHOWN = 3
COLOURS = {"better": "green", "worse": "red"}
WORDS = ("enhancer", "level", "image", "class", "evaluator", "seed", "verdict")


def print_report(report: Report, console: Console) -> None:
    """Print a table over all images, three of parts of them, and how to read them."""
    console.print(_overall(report))
    levels = [(c.enhancer, c.by_level) for c in report.comparisons]
    console.print(_parts("by the input's mean level, of 255", "level", levels, report))
    if report.class_score:
        classes = [(c.enhancer, _extremes(c.by_class)) for c in report.comparisons]
        extremes = f"the {CLASSES_SHOWN} largest gains and losses (all of them: --json)"
        title = f"{report.class_score} of classes, {extremes}"
        console.print(_parts(title, "class", classes, report))
    family = "over the enhancers, and over the levels and the classes of one enhancer"
    console.print(_images(report))
    legend = _legend(report, report.comparisons[0].overall, family)
    for line in (*legend, *frozen_model(report.evaluator)):
        console.print(line, markup=False, highlight=False)


def print_repeats(report: Repeats, console: Console) -> None:
    """Print a table over all evaluators or seeds, one of each, and how to read them."""
    decimals = DECIMALS[report.unit]
    table = Table(title=f"{_heading(report)}, {report.images} images, over {report.over}")
    for name in ("enhancer", _with_unit("mean ± deviation", report), "Δ, mean ± deviation"):
        table.add_column(name, overflow="fold")
    for one in report.repeated:
        delta = f"{one.delta:+.{decimals}f}" if one.delta else "reference"
        table.add_row(escape(short_name(one.enhancer)), f"{one.score:.{decimals}f}", delta)
    console.print(table)
    lines = [f"± sample deviation over n {report.over}, of one and the same images"]
    if each := [(one.enhancer, one.each) for one in report.repeated if one.each]:
        console.print(_parts(f"each of the {report.over}", report.over[:-1], each, report))
        lines += _legend(report, each[0][1][0], "over all of these differences")
    for line in lines:
        console.print(line, markup=False, highlight=False)


def _heading(report: Report | Repeats) -> str:
    task = task_heading(report.task, report.data)
    return f"{task}, protocol {report.protocol['name']}: {escape(report.score)}"


def _overall(report: Report) -> Table:
    table = Table(title=f"{_heading(report)}, {report.images} images")
    names = (_with_unit("score", report), "Δ", "p", "p Holm", "better/same/worse", "verdict")
    _add_columns(table, ("enhancer", *names))
    reference = report.comparisons[0].overall.reference
    table.add_row(escape(report.reference), _number(reference, report), *[""] * 4, "reference")
    for one in report.comparisons:
        whole = one.overall
        counts = f"{whole.better}/{whole.same}/{whole.worse}"
        cells = (
            _number(whole.score, report),
            _delta(whole, report),
            p_value(whole.p),
            p_value(whole.p_holm),
        )
        table.add_row(escape(short_name(one.enhancer)), *cells, counts, _verdict(whole))
    return table


def _add_columns(table: Table, names: Sequence[str]) -> None:
    """Words to the left, numbers to the right; on a narrow terminal cells fold, none is cut."""
    for name in names:
        side = "left" if name in WORDS else "right"
        table.add_column(name, justify=side, overflow="fold", no_wrap=name.startswith("p"))


def _parts(
    title: str,
    part: str,
    rows: Sequence[tuple[str, Sequence[Difference]]],
    report: Report | Repeats,
) -> Table:
    """One row a bin, class, evaluator or seed, enhancer by enhancer."""
    table = Table(title=escape(title))
    reference = _with_unit("reference", report)
    _add_columns(table, ("enhancer", part, "images", reference, "Δ", "p Holm", "verdict"))
    for enhancer, differences in rows:
        name = escape(short_name(enhancer))
        for one in differences:
            cells = (_number(one.reference, report), _delta(one, report), p_value(one.p_holm))
            table.add_row(name, escape(one.name), str(one.images), *cells, _verdict(one))
            name = ""
        table.add_section()
    return table


def _images(report: Report) -> Table:
    """The largest gains and losses of each enhancer: its scores, or what is predicted."""
    in_words = report.class_score == "Top-1"
    table = Table(title=f"images, the {CLASSES_SHOWN} largest gains and losses (all: --json)")
    heads = ("truth", escape(report.reference), "enhancer's")
    if not in_words:
        heads = (_with_unit("reference", report), _with_unit("score", report), "Δ")
    _add_columns(table, ("enhancer", "image", *heads))
    decimals = DECIMALS[report.unit]
    for one in report.comparisons:
        name = escape(short_name(one.enhancer))
        for image in _ends(one.by_image, report):
            cells = [_number(image.reference, report), _number(image.score, report)]
            cells.append(f"{image.delta:+.{decimals}f}")
            if in_words:
                cells = [escape(word) for word in (image.truth, image.before, image.after)]
            table.add_row(name, escape(image.image), *cells)
            name = ""
        table.add_section()
    return table


def _ends(images: Sequence[ImageDifference], report: Report) -> Iterator[ImageDifference]:
    """So many gains, and as many losses, the largest first."""
    sign = -1 if lower_is_better(report.score) else 1
    yield from [one for one in images if sign * one.delta > 0][:CLASSES_SHOWN]
    yield from [one for one in reversed(images) if sign * one.delta < 0][:CLASSES_SHOWN]


def _extremes(classes: Sequence[Difference]) -> list[Difference]:
    """The largest gains, then the largest losses, of the classes that count for both."""
    ranked = sorted((c for c in classes if c.delta is not None), key=lambda c: -c.delta)
    if len(ranked) <= 2 * CLASSES_SHOWN:
        return ranked
    return ranked[:CLASSES_SHOWN] + ranked[-CLASSES_SHOWN:]


def _with_unit(name: str, report: Report | Repeats) -> str:
    return f"{name} {report.unit}".rstrip()


def _number(value: float | None, report: Report | Repeats) -> str:
    return "" if value is None else f"{value:.{DECIMALS[report.unit]}f}"


def _delta(one: Difference, report: Report | Repeats) -> str:
    if one.delta is None:
        return ""
    decimals = DECIMALS[report.unit]
    text = f"{one.delta:+.{decimals}f}"
    if one.interval is None:
        return text
    low, high = (f"{end:+.{decimals}f}" for end in one.interval)
    mark = "" if one.method == report.method else "ᵖ"
    return f"{text} [dim][{low}, {high}][/dim]{mark}"


def p_value(value: float | None) -> str:
    """Four digits; nothing where there is none."""
    if value is None:
        return ""
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _verdict(one: Difference) -> str:
    colour = COLOURS.get(one.verdict)
    return f"[{colour}]{one.verdict}[/{colour}]" if colour else one.verdict


def _legend(report: Report | Repeats, first: Difference, family: str) -> Iterator[str]:
    """`first` is any of the differences; `family`, what Holm's correction is over."""
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
        yield f"p: two-sided, of {tests[first.test]}; Holm {family}"
    yield (
        "no difference shown: the interval covers 0 (Holm: not alone, but Holm's p is 0.05 or "
        "more); that is no proof that there is none"
    )
    yield "images count as independent; frames of one video are not, and their intervals too narrow"
    for note in report.notes:
        yield f"note: {note}"
