"""Charts: well-formed, told in words, to scale."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from pipeline.report.charts import Bar, Dot, Line, bars, heat, lines, scatter
from pipeline.report.charts.svg import WIDTH, ticks

HOSTILE = "<script>&\"'"


def parsed(chart):
    root = ElementTree.fromstring(chart)
    assert root.get("role") == "img"
    assert root.find("title").text
    assert root.find("desc").text
    inside(root)
    return root


def inside(root):
    height = float(root.get("height"))
    for one in root.iter():
        for key, most in (
            ("x", WIDTH),
            ("x1", WIDTH),
            ("cx", WIDTH),
            ("y", height),
            ("cy", height),
        ):
            assert 0 <= float(one.get(key, 0)) <= most, (one.tag, one.attrib)


def test_bars_start_at_zero_and_are_to_scale():
    given = [
        Bar("up", 4.0, (2.0, 6.0), "+4.00", True, True),
        Bar("down", -2.0, (-3.0, 1.0), "−2.00", False, False),
        Bar("few", 1.0, None, "+1.00", False, True),
    ]
    root = parsed(bars(given, "differences"))
    up, down, few = root.findall("rect")
    (line,) = (e.get("d") for e in root.findall("path") if e.get("class") == "zero")
    zero = float(line[1:].split()[0])
    # Beside the bars, not through the labels above them.
    assert [float(part.split()[1].split("v")[0]) for part in line[1:].split("M")] == [16, 52, 88]
    assert float(up.get("x")) == pytest.approx(zero, abs=0.01)
    assert float(down.get("x")) + float(down.get("width")) == pytest.approx(zero, abs=0.02)
    assert float(up.get("width")) == pytest.approx(2 * float(down.get("width")), abs=0.03)
    assert [e.get("class") for e in (up, down, few)] == [
        "bar better",
        "bar worse pale",
        "bar better pale",
    ]
    assert [e.get("class") for e in root.findall("path")].count("whisker") == 2
    assert root.find("desc").text == "up: +4.00; down: −2.00; few: +1.00"


def test_lines_are_to_scale_and_leave_gaps_out():
    reference = Line("identity", [10.0, 20.0, 30.0], [True] * 3)
    other = Line(HOSTILE, [20.0, None, 30.0], [True, False, False])
    root = parsed(lines([reference, other], ["a", "b", "c"], "levels", "level"))
    points = root.findall("circle")
    heights = [float(point.get("cy")) for point in points]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.02)
    assert heights[3] == heights[1]
    assert [point.get("class") for point in points[3:]] == ["point s1", "point s1 hollow"]
    assert HOSTILE in [text.text for text in root.findall("text")]


def test_one_bin_and_equal_scores_are_drawn():
    parsed(lines([Line("x", [5.0], [True]), Line("y", [5.0], [True])], ["≥ 3"], "t", "level"))
    parsed(bars([Bar("x", 0.0, (0.0, 0.0), "0.00", False, False)], "t"))
    parsed(scatter([Dot("x", 1.0, 5.0, None, "base")], "t", "cost"))


def test_costs_lie_on_a_logarithmic_scale_with_zero_apart():
    given = [
        Dot("identity", 0.0, 10.0, (9.0, 11.0), "identity"),
        Dot("a", 1.0, 20.0, None, "base"),
        Dot("b", 10.0, 30.0, None, "base"),
        Dot("b+", 100.0, 40.0, None, "lfpv", "b"),
    ]
    root = parsed(scatter(given, "cost", "GMAC"))
    a, b = (float(e.get("cx")) for e in root.findall("circle"))
    diamond = next(e for e in root.findall("path") if "lfpv" in e.get("class"))
    c = float(diamond.get("d")[1:].split(" ")[0])
    assert b - a == pytest.approx(c - b, abs=0.03)
    assert float(root.find("rect").get("x")) < a
    labels = [e.text for e in root.findall("text") if "label" in e.get("class")]
    assert sorted(labels) == ["a", "b", "identity"]
    assert {"0", "1", "10", "100"} <= {e.text for e in root.findall("text")}
    assert "b+: 100, score 40" in root.find("desc").text


def test_labels_of_equal_points_do_not_cover_each_other():
    given = [Dot(f"enhancer {index}", 5.0, 20.0, None, "base") for index in range(8)]
    root = parsed(scatter(given, "cost", "ms"))
    labels = [e for e in root.findall("text") if "label" in e.get("class")]
    places = sorted(float(e.get("y")) for e in labels if e.get("x") == labels[0].get("x"))
    assert len(places) == 8
    assert min(b - a for a, b in pairwise(places)) >= 12


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (-1.2, 3.1, [-1, 0, 1, 2, 3]),
        (56.1, 58.4, [56.5, 57, 57.5, 58]),
    ],
)
def test_ticks_are_round(low, high, expected):
    assert ticks(low, high) == pytest.approx(expected)


def test_heat_is_ordered_and_readable():
    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    shades = [tuple(map(luminance, heat(value))) for value in range(0, 101, 5)]
    assert all(a[0] > b[0] for a, b in pairwise(shades))
    for pair in shades:
        dark, light = sorted(pair)
        assert (light + 0.05) / (dark + 0.05) > 4.5
    assert heat(-3) == heat(0)
    assert heat(120) == heat(100)
