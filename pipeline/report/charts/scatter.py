"""Score against cost, cost on a logarithmic scale with a place of its own for zero."""

import math
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

HEIGHT, TOP, LEFT = 220, 10, 40
ZERO = LEFT + 14
FIRST = LEFT + 44
LINE, GAP, SIDE = 12, 4, 10
"""Height of a label, room around it (its width is an estimate), and its distance from its point."""


@dataclass(frozen=True)
class Dot:
    """An enhancer; `kind` is its row's, `base` the label of the dot that it is joined to."""

    label: str
    cost: float
    score: float
    interval: tuple[float, float] | None
    kind: str
    base: str | None = None


def scatter(given: Sequence[Dot], title: str, axis: str) -> Markup:
    """A point an enhancer, with its interval upright; a joined one goes without a label."""
    ends = [end for dot in given for end in (dot.score, *(dot.interval or ()))]
    low, high = padded(ends)
    bottom = TOP + HEIGHT
    y = linear(low, high, bottom, TOP)
    x, powers = _logarithmic([dot.cost for dot in given if dot.cost > 0])
    spoken = (f"{dot.label}: {dot.cost:.3g}, score {dot.score:.4g}" for dot in given)
    svg = picture(bottom + 38, title, "; ".join(spoken))
    for tick in ticks(low, high):
        add(svg, "line", class_="grid", x1=LEFT, x2=WIDTH - 4, y1=y(tick), y2=y(tick))
        add(svg, "text", f"{tick:g}", class_="tick", x=LEFT - 5, y=y(tick) + 4, text_anchor="end")
    places = [(x(10.0**power), _short(power)) for power in powers]
    if any(dot.cost <= 0 for dot in given):
        places.append((ZERO, "0"))
    for across, name in places:
        add(svg, "line", class_="grid", x1=across, x2=across, y1=TOP, y2=bottom)
        add(svg, "text", name, class_="tick", x=across, y=bottom + 15, text_anchor="middle")
    middle = (LEFT + WIDTH) / 2
    add(svg, "text", axis, class_="tick", x=middle, y=bottom + 31, text_anchor="middle")
    at = {dot.label: (x(dot.cost) if dot.cost > 0 else ZERO, y(dot.score)) for dot in given}
    for dot in given:
        _dot(svg, dot, at, y)
    taken = [(across - 5, across + 5, down + 4) for across, down in at.values()]
    for dot in sorted(given, key=lambda dot: (-dot.score, dot.label)):
        if dot.base not in at:
            _label(svg, dot.label, *at[dot.label], taken)
    return markup(svg)


def _logarithmic(costs: Sequence[float]) -> tuple[Scale, list[int]]:
    """The scale, and the powers of ten to name on it."""
    if not costs:
        return lambda _: ZERO, []
    low = math.floor(math.log10(min(costs)) + 1e-9)
    high = max(math.ceil(math.log10(max(costs)) - 1e-9), low + 1)
    along = linear(low, high, FIRST, WIDTH - 12)
    step = 1 + (high - low) // 6
    return lambda cost: along(math.log10(cost)), list(range(low, high + 1, step))


def _short(power: int) -> str:
    """10ᵖ as 0.01, 10, 1k, 10M."""
    thousands = max(0, power // 3)
    return f"{10.0 ** (power - 3 * thousands):g}{'kMGTP'[thousands - 1] if thousands else ''}"


def _dot(svg: Element, dot: Dot, at: dict[str, tuple[float, float]], y: Scale) -> None:
    across, down = at[dot.label]
    if dot.interval:
        low, high = map(y, dot.interval)
        add(svg, "line", class_="whisker faint", x1=across, x2=across, y1=low, y2=high)
    if dot.base in at:
        start, end = at[dot.base]
        add(svg, "line", class_="whisker", x1=start, x2=across, y1=end, y2=down)
    shapes = {"lfpv": _diamond, "control": _square, "identity": _square}
    shapes.get(dot.kind, _circle)(svg, f"dot {dot.kind}", across, down)


def _label(
    svg: Element, label: str, across: float, down: float, taken: list[tuple[float, float, float]]
) -> None:
    label = shortened(label, WIDTH / 2)
    width = LETTER * len(label)
    left = across + SIDE if across + SIDE + width <= WIDTH else across - SIDE - width
    place = _free(left, left + width, down + 4, taken)
    taken.append((left, left + width, place))
    add(svg, "text", label, class_="label halo", x=left, y=place)


def _free(
    left: float, right: float, wanted: float, taken: Sequence[tuple[float, float, float]]
) -> float:
    """The nearest height, up or down, at which a label hides no other and no point."""
    for shift in (sign * step for step in range(0, HEIGHT, 3) for sign in (1, -1)):
        place = wanted + shift
        clear = all(
            right + GAP < a or b + GAP < left or abs(place - at) >= LINE for a, b, at in taken
        )
        if clear and TOP <= place <= TOP + HEIGHT:
            return place
    return wanted


def _circle(svg: Element, kind: str, x: float, y: float) -> None:
    add(svg, "circle", class_=kind, cx=x, cy=y, r=4.5)


def _square(svg: Element, kind: str, x: float, y: float) -> None:
    add(svg, "rect", class_=kind, x=x - 4, y=y - 4, width=8, height=8)


def _diamond(svg: Element, kind: str, x: float, y: float) -> None:
    add(svg, "path", class_=kind, d=f"M{x:.2f} {y - 6:.2f}l6 6l-6 6l-6 -6z")
