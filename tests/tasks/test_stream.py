import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch

from tasks.augmentation import Augmentation
from tasks.errors import TaskError
from tasks.pairs import Pair, TrainingSet, paired_set
from tasks.stream import RankSampler, Stream, TrainingSample, batches, whole

BATCH, STEPS = 4, 5


@pytest.fixture
def pairs(tmp_path, rng, save):
    """Four pairs; normal is low plus 100, so that a pair can be told from its crop."""
    found = []
    for index in range(4):
        low = rng.integers(0, 100, (40, 50, 3), dtype=np.uint8)
        files = save(tmp_path / f"low/{index}.png", low), tmp_path / f"high/{index}.npy"
        files[1].parent.mkdir(exist_ok=True)
        np.save(files[1], low[..., ::-1] + 100)
        found.append(Pair(*files))
    return found


def stream(pairs, seed=0, length=BATCH * STEPS, **augmentation):
    data = pairs if isinstance(pairs, TrainingSet) else paired_set("test", pairs)
    return Stream(data, Augmentation(**({"crop": 16} | augmentation)), length, seed)


def drawn(data, **options):
    return list(batches(data, **({"batch": BATCH, "workers": 0} | options)))


def same(ours, theirs):
    return len(ours) == len(theirs) and all(
        torch.equal(a, b)
        for x, y in zip(ours, theirs, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_a_batch_holds_partners_and_their_places(pairs):
    found = drawn(stream(pairs, rotations=True))
    assert len(found) == STEPS
    for step, (low, normal, index) in enumerate(found):
        assert low.shape == (BATCH, 3, 16, 16) and low.dtype == torch.float32
        torch.testing.assert_close(normal, low + 100 / 255)
        assert index.tolist() == list(range(step * BATCH, (step + 1) * BATCH))


def test_samples_are_those_of_earlier_trainings(pairs):
    """Pair, row, column, flips of default_rng((seed, index)), in this order."""
    rng = np.random.default_rng((7, 11))
    place = rng.integers(4)
    top, left = rng.integers(25), rng.integers(35)
    across, down = rng.integers(2, size=2)
    normal = np.load(pairs[place].normal)[top : top + 16, left : left + 16, ::-1]
    normal = normal[:: -1 if down else 1, :: -1 if across else 1]
    found = stream(pairs, seed=7)[11]
    assert found.index == 11
    assert torch.equal(found.normal, torch.tensor(normal.transpose(2, 0, 1) / 255).float())


def test_the_seed_decides_and_the_workers_do_not(pairs):
    data = stream(pairs, rotations=True)
    first = drawn(data)
    assert same(first, drawn(data, workers=2))
    assert same(first, drawn(stream(pairs, rotations=True)))
    assert not same(first, drawn(stream(pairs, seed=1, rotations=True)))
    low = torch.cat([one.low for one in first])
    assert len({tuple(image.flatten().tolist()) for image in low}) == BATCH * STEPS


@pytest.mark.parametrize("workers", [0, 2])
def test_a_stream_is_entered_at_any_step(pairs, workers):
    data = stream(pairs)
    assert same(drawn(data)[3:], drawn(data, start=3, workers=workers))
    assert drawn(data, start=STEPS) == []


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_share_every_batch_in_order(pairs, ranks):
    data = stream(pairs)
    shares = [drawn(data, rank=rank, ranks=ranks, start=1) for rank in range(ranks)]
    assert all(len(share[0].low) == BATCH // ranks for share in shares)
    joined = [
        TrainingSample(*map(torch.cat, zip(*step, strict=True)))
        for step in zip(*shares, strict=True)
    ]
    assert same(drawn(data, start=1), joined)


def test_ranks_that_cannot_share_equally_are_refused():
    with pytest.raises(TaskError, match="3 ranks cannot share a batch of 4 equally"):
        RankSampler(4, 1, rank=0, ranks=3)
    assert len(RankSampler(4, 10, start=3, rank=1, ranks=2)) == 14


def test_torchs_own_generator_stays_untouched(pairs):
    before = torch.get_rng_state()
    drawn(stream(pairs), workers=2)
    list(whole(pairs))
    assert torch.equal(torch.get_rng_state(), before)


def test_workers_leave_an_interrupt_to_the_training(pairs):
    data = stream(pairs, length=40)
    source = iter(batches(data, batch=BATCH, workers=2))
    found = [next(source), next(source)]
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker.pid, signal.SIGINT)
    assert same(found + list(source), drawn(data))


def test_a_set_without_targets_has_none(pairs):
    low = tuple(pair.low for pair in pairs)
    found = drawn(stream(TrainingSet("low", low)))
    assert all(one.normal is None for one in found)
    assert torch.equal(found[0].low, drawn(stream(pairs))[0].low)


def test_unpaired_normal_images_are_drawn_by_themselves(pairs):
    data = paired_set("test", pairs).unpaired()
    found = drawn(stream(data, length=400, crop=None, flips=False))
    assert torch.equal(drawn(stream(data))[0].low, drawn(stream(pairs))[0].low)
    scenes = {tuple(pixels(pair.low)): number for number, pair in enumerate(pairs)}
    counts = np.zeros((4, 4))
    for one in found:
        for low, normal in zip(*as_levels(one), strict=True):
            counts[scenes[low], scenes[tuple(value - 100 for value in normal)]] += 1
    # Independent: 25 of every combination, within five standard deviations.
    assert abs(counts - 25).max() <= 25


def pixels(path):
    return as_levels(next(iter(whole([Pair(path, path)]))))[0][0]


def as_levels(batch):
    """The first ten pixels of every image, as 8-bit values."""
    return [
        [tuple((image[:, 0, :10].flatten() * 255).round().int().tolist()) for image in side]
        for side in batch[:2]
    ]


def test_sides_of_an_unpaired_set_may_differ_in_size(pairs, tmp_path, rng, save):
    large = save(tmp_path / "large.png", rng.integers(0, 256, (60, 70, 3), dtype=np.uint8))
    data = TrainingSet("test", tuple(pair.low for pair in pairs), (large,))
    low, normal, _ = drawn(stream(data, crop=None))[0]
    assert low.shape[2:] == (40, 50) and normal.shape[2:] == (60, 70)


def test_whole_images_are_resized_before_the_crop(pairs):
    low, normal, _ = drawn(stream(pairs, crop=None, resize=24))[0]
    assert low.shape == normal.shape == (BATCH, 3, 24, 24)
    assert drawn(stream(pairs, crop=20, resize=24))[0].low.shape == (BATCH, 3, 20, 20)


@pytest.mark.parametrize("workers", [0, 2])
def test_wrong_sizes_are_named(pairs, save, workers):
    with pytest.raises(TaskError, match=r"^\S*: is 50x40, smaller than the crop 64$"):
        drawn(stream(pairs, crop=64), workers=workers)
    with pytest.raises(TaskError, match="different size cannot be joined in a batch: set crop"):
        drawn(stream(pairs, crop=None, rotations=True), workers=workers)
    for pair in pairs:
        np.save(pair.normal, np.zeros((30, 50, 3), np.uint8))
    with pytest.raises(TaskError, match=r"^\S*low/\d.png: and its partner \S* differ in size$"):
        drawn(stream(pairs), workers=workers)
    with pytest.raises(TaskError, match="low/0.png: and its partner"):
        list(whole(pairs))


def test_held_out_pairs_come_whole_and_in_order(pairs):
    loader = whole(pairs)
    for _ in range(2):
        for number, (low, normal, index) in enumerate(loader):
            assert low.shape == (1, 3, 40, 50) and index.tolist() == [number]
            expected = torch.tensor(np.load(pairs[number].normal)[..., ::-1].copy())
            assert torch.equal((normal[0] * 255).round(), expected.permute(2, 0, 1).float())
            torch.testing.assert_close(normal, low + 100 / 255)
    assert len(loader) == 4
