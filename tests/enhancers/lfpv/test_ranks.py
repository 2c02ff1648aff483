"""Two ranks train as one does on their joined batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.enhancers.lfpv import ranks

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    """What each of two ranks saw."""
    folder = tmp_path_factory.mktemp("ranks")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    outs = [folder / f"{rank}.pt" for rank in range(2)]
    processes = [
        subprocess.Popen(
            [sys.executable, ranks.__file__, str(rank), "2", folder / "rendezvous", out],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, out in enumerate(outs)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    return [torch.load(out, weights_only=True) for out in outs]


@pytest.mark.parametrize("case", ranks.CASES)
def test_nodes_are_identical_on_both_ranks_at_every_step(joined, case):
    first, second = (rank[case]["nodes"] for rank in joined)
    for one, other in zip(first, second, strict=True):
        assert one[0].any()
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert not torch.equal(first[0][0], first[-1][0])


@pytest.mark.parametrize("case", ranks.CASES)
def test_two_ranks_are_one_on_the_joined_batch(joined, case):
    single = ranks.train(case, 0, 1)
    for rank in joined:
        got = rank[case]
        for key in ("nodes", "gradients"):
            for step, expected in zip(got[key], single[key], strict=True):
                for one, other in zip(step, expected, strict=True):
                    assert torch.allclose(one, other, rtol=0, atol=1e-9), key
        for one, other in zip(got["parameters"], single["parameters"], strict=True):
            assert torch.allclose(one, other, rtol=0, atol=1e-9)
    losses = torch.stack([torch.stack(rank[case]["loss"]) for rank in joined]).mean(0)
    assert torch.allclose(losses, torch.stack(single["loss"]), rtol=0, atol=1e-9)


def test_samples_come_in_the_order_of_their_images(joined):
    for rank in joined:
        assert rank["order"].tolist() == [2, 2, 2, 4, 4, 4, 7, 7, 7, 9, 9, 9]


def test_an_uncaught_difference_would_show(joined):
    """The ranks' own losses differ, so the equality above is not that of two equal halves."""
    first, second = (torch.stack(rank["sci"]["loss"]) for rank in joined)
    assert (first - second).abs().min() > 1e-4
