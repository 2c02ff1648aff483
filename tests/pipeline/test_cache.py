"""The cache of enhanced images: its folder, and what of an enhancer it keeps."""

import multiprocessing
import os
import random
import shutil
from itertools import count

import pytest
import torch

from pipeline import cache
from pipeline.cache import Cached, Store

ENTRY = 1000 + 200  # bytes: pixels, and less than this much around them


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "kept", 10**6)


@pytest.fixture
def image(rng):
    return torch.from_numpy(rng.integers(0, 256, (2, 3, 5, 7), dtype="uint8")) / 255


@pytest.fixture
def clock(monkeypatch):
    """clock(step): every look at the clock is so many seconds after the last."""

    def set_to(step):
        ticks = count(0, step)
        monkeypatch.setattr(cache, "perf_counter", lambda: next(ticks))

    return set_to


def pixels(number, size=1000):
    return torch.full((1, 1, size), number, dtype=torch.uint8)


def kept(store):
    return len(list(store.folder.iterdir()))


def test_what_is_written_is_read(store):
    assert store.read("a") is None
    store.write("a", pixels(3), 0.125)
    image, seconds = store.read("a")
    assert torch.equal(image, pixels(3)) and image.dtype == torch.uint8
    assert seconds == 0.125


def test_the_least_recently_used_leave(tmp_path):
    store = Store(tmp_path, 10 * ENTRY)
    for number in range(8):
        store.write(str(number), pixels(number), 1.0)
        os.utime(tmp_path / f"{number}.enhanced", ns=(number, number))
    assert store.read("0")
    for number in range(8, 12):
        store.write(str(number), pixels(number), 1.0)
    assert store.read("0") and store.read("11")
    assert store.read("1") is None
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10 * ENTRY


def test_nothing_but_entries_leaves(tmp_path):
    for name in ("photo.jpg", ".other.enhanced", "enhanced"):
        (tmp_path / name).write_bytes(bytes(5000))
    Store(tmp_path, 1)
    assert kept(Store(tmp_path, 1)) == 3


def test_a_damaged_entry_is_none(store):
    store.write("a", pixels(3), 1.0)
    path = store.folder / "a.enhanced"
    path.write_bytes(path.read_bytes()[:-1])
    assert store.read("a") is None
    assert kept(store) == 0


def test_what_a_killed_process_left_goes_after_a_while(store):
    left = store.folder / ".a.enhanced.x1"
    left.write_bytes(b"half")
    Store(store.folder, 10**6)
    assert left.exists()
    os.utime(left, (0, 0))
    Store(store.folder, 10**6)
    assert not left.exists()


def test_processes_share_a_folder(tmp_path):
    """Each writes and reads the same few entries, of which most leave at once."""
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_busy, args=(tmp_path, seed), daemon=True) for seed in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


def _busy(folder, seed):
    dice, store = random.Random(seed), Store(folder, 4 * ENTRY)
    for _ in range(40):
        number = dice.randrange(8)
        store.write(str(number), pixels(number), 1.0)
        if found := store.read(str(dice.randrange(8))):
            assert found[0].unique().numel() == 1
            assert found[0].numel() == 1000


def test_rounded_it_is_the_same_bits(store, image, clock):
    clock(0)
    enhanced = (image**0.6).clamp(0, 1)
    cached = Cached(torch.nn.Identity(), store, "it", print)
    assert cached.get(image) is None
    cached.put(image, enhanced, 0.5)
    found, seconds = Cached(torch.nn.Identity(), store, "it", print).get(image)
    assert seconds == 0.5
    assert not torch.equal(found, enhanced)
    assert torch.equal(found, enhanced.mul(255).round_().div_(255))


def test_every_level_survives(store, clock):
    clock(0)
    levels = (torch.arange(256) / 255).reshape(1, 1, 16, 16).expand(1, 3, 16, 16)
    cached = Cached(torch.nn.Identity(), store, "it", print)
    cached.put(levels, levels, 1.0)
    assert torch.equal(cached.get(levels)[0], levels)


def test_other_pixels_or_another_enhancer_are_not_it(store, image, clock):
    clock(0)
    cached = Cached(torch.nn.Identity(), store, "it", print)
    cached.put(image, image, 1.0)
    other = image.clone()
    other[1, 2, 3, 4] = 1 - other[1, 2, 3, 4]
    assert cached.get(other) is None
    assert cached.get(image[:1]) is None
    assert cached.get(image.reshape(2, 3, 7, 5)) is None
    assert Cached(torch.nn.Identity(), store, "other", print).get(image) is None


def test_what_is_cheaper_than_the_disk_is_not_kept(store, image, clock):
    clock(1.0)  # a second for the two images of the first entry
    cached = Cached(torch.nn.Identity(), store, "it", print)
    cached.put(image, image, 0.49)
    assert kept(store) == 0
    cached.put(image, image, 0.51)
    assert kept(store) == 0, "it did not pay, and is not asked again"
    dear = Cached(torch.nn.Identity(), store, "it", print)
    dear.put(image, image, 0.51)
    assert kept(store) == 1


def test_a_disk_that_takes_nothing_is_no_failure(store, image, clock):
    clock(0)
    said = []
    cached = Cached(torch.nn.Identity(), store, "it", said.append)
    shutil.rmtree(store.folder)
    store.folder.write_text("a file")
    cached.put(image, image, 1.0)
    cached.put(image, image, 1.0)
    (line,) = said
    assert "going on without the cache" in line and str(store.folder) in line
    assert cached.get(image) is None
