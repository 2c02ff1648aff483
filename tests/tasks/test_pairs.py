from pathlib import Path

import numpy as np
import pytest

from tasks.errors import TaskError
from tasks.pairs import Pair, TrainingSet, listed, paired_files, paired_set


@pytest.fixture
def lol(tmp_path, rng, save):
    for index in range(4):
        low = rng.integers(0, 100, (40, 50, 3), dtype=np.uint8)
        save(tmp_path / f"our485/low/{index}.png", low)
        save(tmp_path / f"our485/high/{index}.bmp", low + 100)
    return tmp_path


def test_pairs_are_matched_by_stem_whatever_the_format(lol):
    assert paired_files(lol / "our485") == [
        Pair(lol / f"our485/low/{i}.png", lol / f"our485/high/{i}.bmp") for i in range(4)
    ]


def test_files_without_a_partner_are_named(lol, save):
    save(lol / "our485/low/lonely.png", np.zeros((40, 50, 3), np.uint8))
    with pytest.raises(TaskError, match="1 files have no partner: lonely.png in low$"):
        paired_files(lol / "our485")
    (lol / "our485/low/0.png").unlink()
    with pytest.raises(TaskError, match="2 files have no partner: 0.bmp in high, lonely.png in"):
        paired_files(lol / "our485")


def test_an_error_lists_the_first_names_only():
    assert listed(list("abcde")) == "a, b, c, d, e"
    assert listed(list("abcdef")) == "a, b, c, d, e, …"


def test_a_training_set_is_not_empty(tmp_path):
    with pytest.raises(TaskError, match="^mine: no images to train on$"):
        paired_set("mine", [])
    with pytest.raises(TaskError, match="^mine: no images to train on$"):
        TrainingSet("mine", ())


def test_a_paired_set_can_be_used_as_an_unpaired_one(lol):
    pairs = paired_files(lol / "our485")
    data = paired_set("lol", pairs[1:], pairs[:1])
    assert data.paired and data.held_out == (pairs[0],)
    assert [Pair(*both) for both in zip(data.low, data.normal, strict=True)] == pairs[1:]
    loose = data.unpaired()
    assert not loose.paired
    assert (loose.low, loose.normal, loose.held_out) == (data.low, data.normal, data.held_out)


def test_validation_pairs_are_taken_evenly_from_those_to_train_on():
    pairs = [Pair(Path(f"low/{i}"), Path(f"high/{i}")) for i in range(10)]
    data = paired_set("mine", pairs, [Pair(Path("low/test"), Path("high/test"))])
    split = data.with_validation(2)
    assert split.held_out == (pairs[2], pairs[7])
    assert [Pair(*both) for both in zip(split.low, split.normal, strict=True)] == [
        pair for pair in pairs if pair not in split.held_out
    ]
    assert len(data.with_validation(9).low) == 1


@pytest.mark.parametrize("paired", [True, False])
def test_validation_leaves_something_to_train_on(paired):
    files = tuple(Path(str(i)) for i in range(3))
    data = TrainingSet("mine", files, files, paired=paired)
    with pytest.raises(TaskError, match="^mine: cannot hold out 3 of its 3 .*data.validation"):
        data.with_validation(3)
    if not paired:
        with pytest.raises(TaskError, match="unpaired images"):
            data.with_validation(1)
