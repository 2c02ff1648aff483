"""`pipeline submit`, with two frames of the official size and an untrained segmentor."""

import json
import zipfile

import numpy as np
import pytest

from pipeline.cli import main
from pipeline.files import sha256

from .conftest import SEGMENTOR

NAME = "GOPR0364_frame_{:06d}_rgb_anon.png"


@pytest.fixture
def root(tmp_path, rng, save):
    for frame in (1, 2):
        picture = np.kron(rng.integers(0, 60, (27, 48, 3)), np.ones((40, 40, 1))).astype(np.uint8)
        save(tmp_path / "dz/rgb_anon/test/night/GOPR0364" / NAME.format(frame), picture)
    return tmp_path / "dz"


def submit(root, segmentor, out, *more):
    evaluator = ["--evaluator", SEGMENTOR, "--evaluator-weights", str(segmentor)]
    return main(
        [
            "submit",
            "--enhancer",
            "gamma@0.6",
            "--root",
            str(root),
            "--out",
            str(out),
            *evaluator,
            *more,
        ]
    )


def test_an_archive_and_where_it_came_from(root, segmentor, tmp_path, capsys):
    out = tmp_path / "new/s.zip"
    assert submit(root, segmentor, out) == 0
    text = capsys.readouterr().out
    assert "note: 2 images, the official test split has 151" in text
    assert text.count("note: ") == 1
    with zipfile.ZipFile(out) as archive:
        assert len(archive.namelist()) == 6
        assert f"labelTrainIds/{NAME.format(1)}" in archive.namelist()
    about = json.loads(out.with_suffix(".json").read_text())
    assert about["sha256"] == sha256(out)
    assert about["enhancer"]["name"] == "gamma@0.6"
    assert about["protocol"]["name"] == "similarity-minmax"
    assert about["dataset"]["images"] == 2
    assert sorted(path.name for path in out.parent.iterdir()) == ["s.json", "s.zip"]
    assert submit(root, segmentor, out) == 2
    assert "s.zip: is there; name another --out" in capsys.readouterr().err
    again = tmp_path / "again.zip"
    assert submit(root, segmentor, again, "--protocol", "similarity-minmax") == 0
    assert again.read_bytes() == out.read_bytes()
    assert main(["submit", "--check", str(out), "--root", str(root)]) == 2
    captured = capsys.readouterr()
    assert "problem: 2 images, the official test split has 151" in captured.out
    assert "s.zip: 1 problems; do not submit it" in captured.err


def test_a_whole_archive_passes(tmp_path, save, capsys):
    """All 151 names; the pictures are the same ones."""
    label = save(tmp_path / "label.png", np.zeros((1080, 1920), np.uint8)).read_bytes()
    sure = save(tmp_path / "sure.png", np.zeros((1080, 1920), np.uint16)).read_bytes()
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for frame in range(151):
            for folder in ("labelTrainIds", "labelTrainIds_invalid"):
                archive.writestr(f"{folder}/{NAME.format(frame)}", label)
            archive.writestr(f"confidence/{NAME.format(frame)}", sure)
    assert main(["submit", "--check", str(tmp_path / "s.zip")]) == 0
    assert "names, count, sizes and label ids are right" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "none.zip"], "none.zip: cannot be read as a zip"),
        (
            ["--check", "a.zip", "--evaluator", "x"],
            "--check takes --task and --root, no --evaluator",
        ),
        (["--check", "a.zip", "--task", "codan"], "task codan has no test server"),
        (["--enhancer", "identity", "--task", "darkzurich"], "task darkzurich has no test server"),
        (["--enhancer", "identity", "--out", "s.json"], "s.json: the server takes a zip"),
        (["--enhancer", "identity"], "no data for darkzurich_test: give --root DIR"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    assert main(["submit", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_frame_of_another_size_stops_it(root, segmentor, tmp_path, save, capsys):
    odd = NAME.format(3)
    save(root / "rgb_anon/test/night/GOPR0364" / odd, np.zeros((32, 64, 3), np.uint8))
    assert submit(root, segmentor, tmp_path / "s.zip") == 2
    assert f"{odd}: is 64x32; the server takes 1920x1080 only" in capsys.readouterr().err
    assert not (tmp_path / "s.zip").exists()


def test_run_sends_the_user_here(root, segmentor, capsys):
    command = ["run", "--enhancer", "identity", "--task", "darkzurich_test", "--root", str(root)]
    evaluator = ["--evaluator", SEGMENTOR, "--evaluator-weights", str(segmentor)]
    assert main([*command, *evaluator]) == 2
    assert "`pipeline submit` writes the archive" in capsys.readouterr().err
