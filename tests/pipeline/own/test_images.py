"""`images:DIR`, through the whole chain."""

import numpy as np
import pytest
from PIL import Image

from pipeline import create_task, run
from pipeline.cli import main
from pipeline.errors import PipelineError
from pipeline.own.images import ImageFolder
from tasks.darken import Darkening
from tasks.errors import TaskError
from tasks.images import read_rgb


@pytest.fixture
def pairs(tmp_path, rng, save):
    root = tmp_path / "pairs"
    for name in ("a", "b"):
        high = rng.integers(0, 256, (40, 36, 3), dtype=np.uint8)
        save(root / f"high/{name}.png", high)
        save(root / f"low/{name}.png", high // 4)
    return root


@pytest.fixture
def results(pairs, tmp_path, save):
    """Another method's results: the truth, one level off."""
    folder = tmp_path / "results"
    for name in ("a", "b"):
        high = read_rgb(pairs / f"high/{name}.png")
        save(folder / f"{name}.png", np.where(high < 255, high + 1, 254).astype(np.uint8))
    return folder


def test_stored_results_are_scored(pairs, results):
    result = run(f"images:{results}", f"restoration:{pairs}")
    assert result.scores["pairs/PSNR"].value == pytest.approx(20 * np.log10(255), abs=1e-3)
    assert result.provenance["enhancer"]["images"] == 2
    digest = result.provenance["enhancer"]["sha256"]
    (results / "a.png").write_bytes((results / "b.png").read_bytes())
    changed = run(f"images:{results}", f"restoration:{pairs}").provenance["enhancer"]["sha256"]
    assert len(digest) == 64
    assert changed != digest


def test_what_enhance_writes_is_scored_like_the_enhancer(pairs, tmp_path):
    out = tmp_path / "out"
    command = ["enhance", str(pairs / "low"), "--enhancer", "gamma@0.5", "--out", str(out)]
    assert main(command) == 0
    stored = run(f"images:{out}", f"restoration:{pairs}")
    direct = run("gamma@0.5", f"restoration:{pairs}")
    for name, score in direct.scores.items():
        assert stored.scores[name].value == pytest.approx(score.value, abs=1e-6)


def test_the_longest_matching_path_counts(pairs, tmp_path, save):
    task = create_task(f"restoration:{pairs}")
    folder = tmp_path / "x"
    save(folder / "a.png", np.zeros((40, 36, 3), np.uint8))
    save(folder / "low/a.jpg", np.zeros((40, 36, 3), np.uint8))
    save(folder / "other/b.png", np.zeros((40, 36, 3), np.uint8))
    model = ImageFolder.from_source(str(folder))
    assert model.find(task.samples[0]) == folder / "low/a.jpg"
    with pytest.raises(TaskError, match=r"has no enhanced image for .*low/b\.png; expected b\.png"):
        model.find(task.samples[1])


@pytest.mark.parametrize("workers", ["0", "1"])
def test_another_size_names_the_file(pairs, results, capsys, save, workers):
    save(results / "b.png", np.zeros((40, 37, 3), np.uint8))
    command = ["run", "--enhancer", f"images:{results}", "--task", f"restoration:{pairs}"]
    assert main([*command, "--workers", workers]) == 2
    error = capsys.readouterr().err.strip()
    assert "b.png: is 37x40" in error
    assert "is 36x40; give results of the original size" in error
    assert "\n" not in error


def test_a_missing_result_is_told_before_anything_is_computed(pairs, results, monkeypatch):
    (results / "b.png").unlink()
    monkeypatch.setattr("tasks.restoration.RestorationEvaluator.measure", None)
    with pytest.raises(TaskError, match="has no enhanced image"):
        run(f"images:{results}", f"restoration:{pairs}")


def test_one_result_is_not_of_two_images(tmp_path, rng, save):
    for split in ("test_night", "test_day"):
        save(tmp_path / f"codan/data/{split}/Cat/0.png", np.zeros((40, 36, 3), np.uint8))
    task = create_task("codan", tmp_path / "codan")
    save(tmp_path / "out/Cat/0.png", np.zeros((40, 36, 3), np.uint8))
    message = r"Cat/0\.png: would stand for test_night/Cat/0 and for test_day/Cat/0"
    with pytest.raises(TaskError, match=message):
        ImageFolder(tmp_path / "out").require(task)


def test_darkened_images_have_no_results(pairs, results, tmp_path, save):
    save(tmp_path / "day/x/a.png", np.zeros((40, 36, 3), np.uint8))
    task = create_task(f"classification:{tmp_path / 'day'}").darkened(Darkening(0.1))
    with pytest.raises(PipelineError, match="other images than the darkened ones"):
        ImageFolder(results).require(task)


def test_linked_folders_count(results, tmp_path):
    (tmp_path / "links").mkdir()
    (tmp_path / "links/low").symlink_to(results)
    assert [*ImageFolder.from_source(str(tmp_path / "links")).files] == ["low/a", "low/b"]


def test_its_results_lie_below_the_output_folder(pairs, results, tmp_path, monkeypatch):
    monkeypatch.chdir(results)
    out = tmp_path / "deep/out"
    names = ["identity", "images:../results", "images:../../" + results.parent.name + "/results"]
    command = ["run", "--enhancer", names[0], names[1], "--task", f"restoration:{pairs}"]
    assert main([*command, "--out", str(out)]) == 0
    files = list(tmp_path.rglob("result.json"))
    assert len(files) == 2
    assert all(out in file.parents for file in files)
    again = ["run", "--enhancer", names[1], names[2], "--task", f"restoration:{pairs}"]
    assert main([*again, "--out", str(out)]) == 2


def test_wrong_folders(tmp_path, save):
    with pytest.raises(PipelineError, match="images:nowhere: there is no such folder"):
        ImageFolder.from_source("nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PipelineError, match="holds no images"):
        ImageFolder.from_source(str(tmp_path / "empty"))
    image = Image.new("RGB", (20, 20))
    for suffix in ("png", "jpg"):
        image.save(tmp_path / f"same.{suffix}")
    with pytest.raises(PipelineError, match=r"same\.png: shares its name with same\.jpg"):
        ImageFolder.from_source(str(tmp_path))
