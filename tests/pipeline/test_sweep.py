"""`pipeline sweep` as a user meets it, on tiny data with frozen models of random weights."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pipeline import Result, create_task, panels, run
from pipeline.cli import main
from tasks.darken import Darkening
from tasks.images import read_rgb

from .conftest import SEGMENTOR

FAILING = """
def fails_in_the_dark(image):
    return image / (image.mean() > 0.2)
"""


@pytest.fixture
def day(tmp_path, rng, save):
    """classification: bright pictures of two of three classes."""
    for name in ("stop", "yield"):
        for index, size in enumerate((20, 20, 31, 20)):
            picture = rng.integers(90, 255, (size, size, 3), dtype=np.uint8)
            save(tmp_path / "day" / name / f"{index}.png", picture)
    return tmp_path / "day"


@pytest.fixture
def sweep(day, classifier, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")

    def run_sweep(*more, enhancer=("identity", "gamma@0.5"), task=None, exposures=("1", "0.1")):
        where = ["--task", task or f"classification:{day}", "--out", str(tmp_path / "out")]
        model = ["--evaluator", "test_resnet", "--evaluator-weights", str(classifier)]
        chosen = ["--enhancer", *enhancer, "--exposure", *exposures]
        return main(["sweep", *chosen, *where, *model, "--workers", "0", *more])

    return run_sweep


@pytest.fixture
def folder(tmp_path):
    """The folder of the only sweep."""

    def find():
        (file,) = tmp_path.glob("out/*/*/*/sweep.json")
        return file.parent

    return find


def error_line(capsys):
    """The one line of stderr."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("pipeline: error: ")
    return lines[0]


def predictions(result):
    return [(image["id"], image["prediction"], image["mean_level"]) for image in result.per_image]


def test_cells_table_json_and_picture(sweep, folder, capsys):
    assert sweep(enhancer=["gamma@0.5", "identity"]) == 0
    out = capsys.readouterr().out
    for text in ("DARKENED IMAGES", "Δ to identity", "seed 0", "8 images", "no night images"):
        assert text in out
    content = json.loads((folder() / "sweep.json").read_text())
    points = {(p["exposure"], p["enhancer"]): p for p in content["points"]}
    assert list(points) == [(e, n) for e in (1, 0.1) for n in ("identity", "gamma@0.5")]
    for (exposure, name), point in points.items():
        cell = Result.read(folder() / point["file"])
        assert (cell.enhancer, cell.data) == (name, "darkened")
        assert cell.headline[1].value == point["score"]
        assert cell.provenance["dataset"]["darkening"]["exposure"] == exposure
        assert cell.provenance["dataset"]["sha256"] == content["provenance"]["dataset"]["sha256"]
    bright, dark = points[1, "identity"]["mean_level"], points[0.1, "identity"]["mean_level"]
    assert 150 < bright < 190
    assert 40 < dark < 70
    assert points[0.1, "gamma@0.5"]["mean_level"] == dark
    assert points[1, "identity"]["difference"] is None
    assert content["darkening"] | {"seed": 0} == content["darkening"]
    assert content["provenance"]["enhancers"] == {"identity": {}, "gamma@0.5": {}}
    assert Image.open(folder() / "sweep.png").size[0] > 1000
    assert folder().name == "day-seed0"


def test_a_cell_equals_darkening_the_files(sweep, folder, day, classifier, save):
    """Darken, save as PNG, run as ever: the images of a sweep never touch the disk."""
    assert sweep("--seed", "5", "--color-cast", "1.2", "1", "0.6", "--batch-size", "3") == 0
    darkening = Darkening(0.1, 5, (1.2, 1.0, 0.6))
    for sample in create_task(f"classification:{day}").samples:
        save(sample.image, darkening(read_rgb(sample.image), sample.id))
    model = {"evaluator": "test_resnet", "evaluator_weights": classifier}
    by_hand = run("gamma@0.5", f"classification:{day}", **model)
    cell = Result.read(folder() / "exposure-0.1/gamma@0.5/result.json")
    assert predictions(cell) == predictions(by_hand)
    assert by_hand.data == "user"
    assert folder().name == "day-seed5-color_cast1.2,1.0,0.6"


def test_full_exposure_without_noise_is_an_ordinary_run(sweep, folder, day, classifier):
    assert sweep("--shot-noise", "0", "--read-noise", "0", exposures=["1"]) == 0
    cell = Result.read(folder() / "exposure-1.0/identity/result.json")
    model = {"evaluator": "test_resnet", "evaluator_weights": classifier}
    assert predictions(cell) == predictions(run("identity", f"classification:{day}", **model))


def test_workers_and_batches_change_nothing(sweep, folder):
    assert sweep(exposures=["0.1"]) == 0
    file = folder() / "exposure-0.1/identity/result.json"
    alone = predictions(Result.read(file))
    assert sweep("--workers", "2", "--batch-size", "4", exposures=["0.1"]) == 0
    assert predictions(Result.read(file)) == alone


