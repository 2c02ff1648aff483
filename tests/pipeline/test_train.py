"""`pipeline train` and `train-evaluator`, to files that `run` can use."""

import os
import signal
import sys
import types

import pytest
import torch
import yaml

import configs
from enhancers.errors import EnhancerError
from enhancers.lfpv import LFPVEnhancer
from pipeline import create_enhancer
from pipeline.checkpoints import read_checkpoint
from pipeline.cli import main
from pipeline.errors import PipelineError
from pipeline.training.phase import PhaseRun

from .conftest import SEGMENTOR
from .test_cli import error_line


@pytest.fixture
def recipe(tmp_path):
    """A recipe file with changes, e.g. recipe("sci", supervision="paired")."""

    def write(base, **changes):
        path = configs.ROOT / "enhancers" / f"{base}_short.yaml"
        content = yaml.safe_load(path.read_text())
        content |= {"data": {"batch": 2, "crop": 24, "workers": 0}, **changes}
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


@pytest.fixture
def train(lol, recipe):
    def run(name, *more, **changes):
        config = recipe(name.split("+")[0], **changes)
        where = ["--data", "lol", "--root", str(lol), "--config", str(config)]
        return main(["train", "--enhancer", name, *where, "--steps", "3", *more])

    return run


@pytest.mark.parametrize("supervision", ["own", "paired"])
@pytest.mark.parametrize("name", ["sci", "sci+lfpv", "zerodcepp", "zerodcepp+lfpv"])
def test_a_bare_name_finds_what_was_trained(train, monkeypatch, tmp_path, name, supervision):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(tmp_path / "w"))
    assert train(name, "--supervision", supervision) == 0
    model = create_enhancer(name)
    assert isinstance(model, LFPVEnhancer) == name.endswith("+lfpv")
    image = torch.rand(1, 3, 33, 47)
    with torch.inference_mode():
        enhanced = model(image)
    assert enhanced.shape == image.shape
    assert 0 <= enhanced.min() <= enhanced.max() <= 1
    checkpoint = read_checkpoint(tmp_path / "w" / f"{name}@ours-lol.safetensors")
    assert checkpoint.header["enhancer"] == name
    assert checkpoint.header["recipe"]["supervision"] == supervision
    assert checkpoint.header["recipe"]["phases"][0]["steps"] == 3
    assert not [key for key in checkpoint.state if "updater" in key]


def test_the_seed_decides(train, tmp_path):
    for file, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        train("sci+lfpv", "--out", str(tmp_path / f"{file}.safetensors"), "--seed", seed)
    a, b, c = (read_checkpoint(tmp_path / f"{file}.safetensors").state for file in "abc")
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not torch.equal(a["store.vectors"], c["store.vectors"])


def test_a_missing_extra_is_named(train, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    out = str(tmp_path / "w.safetensors")
    assert train("sci", "--out", out, "--tensorboard", str(tmp_path / "tb")) == 2
    assert "pip install 'llie-pipeline[tensorboard]'" in error_line(capsys)


def test_losses_and_images_go_to_tensorboard(train, monkeypatch, tmp_path):
    written, pictures = [], []

    class Writer:
        def __init__(self, folder, purge_step):
            self.folder = folder

        def add_scalar(self, name, value, step):
            written.append((self.folder, name, step))

        def add_images(self, name, images, step):
            pictures.append((name, tuple(images.shape), step))

        def flush(self):
            pass

        def close(self):
            written.append("closed")

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    folder = str(tmp_path / "tb")
    more = ("--out", str(tmp_path / "w.safetensors"), "--tensorboard", folder)
    assert train("sci+lfpv", *more, training={"log_every": 1}) == 0
    scalars = {(folder, name, step) for name in ("plain", "lfpv") for step in (1, 2, 3)}
    assert scalars | {(folder, "held_out.lfpv.psnr", 3), "closed"} <= set(written)
    assert {name for name, _, _ in pictures} == {
        "images/input", "images/plain", "images/lfpv", "images/target"}  # fmt: skip
    assert {shape for _, shape, _ in pictures} == {(2, 3, 24, 24)}


def test_weights_of_another_enhancer_or_without_nodes(train, tmp_path):
    path = tmp_path / "plain.safetensors"
    train("sci", "--out", str(path))
    with pytest.raises(EnhancerError, match=r"weights of sci, not of zerodcepp"):
        create_enhancer("zerodcepp", pretrained=path)
    with pytest.raises(EnhancerError, match=r"weights of sci, not of sci\+lfpv"):
        create_enhancer("sci+lfpv", pretrained=path)


@pytest.mark.shared
def test_released_weights_hold_no_nodes(shared):
    path = shared / "reference/weights/sci/easy.pt"
    assert create_enhancer("sci", pretrained=path)
    with pytest.raises(EnhancerError, match=r"easy\.pt: holds no trained nodes"):
        create_enhancer("sci+lfpv", pretrained=path)
    with pytest.raises(EnhancerError, match=r"easy\.pt: these weights do not fit ZeroDCEpp"):
        create_enhancer("zerodcepp", pretrained=path)


@pytest.mark.shared
def test_listed_names_of_released_weights(shared, monkeypatch):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(shared / "reference/weights"))
    assert create_enhancer("zerodcepp@Epoch99").scale_factor == 12
    assert create_enhancer("zerodcepp@Epoch99-sf1").scale_factor == 1
    assert create_enhancer("zerodcepp", "Epoch99", script_crop=True).script_crop
    with pytest.raises(EnhancerError, match="wrong option"):
        create_enhancer("sci@easy", colour="red")
    with pytest.raises(PipelineError, match="did you mean sci@medium"):
        create_enhancer("sci@mediun")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surprise": 1}, "recipe.yaml: surprise is no known key"),
        ({"data": {"batch": 2, "crop": 64, "workers": 0}}, "smaller than the crop 64"),
        ({"network": {"depth": 3}}, "wrong option"),
        ({"lfpv": {"nodes": 1}}, "nodes >= 2"),
        ({"lfpv": {"normalize": "no"}}, "normalize must be true or false"),
    ],
)
def test_wrong_recipes(train, capsys, changes, message):
    assert train("sci+lfpv", **changes) == 2
    assert message in error_line(capsys)


