"""Two ranks on their halves of a batch give what one rank gives on the whole."""

import json

import pytest
import torch

from pipeline.errors import PipelineError
from pipeline.ranks import Ranks
from tasks import stream


@pytest.fixture
def float64(monkeypatch):
    """Networks and images in float64, where only a wrong equation leaves a difference."""
    before, real = torch.get_default_dtype(), stream._tensor
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr(stream, "_tensor", lambda image: real(image).double())
    yield
    torch.set_default_dtype(before)


def log(folder):
    """The losses of the log's last line but for validation."""
    entries = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    losses = [entry for entry in entries if "loss" in entry][-1]
    return {key: losses[key] for key in losses if key not in ("phase", "seconds", "waiting")}


@pytest.mark.parametrize("name", ["zerodcepp", "zerodcepp+lfpv", "uretinex+lfpv"])
def test_two_ranks_equal_one(float64, train, two_ranks, last, name):
    small = {"data": {"crop": 16, "batch": 4}}
    one = train(name, "one", 3, **small)
    two_ranks(name, "two", 3, **small)
    two = one.with_name("two.training")
    ours, theirs = last(one), last(two)
    assert (ours["ranks"], theirs["ranks"]) == (1, 2)
    assert ours["model"].keys() == theirs["model"].keys()
    for key, value in ours["model"].items():
        # A bias of all keys alike has no gradient but rounding, of which Adam makes up to 1e-10.
        torch.testing.assert_close(value, theirs["model"][key], rtol=1e-9, atol=1e-10, msg=key)
    assert len(theirs["random"]) == 2
    assert not torch.equal(theirs["random"][0]["torch"], theirs["random"][1]["torch"])
    assert [path.name for path in one.iterdir()] == [path.name for path in two.iterdir()]
    assert log(one) == pytest.approx(log(two), rel=1e-9)


def test_a_batch_that_cannot_be_shared():
    Ranks(0, 2).require_divisible(6)
    with pytest.raises(PipelineError, match="data.batch is 3, which 2 ranks cannot share"):
        Ranks(0, 2).require_divisible(3)
