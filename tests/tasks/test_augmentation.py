import numpy as np
import pytest

from tasks.augmentation import Augmentation
from tasks.errors import TaskError

# Every pixel says where it was: (row, column, 0).
PLACES = np.stack([*np.mgrid[:12, :17], np.zeros((12, 17))], -1).astype(np.uint8)


def drawn(augmentation, count=200):
    return [augmentation.draw(np.random.default_rng(i), PLACES)[0] for i in range(count)]


def corners(window):
    return tuple(tuple(window[y, x, :2]) for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)))


def test_crops_lie_inside_and_reach_every_border():
    windows = [corners(one) for one in drawn(Augmentation(5, flips=False), 400)]
    tops, lefts = zip(*(one[0] for one in windows), strict=True)
    assert {*tops} == {*range(8)} and {*lefts} == {*range(13)}
    assert all(one[3] == (one[0][0] + 4, one[0][1] + 4) for one in windows)


def test_a_crop_of_the_whole_image_has_one_place():
    assert drawn(Augmentation(12, flips=False), 1)[0].shape == (12, 12, 3)
    np.testing.assert_array_equal(drawn(Augmentation(None, flips=False), 1)[0], PLACES)


@pytest.mark.parametrize(
    "flips, rotations, kinds",
    [(False, False, 1), (True, False, 4), (False, True, 4), (True, True, 8)],
)
def test_flips_and_rotations_are_the_symmetries_of_a_square_equally_often(flips, rotations, kinds):
    square = PLACES[:12, :12]
    augmentation = Augmentation(None, flips, rotations)
    found = {}
    for i in range(400):
        turned = corners(augmentation.draw(np.random.default_rng(i), square)[0])
        found[turned] = found.get(turned, 0) + 1
    assert len(found) == kinds
    # Five standard deviations of a binomial count.
    expected = 400 / kinds
    assert all(abs(n - expected) <= 5 * expected**0.5 for n in found.values())


def test_partners_get_the_same_draw():
    for seed in range(50):
        rng = np.random.default_rng(seed)
        low, normal = Augmentation(5, rotations=True).draw(rng, PLACES, PLACES + 100)
        np.testing.assert_array_equal(low + 100, normal)


def test_plain_crops_with_flips_draw_what_they_always_drew():
    """Seeds of earlier trainings mean the same: row, column, then both flips."""
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    (window,) = Augmentation(5).draw(rng, PLACES)
    top, left = same.integers(8), same.integers(13)
    across, down = same.integers(2, size=2)
    expected = PLACES[top : top + 5, left : left + 5]
    expected = expected[:, ::-1] if across else expected
    np.testing.assert_array_equal(window, expected[::-1] if down else expected)


def test_impossible_sizes_are_refused():
    with pytest.raises(TaskError, match="a crop of 300 does not fit into images of 256"):
        Augmentation(300, resize=256)
    with pytest.raises(TaskError, match="at least 1 pixel"):
        Augmentation(0)
