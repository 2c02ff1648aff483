"""Two ranks on their halves of a batch give what one rank gives on the whole."""

import json

import pytest
import torch


@pytest.fixture
def float64():
    """The network in float64, where only a wrong equation leaves a difference."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def scores(folder):
    entries = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [entry["held_out.top1"] for entry in entries if "held_out.top1" in entry]


def test_two_ranks_equal_one(float64, train, two_ranks, colours, last):
    # LayerNorm: each rank would have BatchNorm statistics of its own.
    one = train("test_convnext", colours, "one", images={"resize": [32, 32]})
    two_ranks("test_convnext", colours, "two", images={"resize": [32, 32]})
    two = one.with_name("two.training")
    ours, theirs = last(one), last(two)
    assert (ours["ranks"], theirs["ranks"]) == (1, 2)
    for key, value in ours["model"].items():
        torch.testing.assert_close(value, theirs["model"][key], rtol=1e-8, atol=1e-9, msg=key)
    assert len(theirs["random"]) == 2
    assert scores(one) == scores(two)
    assert sorted(path.name for path in one.iterdir()) == sorted(p.name for p in two.iterdir())