def test_what_is_finished_is_kept(sweep, folder, tmp_path, monkeypatch, capsys):
    (tmp_path / "failing.py").write_text(FAILING)
    monkeypatch.syspath_prepend(tmp_path)
    enhancers = ["identity", "python:failing:fails_in_the_dark"]
    assert sweep(enhancer=enhancers, exposures=["1", "0.5", "0.01"]) == 2
    assert "must be finite" in error_line(capsys)
    content = json.loads((folder() / "sweep.json").read_text())
    assert [point["exposure"] for point in content["points"]] == [1, 1, 0.5, 0.5]
    assert (folder() / "sweep.png").is_file()
    assert Result.read(folder() / "exposure-0.01/identity/result.json").enhancer == "identity"


def test_exposures_are_not_compared_with_each_other(sweep, folder, day, classifier, capsys):
    assert sweep() == 0
    dark = str(folder() / "exposure-0.1/gamma@0.5/result.json")
    bright = str(folder() / "exposure-1.0/identity/result.json")
    assert main(["compare", bright, dark]) == 2
    assert "their darkening (exposure) differs (1.0 and 0.1)" in error_line(capsys)
    model = {"evaluator": "test_resnet", "evaluator_weights": classifier}
    run("identity", f"classification:{day}", **model).write(day / "plain.json")
    assert main(["compare", str(day / "plain.json"), dark]) == 2
    assert "kind of data differs (user and darkened)" in error_line(capsys)
    assert main(["compare", str(folder() / "exposure-0.1/identity/result.json"), dark]) == 0
    assert "DARKENED IMAGES" in capsys.readouterr().out


def test_of_segmentation_too(dark_zurich, segmentor):
    """Only the image is darkened, not its label."""
    task = create_task("darkzurich", dark_zurich, "mmseg")
    model = {"evaluator": SEGMENTOR, "evaluator_weights": segmentor}
    day, night = (
        run("identity", replace(task, darkening=darkening), **model)
        for darkening in (None, Darkening(0.2))
    )
    assert (day.data, night.data) == ("user", "darkened")
    assert night.provenance["dataset"]["darkening"]["exposure"] == 0.2
    for one, other in zip(day.per_image, night.per_image, strict=True):
        assert one["mean_level"] > 1.5 * other["mean_level"]
        truth = [[sum(row) for row in image["confusion"]] for image in (one, other)]
        assert truth[0] == truth[1]


def test_one_enhancer_is_no_comparison(sweep, folder, capsys):
    assert sweep(enhancer=["gamma@0.5"], exposures=["0.2"]) == 0
    assert "Δ" not in capsys.readouterr().out
    assert Image.open(folder() / "sweep.png").size[0] < 1000


def test_panels_say_that_they_are_darkened(sweep, folder, monkeypatch):
    captions = []
    draw = panels.side_by_side
    monkeypatch.setattr(
        panels, "side_by_side", lambda p: captions.append([c for _, c in p]) or draw(p)
    )
    assert sweep("--save-images", "1", enhancer=["identity"], exposures=["0.3"]) == 0
    assert [shown for shown, _ in captions] == ["darkened, truth: stop"]
    assert len(list((folder() / "exposure-0.3/identity/images").iterdir())) == 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--color-cast", "1", "1", "-1"], "color_cast must be three numbers of at least 0"),
        (["--shot-noise", "-1"], "noise must be at least 0"),
        (["--split", "night"], "has no split 'night'; there are day"),
        (["--enhancer", "scii"], "did you mean sci"),
        (["--enhancer", "images:day"], "results of other images than the darkened ones"),
        (["--task", "classification:nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_input(sweep, day, monkeypatch, capsys, more, message):
    monkeypatch.chdir(day.parent)
    assert sweep(*more) == 2
    assert message in error_line(capsys)


def test_what_has_no_day(tmp_path, save, capsys):
    for name in ("low", "high"):
        save(tmp_path / "pairs" / name / "1.png", np.full((8, 8, 3), 40, np.uint8))
    pairs = f"restoration:{tmp_path}/pairs"
    assert main(["sweep", "--enhancer", "identity", "--task", pairs]) == 2
    assert "nothing to darken" in error_line(capsys)
    for picture in ("test_night", "test_day"):
        save(tmp_path / "codan" / picture / "Cat" / "1.png", np.full((8, 8, 3), 40, np.uint8))
    codan = ["--task", "codan", "--root", str(tmp_path / "codan")]
    assert main(["sweep", "--enhancer", "identity", *codan]) == 2
    assert "--split, one of test_night, test_day" in error_line(capsys)


@pytest.mark.parametrize("exposure", ["0", "-1", "inf", "nan", "dark"])
def test_exposures_are_numbers_above_0(sweep, exposure):
    with pytest.raises(SystemExit) as stop:
        sweep(exposures=[exposure])
    assert stop.value.code == 2
