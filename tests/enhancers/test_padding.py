import torch

from enhancers.padding import crop_centre, pad_around, pad_to_multiples


def test_padding_reflects_and_falls_back_to_the_edge():
    image = torch.arange(20.0).reshape(1, 1, 4, 5)
    reflected = pad_to_multiples(image, 3)
    assert reflected.shape == (1, 1, 6, 6)
    assert torch.equal(reflected[0, 0, 4:, :5], image[0, 0, [2, 1]])
    repeated = pad_to_multiples(image, 12)
    assert repeated.shape == (1, 1, 12, 12)
    assert (repeated[0, 0, 4:, 4:] == image[0, 0, 3, 4]).all()


def test_multiples_are_not_padded():
    image = torch.rand(1, 3, 8, 16)
    assert pad_to_multiples(image, 8) is image
    assert torch.equal(pad_around(image, 8), image)


def test_padding_reflects_half_on_each_side_and_is_cropped_back():
    image = torch.rand(1, 1, 9, 16)
    padded = pad_around(image, 16)
    assert torch.equal(padded[0, 0, :3], image[0, 0, [3, 2, 1]])
    assert torch.equal(padded[0, 0, 12:], image[0, 0, [7, 6, 5, 4]])
    assert torch.equal(crop_centre(padded, (9, 16)), image)
