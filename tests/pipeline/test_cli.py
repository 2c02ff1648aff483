"""The command line as a user meets it: exit codes, one line for an error, files written."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import configs
from pipeline.cli import main
from pipeline.result import Result

from .conftest import NIGHT, NIGHT_GT, SEGMENTOR, TRAINED

FOLDER = "out/darkzurich/mmseg-cgnet_street19-segmentor"
IDENTITY = f"{FOLDER}/identity/result.json"


@pytest.fixture
def run_night(dark_zurich, segmentor, tmp_path):
    def run(*more, enhancer=("identity",), root=dark_zurich, weights=segmentor):
        where = ["--root", str(root), "--out", str(tmp_path / "out")]
        model = ["--evaluator", SEGMENTOR, "--evaluator-weights", str(weights)]
        chosen = ["--enhancer", *enhancer, "--task", "darkzurich", "--protocol", "mmseg"]
        return main(["run", *chosen, *where, *model, "--workers", "0", *more])

    return run


def error_line(capsys):
    """The one line of stderr."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("pipeline: error: ")
    return lines[0]


def test_run_writes_results_panels_and_a_table(run_night, tmp_path, capsys):
    trained = tmp_path / "segmentor.safetensors"
    shutil.copy(TRAINED, trained)
    names = ["identity", "gamma@0.6"]
    assert run_night("--save-images", "2", enhancer=names, weights=trained) == 0
    table = capsys.readouterr().out
    for text in ("identity", "gamma@0.6", "mIoU %", "the official split has 50"):
        assert text in table
    folder = tmp_path / FOLDER
    assert Result.read(folder / "gamma@0.6/result.json").enhancer == "gamma@0.6"
    panels = sorted((folder / "gamma@0.6/images").iterdir())
    assert 2 <= len(panels) <= 3
    assert Image.open(panels[0]).size[0] > 2 * 64
    # They are of one result: the next one starts without.
    assert run_night(enhancer=["gamma@0.6"], weights=trained) == 0
    assert not (folder / "gamma@0.6/images").exists()


def test_without_identity_the_first_images_have_panels(run_night, tmp_path):
    assert run_night("--save-images", "2", enhancer=["gamma@0.6"]) == 0
    frames = sorted((tmp_path / FOLDER / "gamma@0.6/images").iterdir())
    assert [frame.name[-20:-13] for frame in frames] == ["frame_000001"[-7:], "frame_000002"[-7:]]


def test_a_failure_keeps_the_results_before_it(run_night, tmp_path, capsys):
    Path("narrows.py").write_text("def enhance(image): return image[..., 1:]")
    assert run_night(enhancer=["identity", "python:narrows:enhance"]) == 2
    assert "frame_000001" in error_line(capsys)
    assert Result.read(tmp_path / IDENTITY).enhancer == "identity"


def test_what_shares_its_names_only_is_not_mixed(run_night, dark_zurich, tmp_path, capsys):
    assert run_night() == 0
    before = (tmp_path / IDENTITY).read_bytes()
    same_name = tmp_path / "other/segmentor.safetensors"
    same_name.parent.mkdir()
    shutil.copy(TRAINED, same_name)
    capsys.readouterr()
    assert run_night(enhancer=["identity"], weights=same_name) == 2
    assert "identity/result.json: is of another frozen model" in error_line(capsys)
    (dark_zurich / NIGHT.format(3)).unlink()
    (dark_zurich / NIGHT_GT.format(3)).unlink()
    assert run_night(enhancer=["gamma@0.6"]) == 2
    assert "is of another data" in error_line(capsys)
    assert (tmp_path / IDENTITY).read_bytes() == before


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["scii"], "did you mean sci"),
        (["sci+lfvp"], "only addition to a base is +lfpv"),
        (["lednet+lfpv@ours-lol"], "no trained nodes here"),
        (["identity+lfpv"], "no deep feature"),
        (["identity@x"], "takes nothing after @"),
        (["gamma@dark"], "needs a positive number"),
        (["gamma@-1"], "positive"),
        (["gamma"], "e.g. gamma@0.6"),
    ],
)
def test_wrong_enhancers(run_night, capsys, names, message):
    assert run_night(enhancer=names) == 2
    assert message in error_line(capsys)


def test_wrong_data(run_night, dark_zurich, tmp_path, capsys, save):
    assert run_night(root=tmp_path / "nowhere") == 2
    assert "no such folder" in error_line(capsys)
    (tmp_path / "empty").mkdir()
    assert run_night(root=tmp_path / "empty") == 2
    assert "has no rgb_anon/val/night" in error_line(capsys)
    save(dark_zurich / NIGHT_GT.format(1), np.full((48, 64), 77, np.uint8))
    assert run_night() == 2
    assert "unknown label id 77" in error_line(capsys)


def test_no_dataset_says_where_to_get_it(capsys):
    assert main(["run", "--enhancer", "identity", "--task", "darkzurich"]) == 2
    line = error_line(capsys)
    assert "--root" in line
    assert "--sample" in line


def test_wrong_evaluator_weights(run_night, tmp_path, segmentor, capsys):
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    assert run_night(weights=tmp_path / "other.pth") == 2
    line = error_line(capsys)
    assert "other.pth: does not fit" in line
    assert "is missing" in line
    torch.save(torch.nn.Linear(1, 1), tmp_path / "hostile.pth")
    assert run_night(weights=tmp_path / "hostile.pth") == 2
    assert "refused" in error_line(capsys)


