from pathlib import Path

import numpy as np
import pytest

from tasks.array_scenes import SDSD_TEST, SMID_TEST
from tasks.errors import TaskError
from tasks.training_sets import LAYOUTS, training_set

PIXELS = np.zeros((4, 5, 3), np.uint8)

# Layout: files (braces as in a shell), training pairs, pairs held out.
GOOD = {
    "lol": (
        ["our485/{low,high}/{1,2}.png", "eval15/low/3.webp", "eval15/high/3.png"],
        ["our485/low/1.png our485/high/1.png", "our485/low/2.png our485/high/2.png"],
        ["eval15/low/3.webp eval15/high/3.png"],
    ),
    "lolv2_real": (
        [
            "Real_captured/Train/Low/low001.png",
            "Real_captured/Train/Normal/normal001.png",
            "Real_captured/Test/{Low,Normal}/009.png",
        ],
        ["Real_captured/Train/Low/low001.png Real_captured/Train/Normal/normal001.png"],
        ["Real_captured/Test/Low/009.png Real_captured/Test/Normal/009.png"],
    ),
    "lolv2_synthetic": (
        ["Synthetic/Train/{Low,Normal}/r1t.png", "Synthetic/Test/{Low,Normal}/r2t.png"],
        ["Synthetic/Train/Low/r1t.png Synthetic/Train/Normal/r1t.png"],
        ["Synthetic/Test/Low/r2t.png Synthetic/Test/Normal/r2t.png"],
    ),
    "lolblur": (
        [
            "train/{low_blur,low_blur_noise,high_sharp_scaled}/{0012,0017}/0001.png",
            "test/{low_blur,high_sharp_scaled}/0020/0001.png",
        ],
        [
            "train/low_blur/0012/0001.png train/high_sharp_scaled/0012/0001.png",
            "train/low_blur/0017/0001.png train/high_sharp_scaled/0017/0001.png",
        ],
        ["test/low_blur/0020/0001.png test/high_sharp_scaled/0020/0001.png"],
    ),
    "lolblur_noise": (
        ["{train,test}/{low_blur_noise,high_sharp_scaled}/0012/0001.png"],
        ["train/low_blur_noise/0012/0001.png train/high_sharp_scaled/0012/0001.png"],
        ["test/low_blur_noise/0012/0001.png test/high_sharp_scaled/0012/0001.png"],
    ),
    "sid": (
        [
            "short_sid2/00001/00001_0{0,1}_0.1s.npy",
            "long_sid2/00001/00001_00_{10,30}s.npy",
            "{short,long}_sid2/{10003,20001}/a.npy",
        ],
        [
            "short_sid2/00001/00001_00_0.1s.npy long_sid2/00001/00001_00_10s.npy",
            "short_sid2/00001/00001_01_0.1s.npy long_sid2/00001/00001_00_10s.npy",
            "short_sid2/20001/a.npy long_sid2/20001/a.npy",
        ],
        ["short_sid2/10003/a.npy long_sid2/10003/a.npy"],
    ),
    "smid": (
        [
            "SMID_LQ_np/{0001,0007}/000{1,2}.npy",
            "SMID_Long_np/0001/0001{_half,}.npy",
            "SMID_Long_np/0007/0007.npy",
        ],
        [f"SMID_LQ_np/0001/{i}.npy SMID_Long_np/0001/0001.npy" for i in ("0001", "0002")],
        [f"SMID_LQ_np/0007/{i}.npy SMID_Long_np/0007/0007.npy" for i in ("0001", "0002")],
    ),
    "sdsd_indoor": (
        ["indoor_static_np/{input,GT}/{pair1,pair1_2,pair12}/0001.npy"],
        ["indoor_static_np/input/pair12/0001.npy indoor_static_np/GT/pair12/0001.npy"],
        [
            f"indoor_static_np/input/{s}/0001.npy indoor_static_np/GT/{s}/0001.npy"
            for s in ("pair1", "pair1_2")
        ],
    ),
    "sdsd_outdoor": (
        ["outdoor_static_np/{input,GT}/MVI_{0898,0899}/0001.npy"],
        ["outdoor_static_np/input/MVI_0899/0001.npy outdoor_static_np/GT/MVI_0899/0001.npy"],
        ["outdoor_static_np/input/MVI_0898/0001.npy outdoor_static_np/GT/MVI_0898/0001.npy"],
    ),
    "paired": (
        ["low/{1.jpg,2.npy}", "high/{1.bmp,2.png}"],
        ["low/1.jpg high/1.bmp", "low/2.npy high/2.png"],
        [],
    ),
}  # fmt: skip