def test_a_stopped_training_goes_on(train, tmp_path, monkeypatch, capsys):
    out = ("--out", str(tmp_path / "w.safetensors"))
    real = PhaseRun._after_step

    def interrupted(*given):
        os.kill(os.getpid(), signal.SIGINT)
        return real(*given)

    with monkeypatch.context() as patched, pytest.raises(SystemExit) as left:
        patched.setattr(PhaseRun, "_after_step", interrupted)
        train("sci", *out)
    assert left.value.code == 130
    capsys.readouterr()
    assert train("sci", *out) == 2
    assert "--resume goes on with it" in error_line(capsys)
    assert train("sci", *out, "--resume") == 0
    assert read_checkpoint(tmp_path / "w.safetensors").header["steps"] == 3


def test_what_cannot_be_trained(train, capsys, lol):
    arguments = ["--data", "lol", "--root", str(lol)]
    for name, message in (("identity", "nothing to train"), ("sci@easy", "training starts anew")):
        assert main(["train", "--enhancer", name, *arguments]) == 2
        assert message in error_line(capsys)
    assert main(["train", "--enhancer", "sci", "--data", "lil"]) == 2
    assert "unknown training data 'lil'" in error_line(capsys)


def test_an_evaluator_for_a_users_folder(signs, tmp_path, capsys):
    out = tmp_path / "e.safetensors"
    data = f"classification:{signs}"
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "epochs: 1\ndata: {batch: 4}\nimages: {resize: [24, 24]}\noptimiser: {rate: 1.0e-3}\n"
    )
    options = ["--data", data, "--config", str(recipe), "--out", str(out)]
    assert main(["train-evaluator", "test_resnet", *options]) == 0
    header = read_checkpoint(out).header
    assert header["classes"] == ["stop", "yield"]
    assert header["input_size"] == [24, 24]
    chosen = ["--task", data, "--evaluator", "test_resnet", "--evaluator-weights", str(out)]
    where = ["--out", str(tmp_path / "o"), "--workers", "0"]
    assert main(["run", "--enhancer", "identity", *chosen, *where]) == 0
    assert "top1 %" in capsys.readouterr().out


def test_wrong_evaluators(signs, tmp_path, capsys):
    options = ["--out", str(tmp_path / "e.safetensors"), "--data"]
    data = f"classification:{signs}"
    assert main(["train-evaluator", "resnet1818", *options, data]) == 2
    assert "neither a timm model nor a config" in error_line(capsys)
    assert main(["train-evaluator", SEGMENTOR, *options, data]) == 2
    assert "is for classification: a timm model" in error_line(capsys)
    assert main(["train-evaluator", "resnet18", *options, "cifar"]) == 2
    assert "unknown training data 'cifar'" in error_line(capsys)
