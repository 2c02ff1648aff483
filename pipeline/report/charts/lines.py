"""Scores over ordered bins, a line an enhancer."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from markupsafe import Markup

from pipeline.report.charts.svg import (
    WIDTH,
    Scale,
    add,
    linear,
    markup,
    padded,
    picture,
    shortened,
    ticks,
)

HEIGHT, TOP, LEFT = 190, 10, 40
LEGEND = 16
COLOURS = 6
"""Classes s1 … of the style sheet; s0 is the reference."""


@dataclass(frozen=True)
class Line:
    """A score in every bin, None where there is none; `shown`, where it differs after Holm."""

    label: str
    values: Sequence[float | None]
    shown: Sequence[bool]


def lines(given: Sequence[Line], bins: Sequence[str], title: str, axis: str) -> Markup:
    """The first is the reference, dashed; points are full where a difference is shown."""
    values = [value for one in given for value in one.values if value is not None]
    low, high = padded(values or [0.0])
    bottom = TOP + HEIGHT
    y = linear(low, high, bottom, TOP)
    x = linear(0, len(bins) - 1, LEFT + 36, WIDTH - 36)
    description = "; ".join(f"{one.label}: {_spoken(one, bins)}" for one in given)
    svg = picture(bottom + 40 + LEGEND * len(given), title, description)
    for tick in ticks(low, high):
        add(svg, "line", class_="grid", x1=LEFT, x2=WIDTH - 4, y1=y(tick), y2=y(tick))
        add(svg, "text", f"{tick:g}", class_="tick", x=LEFT - 5, y=y(tick) + 4, text_anchor="end")
    for index, name in enumerate(bins):
        add(svg, "text", name, class_="tick", x=x(index), y=bottom + 15, text_anchor="middle")
    middle = (LEFT + WIDTH) / 2
    add(svg, "text", axis, class_="tick", x=middle, y=bottom + 29, text_anchor="middle")
    for index, one in enumerate(given):
        colour = f"s{index and 1 + (index - 1) % COLOURS}"
        _line(svg, one, colour, x, y)
        _legend(svg, one.label, colour, bottom + 40 + LEGEND * index)
    return markup(svg)


def _line(svg: Element, one: Line, colour: str, x: Scale, y: Scale) -> None:
    points = [
        (x(index), y(value), shown)
        for index, (value, shown) in enumerate(zip(one.values, one.shown, strict=True))
        if value is not None
    ]
    path = " ".join(f"{across:.2f},{down:.2f}" for across, down, _ in points)
    add(svg, "polyline", class_=f"line {colour}", points=path)
    for across, down, shown in points:
        kind = f"point {colour}{'' if shown else ' hollow'}"
        add(svg, "circle", class_=kind, cx=across, cy=down, r=3.5)


def _legend(svg: Element, label: str, colour: str, top: float) -> None:
    add(svg, "line", class_=f"line {colour}", x1=LEFT, x2=LEFT + 22, y1=top + 6, y2=top + 6)
    label = shortened(label, WIDTH - LEFT - 32)
    add(svg, "text", label, class_="label", x=LEFT + 28, y=top + 10)


def _spoken(one: Line, bins: Sequence[str]) -> str:
    pairs = zip(bins, one.values, strict=True)
    return ", ".join(f"{name} {value:.4g}" for name, value in pairs if value is not None)
