import pytest
import torch

from enhancers import EnhancerError
from enhancers.lfpv.sampling import (
    Samples,
    chance,
    draw_partners,
    draw_positions,
    gather,
    sample,
)

C = 3


def places(feature, count, indices):
    """(row, column) of every position, one list an image."""
    rows, columns = draw_positions(feature, count, torch.tensor(indices))
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [list(zip(*pair, strict=True)) for pair in pairs]


def test_positions_are_those_of_the_image_whatever_its_batch():
    feature = torch.zeros(4, C, 37, 41)
    joined = places(feature, 5, [8, 9, 10, 11])
    assert places(feature[:2], 5, [11, 8]) == [joined[3], joined[0]]
    assert places(feature[:1], 3, [9]) == [joined[1][:3]]
    assert len({place for image in joined for place in image}) > 15


def test_indexed_positions_leave_the_generator_alone():
    before = torch.get_rng_state()
    draw_positions(torch.zeros(2, C, 8, 8), 4, torch.tensor([0, 1]))
    assert torch.equal(torch.get_rng_state(), before)


def test_positions_without_indices_come_from_the_global_generator():
    drawn = []
    for _ in range(2):
        torch.manual_seed(3)
        drawn.append(draw_positions(torch.zeros(2, C, 50, 60), 4, None))
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert torch.equal(drawn[0][1], drawn[1][1])
    assert not torch.equal(*draw_positions(torch.zeros(2, C, 50, 60), 4, None))


@pytest.mark.parametrize("indices", [None, torch.arange(100)])
def test_every_position_is_drawn_alike(indices):
    torch.manual_seed(0)
    rows, columns = draw_positions(torch.zeros(100, C, 4, 6), 96, indices)
    counts = (rows * 6 + columns).flatten().bincount(minlength=24)
    # 9600 draws of 24 places: 400 each, standard deviation 20.
    assert (counts - 400).abs().max() < 80


def test_chance_is_uniform_over_indices_and_draws():
    values = chance(torch.arange(64)[:, None], torch.arange(64)).double() / 2**32
    assert values.min() >= 0
    assert values.max() < 1
    assert values.unique().numel() == 64 * 64
    for mean in (values.mean(0), values.mean(1)):
        assert (mean - 0.5).abs().max() < 0.15


def test_an_index_for_every_image():
    with pytest.raises(EnhancerError, match="2 images need 2 indices"):
        draw_positions(torch.zeros(2, C, 8, 8), 1, torch.tensor([1]))


@pytest.mark.parametrize("partners", [1, 2, 3])
def test_partners_are_others_and_change_with_the_step(partners):
    drawn = torch.stack([draw_partners(4, partners, torch.tensor(step)) for step in range(300)])
    assert drawn.shape == (300, 4, partners)
    assert not (drawn == torch.arange(4)[:, None]).any()
    assert (drawn.sort(2).values.diff(dim=2) > 0).all()
    for j in range(4):
        counts = drawn[:, j].flatten().bincount(minlength=4)
        assert counts.gt(60 * partners).sum() == 3
    assert torch.equal(draw_partners(2, 1, torch.tensor(7)), torch.tensor([[1], [0]]))


@pytest.mark.parametrize("size", [(8, 12), (9, 7), (2, 3)])
@pytest.mark.parametrize("patch", [1, 4])
def test_samples_are_of_the_positions_and_of_the_patches_of_the_query(size, patch):
    height, width = size
    feature = torch.randn(2, C, height, width)
    rows = torch.tensor([[0, height - 1, height // 2], [1, 0, height - 1]])
    columns = torch.tensor([[width - 1, 1, 0], [2, 1, width // 2]])
    got = sample(feature, rows, columns, patch)
    assert got.vectors.shape == (6, C)
    assert got.patches.shape == (6, C, patch, patch)
    for n in range(2):
        for p in range(3):
            row, column = int(rows[n, p]), int(columns[n, p])
            assert torch.equal(got.vectors[3 * n + p], feature[n, :, row, column])
            for y in range(patch):
                for x in range(patch):
                    at_y = min(row // patch * patch + y, height - 1)
                    at_x = min(column // patch * patch + x, width - 1)
                    assert torch.equal(got.patches[3 * n + p, :, y, x], feature[n, :, at_y, at_x])


def test_one_process_gathers_its_own():
    samples = Samples(torch.rand(2, C), torch.rand(2, C, 4, 4))
    assert gather(samples, None) is samples
