"""Pictures of the largest gains and losses."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from pipeline.compare.images import image_scores
from pipeline.report import collect, study
from pipeline.report.images import Gallery

from ..compared import restored
from .results import of, streets, studied, write


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Panels of the first five images by every enhancer, of 1000x200 pixels."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("results")
    given = streets(rng)
    for name in given:
        (folder / name / "images").mkdir(parents=True)
        for index in range(5):
            picture = rng.integers(0, 255, (200, 1000, 3), dtype=np.uint8)
            Image.fromarray(picture).save(folder / name / "images" / f"{index:03}.png")
    return folder, study(collect(write(folder, given))).columns[0]


@pytest.fixture
def column(whole):
    return whole[1]


def fail(file, reason):
    raise AssertionError(file, reason)


def test_gains_and_losses_are_of_images_with_a_panel(column):
    panels = Gallery(fail).panels(column)
    assert (panels.pictured, panels.images, panels.omitted) == (5, 40, 0)
    assert not panels.largest
    scores = {n: image_scores(r, column.score) for n, r in column.bench.labelled.items()}
    deltas = {
        (name, f"{index:03}"): scores[name][f"{index:03}"] - scores["identity"][f"{index:03}"]
        for name in ("sci", "sci+lfpv")
        for index in range(5)
    }
    worst, best = min(deltas, key=deltas.get), max(deltas, key=deltas.get)
    first, *others = panels.losses
    assert (first.enhancer, first.image) == worst
    assert first.delta == pytest.approx(deltas[worst])
    assert first.score == scores[worst[0]][worst[1]]
    assert {panel.enhancer for panel in panels.losses} == {"sci", "sci+lfpv"}
    assert [panel.delta for panel in panels.losses] == sorted(p.delta for p in panels.losses)
    assert (panels.gains[0].enhancer, panels.gains[0].image) == best
    assert all(panel.delta > 0 for panel in panels.gains)
    assert len(others) == 2


def test_pictures_are_made_small(column):
    panel = Gallery(fail).panels(column).losses[0]
    head, _, data = panel.address.partition(",")
    assert head == "data:image/webp;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.size == panel.size == (800, 160)


def test_pictures_stay_within_the_budget(column):
    every = Gallery(fail).panels(column)
    shown = len(every.gains) + len(every.losses)
    one = len(base64.b64decode(every.gains[0].address.partition(",")[2]))
    gallery = Gallery(fail, budget=int(2.5 * one))
    first, second = gallery.panels(column), gallery.panels(column)
    assert len(first.gains) + len(first.losses) == 2
    assert first.omitted == shown - 2
    assert (second.gains, second.losses) == ([], [])
    assert second.pictured == 5


def test_a_broken_picture_is_named_and_left_out(tmp_path, rng):
    folder = write(tmp_path, streets(rng))
    (folder / "sci/images").mkdir()
    (folder / "sci/images/000.png").write_bytes(b"x")
    named = []
    column = study(collect(folder)).columns[0]
    panels = Gallery(lambda file, reason: named.append(file)).panels(column)
    assert (panels.gains, panels.losses, panels.omitted) == ([], [], 1)
    assert named == ["000.png"]


def test_less_is_better_for_lpips(tmp_path, save):
    given = {}
    for name, lpips in {"identity": [0.5, 0.5], "clahe": [0.2, 0.9]}.items():
        result = restored(name, [1, 1], lpips)
        given[name] = of(result, name, scores={"night/LPIPS": result.scores["night/LPIPS"]})
    for index in range(2):
        save(tmp_path / f"clahe/images/{index:03}.png", np.zeros((40, 60, 3), np.uint8))
    panels = Gallery(fail).panels(study(collect(write(tmp_path, given))).columns[0])
    assert [(p.image, round(p.delta, 3)) for p in panels.gains] == [("000", -0.3)]
    assert [(p.image, round(p.delta, 3)) for p in panels.losses] == [("001", 0.4)]
    assert panels.largest


def test_without_identity_there_are_none(rng):
    given = {name: result for name, result in streets(rng).items() if name != "identity"}
    panels = Gallery(fail).panels(studied(given).columns[0])
    assert (panels.gains, panels.losses, panels.pictured) == ([], [], 0)