def test_wrong_number_of_classes(signs, classifier, capsys, tmp_path):
    (signs / "classes.yaml").write_text("classes: [stop, yield]")
    arguments = ["--task", f"classification:{signs}", "--evaluator", "test_resnet"]
    weights = ["--evaluator-weights", str(classifier), "--out", str(tmp_path / "o")]
    assert main(["run", "--enhancer", "identity", *arguments, *weights]) == 2
    assert "the evaluator has 3 classes, the task 2" in error_line(capsys)


def test_unwritable_output_is_said_before_any_work(run_night, tmp_path, capsys):
    (tmp_path / "out").write_text("a file in the way")
    assert run_night() == 2
    assert "cannot be written" in error_line(capsys)


def test_unknown_options_and_numbers(capsys):
    for arguments in (["run"], ["run", "--batch-size", "0"], ["frobnicate"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2


def test_data_check_names_what_is_wrong(dark_zurich, capsys, save):
    (dark_zurich / NIGHT.format(1)).write_bytes(b"broken")
    save(dark_zurich / NIGHT_GT.format(2), np.full((48, 64), 99, np.uint8))
    save(dark_zurich / NIGHT_GT.format(3), np.zeros((4, 4), np.uint8))
    save(dark_zurich / NIGHT_GT.format(4), np.zeros((4, 4), np.uint8))
    assert main(["data", "check", "darkzurich", "--root", str(dark_zurich)]) == 2
    out = capsys.readouterr().out
    for text in (
        "val: 3 images, the official split has 50",
        "frame_000001_rgb_anon.png: cannot be read",
        "unknown label id 99",
        "is 4x4, its image is 64x48",
        "frame_000004_gt_labelTrainIds.png: label without an image",
    ):
        assert text in out


def test_data_check_names_what_it_leaves_out(tmp_path, capsys, save):
    save(tmp_path / "A/1.png", np.zeros((9, 9, 3), np.uint8))
    for name in ("A/notes.txt", "B/2.gif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "C").mkdir()
    main(["data", "check", f"classification:{tmp_path}"])
    first = tmp_path / "A/notes.txt"
    told = f"left out, for they are no images: 3 files or folders, e.g. {first}"
    assert told in capsys.readouterr().out.replace("\n", "")


def test_a_score_names_what_it_leaves_out(tmp_path, capsys, save):
    for name in ("low/1.png", "high/1.png"):
        save(tmp_path / name, np.full((20, 20, 3), 9, np.uint8))
    (tmp_path / "low/2.gif").write_bytes(b"x")
    arguments = ["--task", f"restoration:{tmp_path}", "--device", "cpu", "--workers", "0"]
    assert main(["run", "--enhancer", "identity", *arguments]) == 0
    told = f"left out, for they are no images: 1 files or folders, e.g. {tmp_path / 'low/2.gif'}"
    assert told in capsys.readouterr().out.replace("\n", "")


def test_data_unpack_and_what_is_wrong_with_it(tmp_path, capsys):
    arguments = ["data", "unpack", "codan", "--root", str(tmp_path)]
    assert main(arguments) == 2
    assert "holds no codan_" in error_line(capsys)
    with tarfile.open(tmp_path / "codan_val.tar.bz2", "w:bz2") as archive:
        (tmp_path / "1.jpg").write_bytes(b"x")
        archive.add(tmp_path / "1.jpg", "val/Cup/1.jpg")
    assert main(["run", "--enhancer", "identity", "--task", "codan", "--root", str(tmp_path)]) == 2
    assert "`pipeline data unpack codan" in error_line(capsys)
    assert main(arguments) == 0
    assert (tmp_path / "data/val/Cup/1.jpg").read_bytes() == b"x"
    assert main(arguments) == 2
    assert "is there already" in error_line(capsys)


def test_a_folder_where_a_file_is_meant(run_night, tmp_path, segmentor, capsys):
    (tmp_path / IDENTITY).mkdir(parents=True)
    assert run_night() == 2
    assert "result.json: is a folder" in error_line(capsys)
    data = ["--data", "lol", "--root", str(tmp_path)]
    for out, message in (("x.pth", "name it *.safetensors"), (".", "safetensors")):
        assert main(["train", "--enhancer", "sci", *data, "--out", out]) == 2
        assert message in error_line(capsys)


def test_data_list_names_every_task(capsys):
    assert main(["data", "list"]) == 0
    out = capsys.readouterr().out
    for text in ("codan", "darkzurich", "nighttime_driving", "Dark_Zurich_val_anon.zip"):
        assert text in out


def test_help_loads_nothing_heavy():
    code = (
        "import sys, pipeline.cli as c\n"
        "try: c.main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'mmseg', 'rich', 'yaml')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "usage: pipeline" in done.stdout


def test_a_command_loads_no_slow_library_that_it_may_not_need():
    slow = ("torchmetrics", "torchvision", "timm", "mmseg", "matplotlib", "scipy.stats")
    code = (
        "import sys, pipeline.commands.run, pipeline.commands.enhance, pipeline.commands.bench\n"
        f"sys.exit(', '.join(m for m in {slow} if m in sys.modules) or 0)"
    )
    here = configs.ROOT.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
