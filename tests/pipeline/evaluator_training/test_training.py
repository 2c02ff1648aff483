"""What `pipeline train-evaluator` does besides going on: it learns, validates, says how."""

import json

import numpy as np
import pytest
import timm
import torch

from pipeline import run
from pipeline.checkpoints import read_checkpoint
from pipeline.errors import PipelineError
from pipeline.training import checkpoint
from tasks.errors import TaskError
from tasks.trainable import TrainingLoss


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_classifier_learns(train, colours, capsys):
    folder = train("test_resnet", colours, epochs=20, training={"log_every": 1})
    losses = [entry["loss"] for entry in log(folder) if "loss" in entry]
    assert len(losses) == 60
    assert np.mean(losses[-6:]) < 0.3 < losses[0]
    # Run by hand, the last weights have the score that the last validation says.
    result = run(
        "identity",
        colours.replace("colours", "colours/val"),
        evaluator="test_resnet",
        evaluator_weights=folder.with_suffix(".safetensors"),
    )
    measured = [entry["held_out.top1"] for entry in log(folder) if "held_out.top1" in entry]
    assert len(measured) == 20
    assert result.headline[1].value == pytest.approx(100 * measured[-1])
    printed = capsys.readouterr().out
    assert f"val top1: {100 * measured[-1]:.2f} %, best {100 * max(measured):.2f} %" in printed
    assert "use: --evaluator test_resnet --evaluator-weights" in printed


def test_a_segmentor_learns_and_void_is_left_out(train, streets):
    fast = {"optimiser": {"kind": "adamw", "rate": 5e-3}, "training": {"log_every": 1}}
    folder = train("cgnet_street19", streets, epochs=12, **fast)
    losses = [entry["loss"] for entry in log(folder) if "loss" in entry]
    assert losses[-1] < 0.4 * losses[0]
    scores = [entry["held_out.mIoU"] for entry in log(folder) if "held_out.mIoU" in entry]
    result = run(
        "identity",
        streets.replace("streets", "streets/val"),
        evaluator="cgnet_street19.py",
        evaluator_weights=folder.with_suffix(".safetensors"),
    )
    assert result.headline[1].value == pytest.approx(100 * scores[-1], abs=1e-3)


def test_a_segmentor_is_validated_at_the_size_it_sees(train, streets):
    folder = train("cgnet_street19", streets, epochs=1, images={"resize": [16, 24]})
    header = read_checkpoint(folder.with_suffix(".safetensors")).header
    assert header["input_size"] == [16, 24]
    assert [entry for entry in log(folder) if "held_out.pixel_accuracy" in entry]


def test_the_header_says_how_it_was_made(train, colours):
    folder = train("test_resnet", colours, seed=5, images={"resize": [20, 20]})
    header = read_checkpoint(folder.with_suffix(".safetensors")).header
    assert header["evaluator"] == "test_resnet"
    assert header["classes"] == ["blue", "red"]
    assert header["input_size"] == [20, 20]
    assert (header["seed"], header["steps"], header["ranks"]) == (5, 6, 1)
    assert header["recipe"]["optimiser"]["kind"] == "adamw"
    assert header["data"]["name"] == colours and header["data"]["images"] == 12
    assert len(header["data"]["sha256"]) == 64
    assert header["environment"]["packages"]["torch"]
    assert "selected_on" not in header


def test_the_validation_split_chooses_the_best(train, colours, monkeypatch):
    from pipeline.evaluator_training.validation import Validation

    scores = iter([0.1, 0.7, 0.3])
    monkeypatch.setattr(Validation, "__call__", lambda self: {"top1": next(scores)})
    folder = train("test_resnet", colours, epochs=3)
    header = read_checkpoint(folder / "best.safetensors").header
    assert header["steps"] == 6
    assert header["selected_on"] == {
        "data": f"{colours} val", "images": 6, "metric": "top1", "score": 0.7}  # fmt: skip