# Layout: files to take away from a good one, files to put there, what is said.
WRONG = [
    ("lol", ["eval15"], [], "has no eval15/low/, eval15/high/; expected our485/low/, our485"),
    ("lol", ["our485/high/1.png"], [], "1 files have no partner: 1.png in our485/low$"),
    ("lol", ["our485/low/1.png", "our485/low/2.png"], [], "our485/low: no images in it"),
    ("lolv2_real", ["Real_captured/Test/Normal"], [], "no Real_captured/Test/Normal/; expected"),
    ("lolv2_real", [], ["Real_captured/Train/Low/low002.png"], "1 files .* low002.png in Real_"),
    ("lolv2_real", [], ["Real_captured/Train/Low/001.png"], "low001.png: shares its name with 001"),
    ("lolv2_synthetic", ["Synthetic"], [], "has no Synthetic/Train/Low/, Synthetic/Train/Normal"),
    ("lolv2_synthetic", [], ["Synthetic/Test/Low/x.png"], "1 files .*: x.png in Synthetic/Test"),
    ("lolv2_synthetic", ["Synthetic/Train/Low/r1t.png"], [], "Synthetic/Train/Low: no images"),
    ("lolblur", ["train/low_blur"], [], "has no train/low_blur/; expected"),
    ("lolblur", [], ["train/low_blur/0012/0002.png"], "0002.png in train/low_blur/0012$"),
    ("lolblur", ["train/low_blur/0012/0001.png"], [], "train/low_blur/0012: no images in it"),
    ("lolblur_noise", ["test/low_blur_noise/0012"], [], "noise: expected a folder for every scene"),
    ("sid", ["long_sid2"], [], "has no long_sid2/; expected short_sid2/, long_sid2/"),
    ("sid", [], ["short_sid2/00009/a.npy"], "1 scenes have no partner: 00009 in short_sid2$"),
    ("sid", ["short_sid2/00001", "short_sid2/20001", "long_sid2/00001", "long_sid2/20001"], [],
     "sid: no images to train on"),
    ("smid", ["SMID_LQ_np"], [], "has no SMID_LQ_np/; expected"),
    ("smid", ["SMID_Long_np/0007"], [], "1 scenes have no partner: 0007 in SMID_LQ_np$"),
    ("smid", ["SMID_Long_np/0001/0001.npy"], [], "1 scenes have no long exposure: 0001$"),
    ("sdsd_indoor", ["indoor_static_np/GT"], [], "has no indoor_static_np/GT/; expected"),
    ("sdsd_indoor", [], ["indoor_static_np/GT/pair3/0001.npy"], "pair3 in indoor_static_np/GT$"),
    ("sdsd_indoor", [], ["indoor_static_np/GT/pair12/0002.npy"], "1 files .* 0002.npy in indoor_"),
    ("sdsd_outdoor", ["outdoor_static_np/input/MVI_0899/0001.npy"], [], "MVI_0899: no images"),
    ("paired", ["high"], [], "has no high/; expected low/, high/"),
    ("paired", [], [f"low/{i}.png" for i in range(3, 10)],
     "7 files have no partner: 3.png in low, 4.png in low, .*, 7.png in low, …$"),
    ("paired", [], ["low/1.npy"], "1.npy: shares its name with 1.jpg; remove one|1.jpg: shares"),
]  # fmt: skip


@pytest.fixture
def make(tmp_path, save):
    """make(["a/{b,c}/x.png", …]): write those images and arrays below the returned folder."""

    def write(patterns):
        for path in (path for pattern in patterns for path in expanded(pattern)):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, PIXELS) if file.suffix == ".npy" else save(file, PIXELS)
        return tmp_path

    return write


