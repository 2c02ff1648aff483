import numpy as np
import pytest
import torch

from tasks.errors import TaskError
from tasks.pairs import crops, lol_pairs


@pytest.fixture
def lol(tmp_path, rng, save):
    """Four pairs; normal is low plus 100, so that a pair can be told from its crop."""
    for index in range(4):
        low = rng.integers(0, 100, (40, 50, 3), dtype=np.uint8)
        save(tmp_path / f"our485/low/{index}.png", low)
        save(tmp_path / f"our485/high/{index}.bmp", low + 100)
    return tmp_path


def draw(pairs, **changes):
    options = {"crop": 16, "batch": 2, "steps": 3, "seed": 0, "workers": 0} | changes
    return list(crops(pairs, **options))


def test_partners_are_cropped_and_flipped_alike(lol):
    for low, normal in draw(lol_pairs(lol)):
        assert low.shape == normal.shape == (2, 3, 16, 16)
        torch.testing.assert_close(normal, low + 100 / 255)


def test_the_seed_decides_and_the_workers_do_not(lol):
    pairs = lol_pairs(lol)
    first = torch.stack([low for low, _ in draw(pairs)])
    assert torch.equal(first, torch.stack([low for low, _ in draw(pairs, workers=2)]))
    assert not torch.equal(first, torch.stack([low for low, _ in draw(pairs, seed=1)]))
    assert len({tuple(low.flatten()[:9].tolist()) for low in first.flatten(0, 1)}) == 6


def test_files_without_a_partner_are_named(lol, save):
    save(lol / "our485/low/lonely.png", np.zeros((40, 50, 3), np.uint8))
    with pytest.raises(TaskError, match="1 files have no partner.*lonely"):
        lol_pairs(lol)
    with pytest.raises(TaskError, match="has no eval15/"):
        lol_pairs(lol, "eval15")


@pytest.mark.parametrize("workers", [0, 2])
def test_wrong_sizes_are_named(lol, save, workers):
    with pytest.raises(TaskError, match=r"^\S*: is 50x40, smaller than the crop 64$"):
        draw(lol_pairs(lol), crop=64, workers=workers)
    for index in range(4):
        save(lol / f"our485/high/{index}.bmp", np.zeros((30, 50, 3), np.uint8))
    with pytest.raises(TaskError, match="differ in size"):
        draw(lol_pairs(lol), workers=workers)
