"""A training that was stopped gives what an uninterrupted one gives, bit for bit."""

import json
import multiprocessing
import os
import signal
import subprocess
import time

import pytest
import torch

from pipeline.checkpoints import read_checkpoint
from pipeline.errors import PipelineError
from pipeline.training import checkpoint
from pipeline.training.phase import PhaseRun

# URetinex's phases: 1 step of decomposition, 2 of unfolding, 1 of adjustment.
CASES = [
    ("sci+lfpv", 3, 5, {"training": {"ema": 0.9}}),
    ("zerodcepp", 2, 4, {"phase": {"schedule": {"kind": "cosine"}}}),
    ("enlightengan+lfpv", 1, 2, {}),
    ("uretinex+lfpv", 2, 4, {"data": {"crop": 16}}),
    ("uretinex+lfpv", 3, 4, {"data": {"crop": 16}}),
    ("ruas+lfpv", 3, 4, {}),
]


@pytest.mark.parametrize(("name", "stop", "steps", "changes"), CASES)
def test_resumed_equals_uninterrupted(train, last, equal, signal_at, name, stop, steps, changes):
    whole = train(name, "whole", steps, **changes)
    with signal_at(stop), pytest.raises(SystemExit):
        train(name, "parts", steps, **changes)
    parts = whole.with_name("parts.training")
    assert last(parts)["total"] == stop
    assert not parts.with_suffix(".safetensors").exists()
    train(name, "parts", steps, resume=True, **changes)
    assert equal(last(whole), last(parts))
    states = [read_checkpoint(f.with_suffix(".safetensors")).state for f in (whole, parts)]
    assert equal(*states)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_training_after_its_step(train, last, signal_at, capsys, number, code):
    handler = signal.getsignal(number)
    with signal_at(2, number), pytest.raises(SystemExit) as left:
        train("sci", steps=5)
    assert left.value.code == code
    assert capsys.readouterr().err == f"{number.name}: stopped and saved; --resume goes on\n"
    assert signal.getsignal(number) is handler


def test_the_log_goes_on_where_the_checkpoint_is(train, signal_at):
    often = {"training": {"log_every": 1}}
    with signal_at(3), pytest.raises(SystemExit):
        train("sci", steps=4, **often)
    folder = train("sci", steps=4, resume=True, **often)
    entries = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    assert [entry["step"] for entry in entries if "loss" in entry] == [1, 2, 3, 4]


def test_another_training_is_not_gone_on_from(train, signal_at):
    with signal_at(2), pytest.raises(SystemExit):
        train("sci+lfpv", steps=4)
    for changes, message in (
        ({"steps": 5}, "recipe.phases.0.steps is 5, it was 4"),
        ({"seed": 1}, "seed is 1, it was 0"),
        ({"training": {"ema": 0.9}}, "recipe.training.ema is 0.9, it was 0.0"),
        ({"supervision": "paired"}, "recipe.phases.0.objective is 'paired', it was 'sci'"),
    ):
        with pytest.raises(PipelineError, match=f"cannot go on from it: {message}"):
            train("sci+lfpv", **{"steps": 4, "resume": True} | changes)


def test_a_stopped_training_is_not_overwritten(train, equal, signal_at):
    with signal_at(2), pytest.raises(SystemExit):
        train("sci")
    with pytest.raises(PipelineError, match="was stopped; --resume goes on with it"):
        train("sci")
    weights = train("sci", resume=True).with_suffix(".safetensors")
    whole = read_checkpoint(weights).state
    with pytest.raises(PipelineError, match="w.safetensors: is there; name another --out"):
        train("sci", steps=3)
    # As after a kill between the last checkpoint and the weights.
    weights.unlink()
    with pytest.raises(PipelineError, match="was stopped; --resume goes on with it"):
        train("sci")
    train("sci", resume=True)
    assert equal(read_checkpoint(weights).state, whole)


def test_what_cannot_be_resumed(train, tmp_path):
    with pytest.raises(PipelineError, match="w.training: nothing to resume"):
        train("sci", resume=True)
    folder = train("sci", steps=2)
    (path,) = checkpoint.checkpoints(folder)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(PipelineError, match="step_00000002.pth: is no whole training checkpoint"):
        train("sci", steps=2, resume=True)
    torch.save({"recipe": Evil()}, path)
    with pytest.raises(PipelineError, match="is no whole training checkpoint"):
        train("sci", steps=2, resume=True)


class Evil:
    """A pickle that would run code."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_the_last_checkpoints_are_kept(train):
    folder = train("sci", steps=7, training={"save_every": 2, "keep": 3})
    names = [path.name for path in checkpoint.checkpoints(folder)]
    assert names == ["step_00000004.pth", "step_00000006.pth", "step_00000007.pth"]


def test_a_signal_to_all_processes_leaves_the_reading_ones_alone(train, last, monkeypatch):
    """As a scheduler sends it: the training ends after its step, not by a worker's death."""
    real = PhaseRun._after_step

    def ending(self, *given):
        for worker in multiprocessing.active_children():
            # From a third process: DataLoader takes its own parent's for a request to end.
            subprocess.run(["kill", "-TERM", str(worker.pid)], check=True)
        time.sleep(0.3)  # for a worker's death to be noticed
        os.kill(os.getpid(), signal.SIGTERM)
        return real(self, *given)

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(PhaseRun, "_after_step", ending)
        train("sci", steps=9, data={"workers": 1})
    folder = train("sci", steps=9, data={"workers": 1}, resume=True)
    assert last(folder)["total"] == 9
