import numpy as np
import pytest

from tasks import cityscapes, segmentation
from tasks.errors import TaskError

NIGHT = "rgb_anon/val/night/GOPR0356/GOPR0356_frame_{:06d}_rgb_anon.png"
NIGHT_GT = "gt/val/night/GOPR0356/GOPR0356_frame_{:06d}_gt_labelTrainIds.png"


@pytest.fixture
def picture():
    return np.zeros((4, 6, 3), np.uint8)


@pytest.fixture
def dark_zurich(tmp_path, save, picture):
    for frame in (2, 1):
        save(tmp_path / NIGHT.format(frame), picture)
        save(tmp_path / NIGHT_GT.format(frame), np.full((4, 6), frame, np.uint8))
    return tmp_path


def test_dark_zurich_in_its_layout(dark_zurich):
    task = segmentation.dark_zurich(dark_zurich)
    assert [sample.id[-23:] for sample in task.samples] == [
        "0356_frame_000001_rgb_anon"[-23:],
        "0356_frame_000002_rgb_anon"[-23:],
    ]
    assert task.classes == cityscapes.CLASSES
    assert task.protocol.size == (512, 1024)
    np.testing.assert_array_equal(task.read_target(task.samples[1]), np.full((4, 6), 2))


def test_dark_zurich_without_a_label(dark_zurich):
    (dark_zurich / NIGHT_GT.format(2)).unlink()
    with pytest.raises(TaskError, match=r"frame_000002.*has no label"):
        segmentation.dark_zurich(dark_zurich)
    (dark_zurich / NIGHT_GT.format(1)).unlink()
    with pytest.raises(TaskError, match=r"frame_000001.*has no label.*neither have .*frame_000002"):
        segmentation.dark_zurich(dark_zurich)


def test_wrong_layout_says_what_is_expected(tmp_path):
    with pytest.raises(TaskError, match=r"has no rgb_anon/val/night/; expected"):
        segmentation.dark_zurich(tmp_path)
    (tmp_path / "rgb_anon/val/night").mkdir(parents=True)
    with pytest.raises(TaskError, match="no images"):
        segmentation.dark_zurich(tmp_path)
    with pytest.raises(TaskError, match="no such folder"):
        segmentation.dark_zurich(tmp_path / "nowhere")


def test_an_unknown_id_names_file_and_id(dark_zurich, save):
    save(dark_zurich / NIGHT_GT.format(1), np.full((4, 6), 42, np.uint8))
    task = segmentation.dark_zurich(dark_zurich)
    with pytest.raises(TaskError, match=r"frame_000001_gt.*unknown label id 42 \(24 pixels\)"):
        task.read_target(task.samples[0])


def test_nighttime_driving_makes_train_ids_from_label_ids(tmp_path, save, picture):
    root = tmp_path / "NighttimeDrivingTest"
    save(root / "leftImg8bit/test/night/0_a_leftImg8bit.png", picture)
    folder = root / "gtCoarse_daytime_trainvaltest/test/night"
    ids = np.array([[7, 8, 33, 0, 26, 4]] * 4, np.uint8)
    save(folder / "0_a_gtCoarse_labelIds.png", ids)
    save(folder / "0_a_gtCoarse_labelTrainIds.png", np.full((4, 6), 255, np.uint8))
    task = segmentation.nighttime_driving(tmp_path)
    expected = [0, 1, 18, 255, 13, 255]
    np.testing.assert_array_equal(task.read_target(task.samples[0])[0], expected)
    stored = segmentation.nighttime_driving(tmp_path, "mmseg")
    assert (stored.read_target(stored.samples[0]) == 255).all()


def test_nighttime_driving_reads_the_corrected_labels_from_their_own_folder(
    tmp_path, save, picture
):
    save(tmp_path / "leftImg8bit/test/night/0_a_leftImg8bit.png", picture)
    published = tmp_path / "gtCoarse_daytime_trainvaltest/test/night/0_a_gtCoarse_labelIds.png"
    save(published, np.full((4, 6), 26, np.uint8))
    with pytest.raises(TaskError, match=r"has no label, expected .*gtCoarse_corrected/test/night"):
        segmentation.nighttime_driving(tmp_path, "similarity-minmax-corrected")
    corrected = tmp_path / "gtCoarse_corrected/test/night/0_a_gtCoarse_labelIds.png"
    save(corrected, np.full((4, 6), 24, np.uint8))
    variants = {"similarity-minmax": 13, "similarity-minmax-corrected": 11}
    for protocol, train_id in variants.items():
        task = segmentation.nighttime_driving(tmp_path, protocol)
        assert (task.read_target(task.samples[0]) == train_id).all()


def test_dark_zurich_test_has_images_and_no_labels(tmp_path, save, picture):
    with pytest.raises(TaskError, match=r"has no rgb_anon/test/night/; expected"):
        segmentation.dark_zurich_test(tmp_path)
    for sequence, frame in (("GOPR0364", 2), ("GOPR0355", 1)):
        name = f"{sequence}/{sequence}_frame_{frame:06d}_rgb_anon.png"
        save(tmp_path / "rgb_anon/test/night" / name, picture)
    task = segmentation.dark_zurich_test(tmp_path)
    assert (task.kind, task.splits) == ("submission", ["test"])
    assert [sample.image.name[:8] for sample in task.samples] == ["GOPR0355", "GOPR0364"]
    assert all(sample.target is None for sample in task.samples)
    assert task.card.splits == {"test": 151}


