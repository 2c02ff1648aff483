import numpy as np
import pytest

from tasks import classification
from tasks.errors import TaskError

PICTURE = np.zeros((4, 4, 3), np.uint8)


@pytest.fixture
def codan(tmp_path, save):
    for split in ("test_night", "test_day"):
        for name in ("Chair", "Bicycle"):
            save(tmp_path / "data" / split / name / "1.jpg", PICTURE)
    save(tmp_path / "data/test_night/Chair/2.JPEG", PICTURE)
    return tmp_path


def test_codan_in_its_layout(codan):
    task = classification.codan(codan)
    assert task.splits == ["test_night", "test_day"]
    assert [sample.id for sample in task.samples if sample.split == "test_night"] == [
        "test_night/Bicycle/1",
        "test_night/Chair/1",
        "test_night/Chair/2",
    ]
    assert task.classes[0] == "Bicycle"
    assert task.classes[-1] == "Chair"
    assert classification.codan(codan / "data").samples == task.samples


def test_an_unknown_class_folder_is_an_error(codan, save):
    save(codan / "data/test_day/Zebra/1.jpg", PICTURE)
    with pytest.raises(TaskError, match="'Zebra' is none of the classes Bicycle, Car"):
        classification.codan(codan)


def test_a_missing_split_is_named(codan):
    (codan / "data/test_day").rename(codan / "data/elsewhere")
    with pytest.raises(TaskError, match="has no test_day/; expected"):
        classification.codan(codan)


def test_own_folder_with_and_without_a_class_list(codan):
    night = codan / "data/test_night"
    assert classification.folder(night).classes is None
    (codan / "data/classes.yaml").write_text("classes: [Car, Chair, Bicycle]")
    assert classification.folder(night).classes == ("Car", "Chair", "Bicycle")
    (night / "classes.yaml").write_text("classes: [Chair]")
    with pytest.raises(TaskError, match="'Bicycle' is none of the classes Chair"):
        classification.folder(night)


def test_no_folder_and_an_empty_folder(tmp_path):
    for build in (classification.folder, classification.codan):
        with pytest.raises(TaskError, match="nowhere: no such folder"):
            build(tmp_path / "nowhere")
    with pytest.raises(TaskError, match="no images; expected a folder per class"):
        classification.folder(tmp_path)
