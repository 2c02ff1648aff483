"""A batch leaves panels of the largest gains and losses, and says why where it cannot."""

import json

import pytest
import yaml

from pipeline.cli import main
from pipeline.compare.images import changes, extremes, gains_and_losses
from pipeline.panels import panel_file
from pipeline.result import Result

from ..conftest import SEGMENTOR, TRAINED

NAMES = ("identity", "gamma@0.3", "clahe")


@pytest.fixture
def streets(tmp_path, dark_zurich):
    """streets(**changes): run a batch of three enhancers on three streets; exit code and folder."""
    task = {"task": "darkzurich", "root": str(dark_zurich), "protocol": "mmseg"}
    task |= {"evaluator": SEGMENTOR, "evaluator_weights": TRAINED}

    def run(**changes):
        config = {"enhancers": list(NAMES), "tasks": [task], **changes}
        (tmp_path / "streets.yaml").write_text(yaml.safe_dump(config))
        where = ["--out", str(tmp_path / "out"), "--workers", "0", "--device", "cpu"]
        code = main(["batch", str(tmp_path / "streets.yaml"), *where])
        (folder,) = (tmp_path / "out").glob("darkzurich/*")
        return code, folder

    return run


def drawn(folder):
    """Panel → when it was written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob("*/images/*")}


def test_the_largest_gains_and_losses_have_panels(streets, capsys):
    code, folder = streets()
    assert code == 0
    results = {name: Result.read(folder / name / "result.json") for name in NAMES}
    chosen = extremes(results, "identity", 3)
    assert sum(map(len, chosen.values())) > 2
    before = drawn(folder)
    assert before.keys() == {
        panel_file(folder / name / "images", image)
        for name, images in chosen.items()
        for image in images
    }
    # Again: nothing but the one that is gone.
    gone = next(iter(before))
    gone.unlink()
    assert streets()[0] == 0
    after = drawn(folder)
    assert [path for path in before if after[path] != before[path]] == [gone]
    assert capsys.readouterr().err == ""
    assert main(["report", str(folder)]) == 0
    page = (folder / "report/index.html").read_text()
    assert "Of all 3 images, different enhancers and images first" in page
    shown = gains_and_losses(changes(results, "identity", "val/mIoU"))
    assert page.count("data:image/webp") == sum(map(len, shown)) > 2


def test_panels_of_a_cell_that_is_measured_again_are_forgotten(streets):
    _, folder = streets()
    before = {path for path in drawn(folder) if "clahe" in str(path)}
    assert before
    change = {"enhancer": "clahe", "options": {"clip_limit": 0.01, "tiles": 1}}
    assert streets(overrides=[change])[0] == 0
    now = {p: (p.parent.parent / "result.json").stat().st_mtime_ns for p in drawn(folder)}
    assert now
    assert all(drawn(folder)[path] >= written for path, written in now.items())


def test_panels_that_cannot_be_drawn_fail_nothing(streets, capsys):
    code, folder = streets(enhancers=["identity"])
    assert code == 0
    assert not drawn(folder)
    streets()
    for path in drawn(folder):
        path.unlink()
    # As if the file had changed since: other pixels, another prediction.
    for path in folder.glob("*/result.json"):
        content = json.loads(path.read_text())
        for image in content["per_image"]:
            image["confusion"][0][0] += 1
        path.write_text(json.dumps(content))
        status = path.with_name("status.json")
        known = json.loads(status.read_text())
        status.write_text(json.dumps(known | {"result": _sha256(path)}))
    capsys.readouterr()
    assert streets()[0] == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert all("another prediction than the one that was scored" in line for line in lines)
    assert not drawn(folder)


def _sha256(path):
    from pipeline.files import sha256

    return sha256(path)
