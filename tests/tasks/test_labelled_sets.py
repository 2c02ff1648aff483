"""Labelled training sets in their published layouts."""

import numpy as np
import pytest

from tasks.errors import TaskError
from tasks.labelled_sets import (
    CAMVID_CLASSES,
    camvid_day,
    cityscapes_fine,
    codan_day,
    own_classification,
    own_segmentation,
)

PICTURE = np.zeros((4, 6, 3), np.uint8)
LABEL = np.zeros((4, 6), np.uint8)


@pytest.fixture
def cityscapes(tmp_path, save):
    for split, city in (("train", "zurich"), ("train", "aachen"), ("val", "munster")):
        for frame in (2, 1):
            name = f"{city}_00000{frame}_000019"
            save(tmp_path / f"leftImg8bit/{split}/{city}/{name}_leftImg8bit.png", PICTURE)
            # Licence plate, ego vehicle, road, bicycle.
            ids = np.array([255, 1, 7, 33, 7, 7], np.uint8)[None].repeat(4, 0)
            save(tmp_path / f"gtFine/{split}/{city}/{name}_gtFine_labelIds.png", ids)
    return tmp_path


def test_cityscapes_with_train_ids_from_label_ids(cityscapes):
    data = cityscapes_fine(cityscapes)
    assert [sample.id.split("/")[-1][:13] for sample in data.train.samples] == [
        "aachen_000001", "aachen_000002", "zurich_000001", "zurich_000002"]  # fmt: skip
    assert [sample.split for sample in data.val.samples] == ["val", "val"]
    assert data.val.classes == data.train.classes and len(data.val.classes) == 19
    row = data.train.read_target(data.train.samples[0])[0]
    assert row.tolist() == [255, 255, 0, 18, 0, 0]


def test_what_is_missing_is_named(cityscapes):
    label = next((cityscapes / "gtFine/train/zurich").glob("*"))
    label.unlink()
    with pytest.raises(TaskError, match=f"1 labels are missing: gtFine/train/zurich/{label.name}"):
        cityscapes_fine(cityscapes)
    with pytest.raises(TaskError, match="has no leftImg8bit/train/, gtFine/train/"):
        cityscapes_fine(cityscapes / "gtFine")
    with pytest.raises(TaskError, match="has no train/; expected train/"):
        codan_day(cityscapes)
    with pytest.raises(TaskError, match="has no train/, trainannot/"):
        camvid_day(cityscapes)


def test_a_set_without_val(cityscapes):
    (cityscapes / "leftImg8bit/val").rename(cityscapes / "leftImg8bit/test")
    assert cityscapes_fine(cityscapes).val is None


def test_cityscapes_without_images(cityscapes):
    for city in (cityscapes / "leftImg8bit/train").iterdir():
        city.rename(cityscapes / city.name)
    with pytest.raises(TaskError, match="no images; expected leftImg8bit/train/CITY/"):
        cityscapes_fine(cityscapes)


@pytest.mark.parametrize("layout", [("{}", "{}annot"), ("{}/images", "{}/labels")])
def test_camvid_by_day_in_both_layouts(tmp_path, save, layout):
    images, labels = layout
    for split, names in (("train", ("0006R0_f1", "0001TP_1", "0016E5_2")), ("val", ("0016E5_9",))):
        for name in names:
            save(tmp_path / images.format(split) / f"{name}.png", PICTURE)
            save(tmp_path / labels.format(split) / f"{name}.png", LABEL + 11)
    data = camvid_day(tmp_path)
    assert [s.image.stem for s in data.train.samples] == ["0006R0_f1", "0016E5_2"]
    assert [s.image.stem for s in data.val.samples] == ["0016E5_9"]
    assert data.train.classes == CAMVID_CLASSES
    assert (data.train.read_target(data.train.samples[0]) == data.train.ignore_index).all()


def test_codan_by_day(tmp_path, save):
    for split in ("train", "val", "test_night"):
        for name in ("Chair", "Bicycle"):
            save(tmp_path / "data" / split / name / "1.JPEG", PICTURE)
    data = codan_day(tmp_path)
    assert [s.id for s in data.train.samples] == ["train/Bicycle/1", "train/Chair/1"]
    assert [s.id for s in data.val.samples] == ["val/Bicycle/1", "val/Chair/1"]
    assert data.train.classes[-1] == "Chair" and len(data.train.classes) == 10
    assert codan_day(tmp_path / "data") == data
    save(tmp_path / "data/val/Zebra/1.jpg", PICTURE)
    with pytest.raises(TaskError, match="'Zebra' is none of the classes"):
        codan_day(tmp_path)


def test_packed_codan_is_to_be_unpacked(tmp_path):
    (tmp_path / "codan_train.tar.bz2.part0").touch()
    with pytest.raises(TaskError, match="pipeline data unpack codan"):
        codan_day(tmp_path)


def test_own_folders_of_classes(tmp_path, save):
    for name in ("b", "a"):
        save(tmp_path / "train" / name / "1.png", PICTURE)
    plain = own_classification(tmp_path / "train")
    assert plain.train.classes == ("a", "b") and plain.val is None
    assert own_classification(tmp_path).val is None
    save(tmp_path / "val/b/2.png", PICTURE)
    split = own_classification(tmp_path)
    assert [s.id for s in split.val.samples] == ["val/b/2"]
    assert split.val.classes == split.train.classes == ("a", "b")
    save(tmp_path / "val/c/2.png", PICTURE)
    with pytest.raises(TaskError, match="'c' is none of the classes a, b"):
        own_classification(tmp_path)


def test_a_class_may_be_called_train(tmp_path, save):
    for name in ("train", "tram"):
        save(tmp_path / name / "1.png", PICTURE)
    assert own_classification(tmp_path).train.classes == ("train", "tram")


def test_own_segmentation_folders(tmp_path, save):
    (tmp_path / "classes.yaml").write_text("classes: [one]")
    for split in ("train", "val"):
        save(tmp_path / split / "images/1.png", PICTURE)
        save(tmp_path / split / "labels/1.png", LABEL)
    data = own_segmentation(tmp_path)
    assert (data.train.samples[0].split, data.val.samples[0].split) == ("train", "val")
    assert own_segmentation(tmp_path / "train").val is None
    assert own_segmentation(tmp_path / "train").train.samples == data.train.samples


@pytest.mark.shared
def test_the_real_sets(shared):
    city = cityscapes_fine(shared / "data/cityscapes")
    assert len(city.train.samples) == 4 and city.val is None
    label = city.train.read_target(city.train.samples[0])
    assert label.shape == (1024, 2048)
    assert set(np.unique(label)) <= {*range(19), 255}
    camvid = camvid_day(shared / "data/camvid")
    assert (len(camvid.train.samples), len(camvid.val.samples)) == (305, 101)
    assert camvid.train.classes == own_segmentation(shared / "data/camvid/train").train.classes
