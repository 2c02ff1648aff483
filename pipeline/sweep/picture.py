"""The curves of a sweep as a picture."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.files import atomic
from pipeline.sweep.curves import Point, Sweep
from pipeline.table import MARKS, short_name

# Okabe and Ito's colours, which people with any colour vision can tell apart; no yellow on white.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = "osD^vP*X"

Interval = tuple[float, float] | None


def save_picture(path: Path, sweep: Sweep) -> None:
    """Write a PNG: scores, and paired differences to the reference, with 95 % bands.

    Raises:
        PipelineError: the file cannot be written.
    """
    _, *others = sweep.enhancers
    figure = Figure(figsize=(12 if others else 6.4, 4.8), dpi=120, layout="constrained")
    scores, *differences = figure.subplots(1, 2 if others else 1, squeeze=False)[0]
    _prepare(scores, sweep, f"{sweep.score.split('/')[1]} {sweep.unit}".rstrip())
    _draw(scores, sweep, sweep.enhancers, lambda point: (point.score, point.interval))
    for axes in differences:
        _prepare(axes, sweep, f"difference to {short_name(sweep.reference)}, paired")
        axes.axhline(0, color=COLOURS[0], linewidth=1)
        _draw(axes, sweep, others, lambda p: (p.difference.delta, p.difference.interval))
    figure.legend(*scores.get_legend_handles_labels(), loc="outside lower center", ncols=6)
    heading = short_name(sweep.task) + MARKS[sweep.data]
    figure.suptitle(f"{heading}, protocol {sweep.protocol['name']}, {sweep.images} images")
    with atomic(path) as temporary:
        figure.savefig(temporary, format="png")


def _prepare(axes: Axes, sweep: Sweep, title: str) -> None:
    levels = {exposure: points[0].mean_level for exposure, points in sweep.rows.items()}
    axes.set_xscale("log")
    axes.set_xticks(list(levels), [f"{e:g}\n({level:.0f})" for e, level in levels.items()])
    axes.minorticks_off()
    axes.set_xlabel("exposure (mean level of the input, of 255)")
    axes.set_title(title)
    axes.grid(alpha=0.3)


def _draw(
    axes: Axes,
    sweep: Sweep,
    enhancers: Sequence[str],
    value: Callable[[Point], tuple[float, Interval]],
) -> None:
    """One line an enhancer, with a band where there are intervals."""
    for name in enhancers:
        index = sweep.enhancers.index(name)
        points = [point for point in sweep.points if point.enhancer == name]
        exposures = [point.exposure for point in points]
        values, intervals = zip(*map(value, points), strict=True)
        style = {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[index % len(MARKERS)]}
        axes.plot(exposures, values, label=short_name(name), markersize=4, **style)
        if all(intervals):
            axes.fill_between(
                exposures, *zip(*intervals, strict=True), color=style["color"], alpha=0.12
            )
