"""Elements of an SVG picture, and scales."""

import math
from collections.abc import Callable, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

WIDTH = 340
"""Of every chart: it fits a phone, and several stand beside each other on a desktop."""

# A mean width of the letters of a system font at 11 pixels.
LETTER = 6.4

Scale = Callable[[float], float]


def picture(height: float, title: str, description: str) -> Element:
    """An empty chart with what a screen reader says of it."""
    box = f"0 0 {WIDTH} {_plain(height)}"
    svg = Element("svg", role="img", viewBox=box, width=str(WIDTH), height=_plain(height))
    add(svg, "title", text=title)
    add(svg, "desc", text=description)
    return svg


def add(parent: Element, tag: str, text: str | None = None, **attributes: str | float) -> Element:
    """A child; `class_` is written class, other underscores as hyphens."""
    named = {
        name.rstrip("_").replace("_", "-"): value if isinstance(value, str) else _plain(value)
        for name, value in attributes.items()
    }
    child = ElementTree.SubElement(parent, tag, named)
    child.text = text
    return child


def markup(svg: Element) -> Markup:
    """As HTML holds it; ElementTree has escaped every text."""
    return Markup(ElementTree.tostring(svg, encoding="unicode"))


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """low … high to start … end."""
    span = (high - low) or 1.0
    return lambda value: start + (value - low) / span * (end - start)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from low to high, about `count` of them: steps of 1, 2 or 5 times 10ⁿ."""
    rough = (high - low) / count or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def padded(values: Sequence[float]) -> tuple[float, float]:
    """The values' range and a twentieth more on both sides."""
    low, high = min(values), max(values)
    margin = (high - low) / 20 or abs(high) / 20 or 1.0
    return low - margin, high + margin


def shortened(text: str, width: float) -> str:
    """A label that is no wider than `width`."""
    most = int(width / LETTER)
    return text if len(text) <= most else text[: most - 1] + "…"


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
