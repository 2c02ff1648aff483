"""Curves and their picture from results that are known by construction."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from pipeline.compare import compare
from pipeline.statistics import holm
from pipeline.sweep import curves, row, save_picture

from .compared import answered

EXPOSURES = (1.0, 0.1, 0.01)
NAMES = ("identity", "sci", "gamma@0.5")


@pytest.fixture
def cells(rng):
    """Exposure → enhancer → result; the darker, the more `sci` helps."""
    labels = np.arange(60) % 3
    found = {}
    for exposure, gain in zip(EXPOSURES, (-0.1, 0.15, 0.4), strict=True):
        rates = {"identity": 0.5, "sci": 0.5 + gain, "gamma@0.5": 0.45}
        found[exposure] = {
            name: darkened(answered(name, rng.random(60) < rate, labels), exposure)
            for name, rate in rates.items()
        }
    return found


def darkened(result, exposure):
    dataset = result.provenance["dataset"] | {"darkening": {"exposure": exposure, "seed": 7}}
    provenance = result.provenance | {"dataset": dataset, "enhancer": {"sha256": result.enhancer}}
    images = [image | {"mean_level": 100 * exposure} for image in result.per_image]
    return replace(result, data="darkened", provenance=provenance, per_image=images)


def files(results):
    return {Path(name) / "result.json": result for name, result in results.items()}


@pytest.fixture
def sweep(cells):
    points = [p for exposure, results in cells.items() for p in row(exposure, files(results))]
    return curves(points, list(cells[1.0].values()))


def test_every_point_is_its_results(sweep, cells):
    assert (sweep.score, sweep.unit, sweep.images) == ("night/top1", "%", 60)
    assert (sweep.reference, sweep.enhancers) == ("identity", list(NAMES))
    assert sweep.darkening == {"seed": 7}
    assert sweep.provenance["dataset"] == {"images": 60, "sha256": "d" * 64}
    assert sweep.provenance["enhancers"]["sci"] == {"sha256": "sci"}
    assert list(sweep.rows) == list(EXPOSURES)
    for point in sweep.points:
        result = cells[point.exposure][point.enhancer]
        assert point.score == result.headline[1].value
        assert point.mean_level == pytest.approx(100 * point.exposure)
        assert point.file == f"{point.enhancer}/result.json"


def test_differences_are_those_of_compare_but_one_family(sweep, cells):
    expected = {
        (exposure, one.enhancer): one.overall
        for exposure, results in cells.items()
        for one in compare(results).comparisons
    }
    found = {(p.exposure, p.enhancer): p.difference for p in sweep.points if p.difference}
    assert found.keys() == expected.keys()
    for key, difference in found.items():
        assert difference.delta == expected[key].delta
        assert difference.interval == expected[key].interval
        assert difference.p == expected[key].p
    adjusted = holm(np.array([difference.p for difference in found.values()]))
    assert [d.p_holm for d in found.values()] == pytest.approx(adjusted.tolist())
    assert found[0.01, "sci"].verdict == "better"
    assert found[0.01, "gamma@0.5"].verdict.startswith("no difference")


def test_the_picture_shows_the_points(sweep, tmp_path, monkeypatch):
    drawn = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (drawn.append(self), save(self, *a, **k))
    )
    save_picture(tmp_path / "sweep.png", sweep)
    assert Image.open(tmp_path / "sweep.png").size == (1440, 576)
    scores, differences = drawn[0].axes
    assert "DARKENED IMAGES" in drawn[0].get_suptitle()
    by_name = {line.get_label(): line for line in scores.get_lines()}
    assert list(by_name) == list(NAMES)
    for name, line in by_name.items():
        points = [point for point in sweep.points if point.enhancer == name]
        np.testing.assert_array_equal(line.get_xdata(), EXPOSURES)
        np.testing.assert_array_equal(line.get_ydata(), [point.score for point in points])
    # Of `answered`, a score has no interval; a difference has.
    assert (len(scores.collections), len(differences.collections)) == (0, 2)
    band = differences.collections[0].get_paths()[0].vertices
    low, high = zip(
        *(p.difference.interval for p in sweep.points if p.enhancer == "sci"), strict=True
    )
    assert (band[:, 1].min(), band[:, 1].max()) == (min(low), max(high))