def test_a_recipe_may_ask_for_the_best(train, colours, monkeypatch, capsys):
    from pipeline.evaluator_training.validation import Validation

    scores = iter([0.1, 0.7, 0.3])
    monkeypatch.setattr(Validation, "__call__", lambda self: {"top1": next(scores)})
    folder = train("test_resnet", colours, epochs=3, training={"weights": "best"})
    best = read_checkpoint(folder / "best.safetensors")
    written = read_checkpoint(folder.with_suffix(".safetensors"))
    assert written.header == best.header
    assert written.header["steps"] == 6
    assert all(torch.equal(best.state[key], value) for key, value in written.state.items())
    assert f"weights: {written.path}, the best on val" in capsys.readouterr().out
    with pytest.raises(PipelineError, match="has no val split"):
        train("test_resnet", colours + "/train", "other", training={"weights": "best"})


def test_without_a_validation_split(train, colours):
    folder = train("test_resnet", colours + "/train")
    assert not (folder / "best.safetensors").exists()
    assert not [entry for entry in log(folder) if "held_out.top1" in entry]


def test_the_seed_decides(train, colours):
    seeds = {"one": 1, "same": 1, "other": 2}
    folders = [train("test_resnet", colours, out, seed=seed) for out, seed in seeds.items()]
    one, same, other = (read_checkpoint(f.with_suffix(".safetensors")).state for f in folders)
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["conv1.0.weight"], other["conv1.0.weight"])


def test_it_may_start_from_a_file(train, colours, tmp_path):
    state = timm.create_model("test_resnet").state_dict()
    torch.save(state, tmp_path / "start.pth")
    # At this rate nothing moves but BatchNorm's statistics.
    still = {"optimiser": {"rate": 1e-30}, "schedule": {"kind": "constant"}}
    folder = train("test_resnet", colours, start=str(tmp_path / "start.pth"), **still)
    written = read_checkpoint(folder.with_suffix(".safetensors")).state
    assert torch.equal(written["conv1.0.weight"], state["conv1.0.weight"])
    with pytest.raises(PipelineError, match="none.pth: no such weights file"):
        train("test_resnet", colours, "b", start="none.pth")


def test_a_loss_that_is_not_finite_ends_it(train, colours, monkeypatch, tmp_path):
    real, calls = TrainingLoss.forward, iter(range(1, 100))

    def forward(self, image, target):
        return real(self, image, target) * (float("nan") if next(calls) == 5 else 1.0)

    monkeypatch.setattr(TrainingLoss, "forward", forward)
    with pytest.raises(PipelineError) as error:
        train("test_resnet", colours)
    good = tmp_path / "w.training/step_00000003.pth"
    assert "step 5: the loss is nan" in str(error.value)
    assert f"the last good checkpoint is {good}. Lower the optimiser's rate" in str(error.value)
    assert all(value.isfinite().all() for value in checkpoint.read(good)["model"].values())


def test_mixed_precision(train, colours, last):
    whole, mixed = (last(train("test_resnet", colours, str(amp), amp=amp)) for amp in (False, True))
    key = "conv1.0.weight"
    assert mixed["model"][key].dtype == torch.float32
    assert not torch.equal(whole["model"][key], mixed["model"][key])
    torch.testing.assert_close(whole["model"][key], mixed["model"][key], atol=3e-2, rtol=0)


def test_the_schedule_drives_rate_and_momentum(train, colours, last):
    folder = train("test_resnet", colours, training={"log_every": 1})
    group = last(folder)["engine"]["updates"]["model"]["optimiser"]["param_groups"][0]
    weights = [torch.nn.Parameter(torch.zeros(1))]
    optimizer = torch.optim.AdamW(weights, 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, 6)
    rates = []
    for _ in range(6):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert [entry["rate"] for entry in log(folder) if "rate" in entry] == pytest.approx(rates)
    assert group["betas"] == pytest.approx(optimizer.param_groups[0]["betas"])


def test_bad_data_is_named(train, colours, tmp_path):
    broken = tmp_path / "colours/train/red/3.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(TaskError, match=r"red/3\.png: cannot be read as an image"):
        train("test_resnet", colours, data={"batch": 4, "workers": 1})
    with pytest.raises(PipelineError, match="is for classification: a timm model"):
        train("cgnet_street19", colours)
