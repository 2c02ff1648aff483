"""A training that was stopped gives what an uninterrupted one gives, bit for bit."""

import json
import signal

import pytest

from pipeline.checkpoints import read_checkpoint
from pipeline.errors import PipelineError

STEPWISE = {
    "optimiser": {"kind": "sgd", "rate": 0.01, "weight_decay": 1e-4},
    "schedule": {"kind": "step", "every": 1},
}
# RefineNet has dropout, so that torch's generator must go on where it was.
CASES = [
    ("test_resnet", "colours", 2, {}),
    ("test_resnet", "colours", 4, STEPWISE | {"data": {"batch": 4, "workers": 2}}),
    ("refinenet_r18", "streets", 2, STEPWISE | {"images": {"scale": [0.8, 1.2], "crop": [24, 24]}}),
]


@pytest.mark.parametrize(("model", "data", "stop", "changes"), CASES)
def test_resumed_equals_uninterrupted(
    request, train, last, equal, signal_at, model, data, stop, changes
):
    data = request.getfixturevalue(data)
    whole = train(model, data, "whole", **changes)
    with signal_at(stop), pytest.raises(SystemExit):
        train(model, data, "parts", **changes)
    parts = whole.with_name("parts.training")
    assert last(parts)["total"] == stop
    assert not parts.with_suffix(".safetensors").exists()
    train(model, data, "parts", resume=True, **changes)
    assert equal(last(whole), last(parts))
    states = [read_checkpoint(f.with_suffix(".safetensors")).state for f in (whole, parts)]
    assert equal(*states)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_training_after_its_step(train, colours, signal_at, capsys, number, code):
    handler = signal.getsignal(number)
    with signal_at(2, number), pytest.raises(SystemExit) as left:
        train("test_resnet", colours)
    assert left.value.code == code
    assert capsys.readouterr().err == f"{number.name}: stopped and saved; --resume goes on\n"
    assert signal.getsignal(number) is handler


def test_the_log_goes_on_where_the_checkpoint_is(train, colours, signal_at):
    often = {"training": {"log_every": 1}}
    with signal_at(3), pytest.raises(SystemExit):
        train("test_resnet", colours, **often)
    folder = train("test_resnet", colours, resume=True, **often)
    entries = list(map(json.loads, (folder / "log.jsonl").read_text().splitlines()))
    assert [entry["step"] for entry in entries if "loss" in entry] == [1, 2, 3, 4, 5, 6]
    assert [entry["step"] for entry in entries if "held_out.top1" in entry] == [3, 6]


def test_another_training_is_not_gone_on_from(train, colours, signal_at):
    with signal_at(2), pytest.raises(SystemExit):
        train("test_resnet", colours)
    for changes, message in (
        ({"epochs": 5}, "recipe.epochs is 5, it was 2"),
        ({"seed": 1}, "seed is 1, it was 0"),
        ({"images": {"flip": False}}, "recipe.images.flip is False, it was True"),
    ):
        with pytest.raises(PipelineError, match=f"cannot go on from it: {message}"):
            train("test_resnet", colours, resume=True, **changes)
    with pytest.raises(PipelineError, match="was stopped; --resume goes on with it"):
        train("test_resnet", colours)


def test_there_is_nothing_to_resume(train, colours):
    with pytest.raises(PipelineError, match="w.training: nothing to resume"):
        train("test_resnet", colours, resume=True)