@pytest.fixture
def own_folder(tmp_path, save, picture):
    root = tmp_path / "mine"
    save(root / "images/a.png", picture)
    save(root / "labels/a.png", np.array([[0, 1, 9]], np.uint8))
    (tmp_path / "classes.yaml").write_text("classes: [x, y]\nignore: 9\n")
    return root


def test_own_folder_finds_its_class_list_in_the_parent(own_folder):
    task = segmentation.folder(own_folder)
    assert task.classes == ("x", "y")
    np.testing.assert_array_equal(task.read_target(task.samples[0]), [[0, 1, 9]])
    (own_folder / "classes.yaml").write_text("classes: [p, q, r]\nignore: 200\n")
    assert segmentation.folder(own_folder).classes == ("p", "q", "r")


def test_own_folder_needs_matching_files(own_folder, save, picture):
    save(own_folder / "labels/b.png", np.zeros((4, 6), np.uint8))
    with pytest.raises(TaskError, match=r"labels/b\.png: label without an image"):
        segmentation.folder(own_folder)
    save(own_folder / "images/b.jpg", picture)
    save(own_folder / "images/c.jpg", picture)
    with pytest.raises(TaskError, match=r"images/c\.jpg: has no label"):
        segmentation.folder(own_folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("classes: {a: 1}", "needs a key `classes`"),
        ("classes: [a, a]", "occurs twice"),
        ("classes: [a, b]\nignore: 1", "`ignore` must be an id from there to 255"),
        ("classes: [a, b]\nignore: 300", "`ignore` must be an id from 0 to 255"),
        ("classes: [a, 7]", "class 7 is no text; quote it"),
        ("classes: [a]\nignor: 1", "unknown key 'ignor'"),
        ("classes: [a, : b", "not valid YAML"),
    ],
)
def test_a_bad_class_list_is_explained(own_folder, content, message):
    (own_folder / "classes.yaml").write_text(content)
    with pytest.raises(TaskError, match=message):
        segmentation.folder(own_folder)


def test_unknown_protocol_offers_the_nearest(dark_zurich):
    with pytest.raises(TaskError, match="did you mean similarity-minmax"):
        segmentation.dark_zurich(dark_zurich, "similarity-minmx")


@pytest.fixture
def real_labels(shared):
    """The 50 real label files in the corrected variant: file, `labelIds`, `labelTrainIds`."""
    from tasks.images import read_label

    files = sorted((shared / "data/nighttime_driving_labels").glob("*_labelIds.png"))
    assert len(files) == 50
    stored = [file.with_name(file.name.replace("labelIds", "labelTrainIds")) for file in files]
    return [(f, read_label(f), read_label(s)) for f, s in zip(files, stored, strict=True)]


@pytest.mark.shared
def test_real_nighttime_labels_give_train_ids(real_labels):
    """Facts of the shared folder's notes: 51.5 % void, no terrain, no motorcycle."""
    table = cityscapes.label_id_table()
    counts = np.zeros(256, np.int64)
    for _, ids, _ in real_labels:
        label = table[ids]
        assert label.shape == (1080, 1920)
        assert (label >= 0).all()
        counts += np.bincount(label.ravel(), minlength=256)
    assert counts[255] / counts.sum() == pytest.approx(0.515, abs=0.0005)
    absent = {cityscapes.CLASSES[i] for i in range(19) if not counts[i]}
    assert absent == {"terrain", "motorcycle"}


@pytest.mark.shared
def test_real_nighttime_train_ids_differ_where_labels_were_corrected(real_labels):
    """0.45 % of pixels, all in 15 files."""
    ids, train_ids = cityscapes.label_id_table(), cityscapes.train_id_table()
    differing = {}
    for file, label, stored in real_labels:
        assert (train_ids[stored] >= 0).all()
        if count := int((ids[label] != train_ids[stored]).sum()):
            differing[file.name.partition("_gtCoarse")[0]] = count
    assert sum(differing.values()) / (50 * 1080 * 1920) == pytest.approx(0.0045, abs=0.00005)
    assert len(differing) == 15
    # Of those that the authors of the corrections name.
    assert {f"0_frame_0{number}" for number in (205, 273, 304, 461, 604)} <= differing.keys()


@pytest.mark.shared
def test_the_tables_agree_with_a_slow_reading_of_real_labels(real_labels):
    """Cityscapes' published pairs of id and train id, looked up pixel by pixel."""
    published = dict(zip(
        (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33), range(19),
        strict=True,
    ))  # fmt: skip
    for _, ids, _ in real_labels[::10]:
        part = ids[::20, ::20]
        slow = [[published.get(int(value), 255) for value in row] for row in part]
        np.testing.assert_array_equal(cityscapes.label_id_table()[part], slow)
