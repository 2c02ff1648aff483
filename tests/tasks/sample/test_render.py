"""The set on disk: official layouts, completeness, and nobody else's files are touched."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from tasks import cityscapes
from tasks.errors import TaskError
from tasks.sample import Counts, render
from tasks.sample.layouts import PARTS
from tasks.sample.objects import CLASSES
from tasks.sample.render import MANIFEST, README

TINY = Counts(1, 1, 1, 1, 1, 1, 1, 1)
NONE = Counts(0, 0, 0, 0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("sets") / "sample"
    render(root, counts=TINY)
    return root


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def expected_files() -> set[str]:
    night = "val/night/SAMPLE/SAMPLE_frame_000001"
    coarse = "nighttime_driving/gtCoarse_daytime_trainvaltest/test/night/sample_0001_gtCoarse"
    names = {
        MANIFEST,
        README,
        "nighttime_driving/leftImg8bit/test/night/sample_0001_leftImg8bit.png",
        f"{coarse}_labelTrainIds.png",
        f"{coarse}_labelIds.png",
        "street_day/classes.yaml",
    }
    for folder in ("darkzurich", "darkzurich_day"):
        names |= {f"{folder}/rgb_anon/{night}_rgb_anon.png"}
        names |= {f"{folder}/gt/{night}_gt_labelTrainIds.png"}
    for split in ("train", "val", "test_day", "test_night"):
        names |= {f"codan/data/{split}/{name}/0001.jpg" for name in CLASSES}
    for split in ("train", "val"):
        names |= {f"street_day/{split}/{kind}/0001.png" for kind in ("images", "labels")}
    for kind in ("low", "high"):
        names |= {f"pairs/{split}/{kind}/0001.png" for split in ("our485", "eval15")}
        names |= {f"pairs/our485/{kind}/obj_0001.png"}
    return names


def test_layouts_and_names(sample):
    assert files(sample) == expected_files()


def test_only_the_parts_asked_for(tmp_path):
    render(tmp_path / "set", parts=("test",), counts=NONE)
    assert files(tmp_path / "set") == {MANIFEST, README}
    render(tmp_path / "set", parts=("train",), counts=NONE)
    # The test part that was there is kept.
    assert yaml.safe_load((tmp_path / "set" / MANIFEST).read_text())["parts"] == ["test", "train"]


def test_coarse_label_ids_are_those_of_the_train_ids(sample):
    folder = sample / "nighttime_driving/gtCoarse_daytime_trainvaltest/test/night"
    train, ids = (
        cv2.imread(str(folder / f"sample_0001_gtCoarse_{kind}.png"), cv2.IMREAD_UNCHANGED)
        for kind in ("labelTrainIds", "labelIds")
    )
    assert np.array_equal(cityscapes.label_id_table()[ids], train)
    assert (ids[train == cityscapes.VOID] == 0).all()


def test_night_and_day_share_the_labels_and_differ_in_light(sample):
    stem = "val/night/SAMPLE/SAMPLE_frame_000001"
    night, day = (
        cv2.imread(str(sample / folder / f"rgb_anon/{stem}_rgb_anon.png"))
        for folder in ("darkzurich", "darkzurich_day")
    )
    assert night.shape == day.shape == (256, 512, 3)
    assert night.mean() < 0.5 * day.mean()
    labels = [
        (sample / folder / f"gt/{stem}_gt_labelTrainIds.png").read_bytes()
        for folder in ("darkzurich", "darkzurich_day")
    ]
    assert labels[0] == labels[1]


def test_night_test_objects_are_other_objects(sample):
    # A blurred, normalised copy shows the drawing without light and noise.
    def look(split: str) -> np.ndarray:
        image = cv2.imread(str(sample / f"codan/data/{split}/Car/0001.jpg"), cv2.IMREAD_GRAYSCALE)
        small = cv2.GaussianBlur(image.astype(float), (0, 0), 2)
        return (small - small.mean()) / small.std()

    assert abs((look("test_day") * look("test_night")).mean()) < 0.8


def test_class_list_names_the_classes(sample):
    content = yaml.safe_load((sample / "street_day/classes.yaml").read_text())
    assert content == {"classes": list(cityscapes.CLASSES), "ignore": 255}


def test_complete_set_stays_untouched(tmp_path):
    root = tmp_path / "set"
    render(root, counts=NONE)
    (root / "mine.txt").write_text("kept")
    render(root, counts=NONE)
    render(root, counts=NONE, parts=("test",))
    assert (root / "mine.txt").exists()


@pytest.mark.parametrize("damage", ["remove", "garble", "version"])
def test_half_written_or_old_set_is_rendered_anew(tmp_path, damage):
    root = tmp_path / "set"
    render(root, counts=NONE)
    (root / "rest.png").write_bytes(b"")
    manifest = root / MANIFEST
    if damage == "remove":
        manifest.unlink()
    elif damage == "garble":
        manifest.write_text("[: \x00")
    else:
        manifest.write_text(manifest.read_text().replace("version: 1", "version: 0"))
    render(root, counts=NONE)
    assert files(root) == {MANIFEST, README, "street_day/classes.yaml"}
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("disk full")

    monkeypatch.setitem(PARTS, "test", broken)
    with pytest.raises(RuntimeError):
        render(tmp_path / "set", parts=("test",))
    assert list(tmp_path.iterdir()) == []


def test_other_peoples_folders_are_refused(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(TaskError, match="not a sample set"):
        render(tmp_path, counts=NONE)
    assert (tmp_path / "photo.jpg").read_bytes() == b"mine"


@pytest.mark.parametrize("wrong", [{"parts": ("tests",)}, {"parts": ()}, {"seed": -1}])
def test_wrong_arguments_are_refused(tmp_path, wrong):
    with pytest.raises(TaskError):
        render(tmp_path / "set", counts=NONE, **wrong)
