"""Differences as bars from zero, with whiskers."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from markupsafe import Markup

from pipeline.report.charts.svg import (
    LETTER,
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

ROW = 36
AXIS = 24


@dataclass(frozen=True)
class Bar:
    """A difference; `value` is it in words, `shown` whether it is one after Holm's correction."""

    label: str
    delta: float
    interval: tuple[float, float] | None
    value: str
    shown: bool
    better: bool


def bars(given: Sequence[Bar], title: str) -> Markup:
    """A bar a row, its label and value above it; full where a difference is shown, else pale."""
    ends = [0.0, *(one.delta for one in given), *(e for one in given for e in one.interval or ())]
    low, high = padded(ends)
    x = linear(low, high, 8, WIDTH - 8)
    height = ROW * len(given) + AXIS
    description = "; ".join(f"{one.label}: {one.value}" for one in given)
    svg = picture(height, title, description)
    for tick in ticks(low, high):
        # A line through the labels would read as a letter.
        path = "".join(f"M{x(tick):.2f} {ROW * index + 16}v18" for index in range(len(given)))
        add(svg, "path", class_="zero" if tick == 0 else "grid", d=path)
        name = f"{tick:g}".replace("-", "−")
        add(svg, "text", name, class_="tick", x=x(tick), y=height - 6, text_anchor="middle")
    for index, one in enumerate(given):
        _bar(svg, one, x, ROW * index)
    return markup(svg)


def _bar(svg: Element, one: Bar, x: Scale, top: float) -> None:
    room = WIDTH - LETTER * len(one.value) - 16
    add(svg, "text", shortened(one.label, room), class_="label", x=2, y=top + 12)
    add(svg, "text", one.value, class_="value", x=WIDTH - 2, y=top + 12, text_anchor="end")
    start, end = sorted((x(0), x(one.delta)))
    kind = f"bar {'better' if one.better else 'worse'}{'' if one.shown else ' pale'}"
    add(svg, "rect", class_=kind, x=start, y=top + 18, width=end - start, height=11)
    if one.interval is None:
        return
    left, right = map(x, one.interval)
    path = f"M{left:.2f} {top + 20}v7m0 -3.5H{right:.2f}m0 -3.5v7"
    add(svg, "path", class_="whisker", d=path)