def expanded(pattern):
    if "{" not in pattern:
        return [pattern]
    start, _, rest = pattern.partition("{")
    names, _, end = rest.partition("}")
    return [path for name in names.split(",") for path in expanded(start + name + end)]


def remove(path):
    for file in [path] if path.is_file() else path.rglob("*.*"):
        file.unlink()
    for folder in sorted([path, *path.rglob("*")], reverse=True):
        if folder.is_dir():
            folder.rmdir()


def shown(pairs, root):
    return [" ".join(str(Path(path).relative_to(root)) for path in pair) for pair in pairs]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_layout_is_read(make, name):
    files, train, held_out = GOOD[name]
    root = make(files)
    data = training_set(name, root)
    assert data.name == name and data.paired
    assert shown(zip(data.low, data.normal, strict=True), root) == train
    assert shown(((pair.low, pair.normal) for pair in data.held_out), root) == held_out


@pytest.mark.parametrize("name, away, there, message", WRONG)
def test_a_wrong_layout_is_refused_by_name(make, name, away, there, message):
    root = make(GOOD[name][0])
    for path in away:
        remove(root / path)
    make(there)
    with pytest.raises(TaskError, match=message):
        training_set(name, root)


def test_sice_is_one_flat_folder_without_targets(make, tmp_path):
    data = training_set("sice", make(["{1,2,10}.jpg"]))
    assert [path.name for path in data.low] == ["1.jpg", "10.jpg", "2.jpg"]
    assert data.normal == data.held_out == ()


@pytest.mark.parametrize(
    "files, message",
    [
        (["001/1.jpg"], "no images in it"),
        (["1.jpg", "1.png"], "shares its name"),
        ([], "no images"),
    ],
)
def test_a_wrong_sice_is_refused(make, files, message):
    with pytest.raises(TaskError, match=message):
        training_set("sice", make(files))


@pytest.mark.parametrize("low, normal", [("low", "normal"), ("trainA", "trainB")])
def test_unpaired_folders_are_never_matched(make, low, normal):
    root = make([f"{low}/{{a,b,c}}.png", f"{normal}/{{a,x}}.jpg"])
    data = training_set("unpaired", root)
    assert not data.paired
    assert [path.name for path in data.low] == ["a.png", "b.png", "c.png"]
    assert [path.name for path in data.normal] == ["a.jpg", "x.jpg"]


@pytest.mark.parametrize(
    "files, message",
    [
        (["low/a.png"], "has no normal/; expected low/, normal/"),
        (["trainA/a.png", "normal/a.png"], "has no trainB/; expected trainA/, trainB/"),
        (["low/a.png", "normal/a.txt.zip"], "normal: no images in it"),
    ],
)
def test_wrong_unpaired_folders_are_refused(tmp_path, save, files, message):
    for file in files:
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        save(path, PIXELS) if path.suffix == ".png" else path.touch()
    with pytest.raises(TaskError, match=message):
        training_set("unpaired", tmp_path)


def test_an_unknown_layout_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(TaskError, match="no training set 'LOL'; there are lol, lolv2_real,"):
        training_set("LOL", tmp_path)
    assert {*GOOD, "sice", "unpaired"} == {*LAYOUTS}


def test_hidden_files_are_no_scenes(make):
    root = make(GOOD["sid"][0])
    (root / "short_sid2/.cache").mkdir()
    (root / "short_sid2/00001/._00001_00_0.1s.npy").touch()
    assert len(training_set("sid", root).low) == 3


def test_the_published_test_scenes_are_complete():
    assert len(SMID_TEST) == 49
    assert {part: len(scenes) for part, scenes in SDSD_TEST.items()} == {"indoor": 6, "outdoor": 10}


@pytest.mark.shared
def test_real_data_is_read(shared):
    lol = training_set("lol", shared / "data/LOL")
    assert (len(lol.low), len(lol.held_out)) == (162, 15)
    assert len(training_set("sice", shared / "data/sice_part1").low) == 201
