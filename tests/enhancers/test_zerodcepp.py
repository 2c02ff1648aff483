import pytest
import torch

from enhancers import EnhancerError
from enhancers.padding import pad_to_multiples
from enhancers.zerodcepp import ZeroDCEpp


@pytest.fixture
def released(weights):
    def build(scale_factor: int, script_crop: bool = False) -> ZeroDCEpp:
        network = ZeroDCEpp(scale_factor, script_crop).eval()
        network.load_released(weights("zerodcepp/Epoch99.pth"))
        return network

    return build


@pytest.mark.shared
@pytest.mark.parametrize(("scale_factor", "script_crop"), [(12, True), (1, True), (1, False)])
@torch.no_grad()
def test_parity_with_the_released_network(scale_factor, script_crop, released, crop, parity):
    out = released(scale_factor, script_crop).run(crop)
    parity(out.image, f"zerodcepp/crop_113x97_sf{scale_factor}_out")
    parity(out.curve, f"zerodcepp/crop_113x97_sf{scale_factor}_curve")


@pytest.mark.shared
@torch.no_grad()
def test_padding_and_the_script_agree_on_multiples(released, crop):
    image = crop[..., :96, :108]
    assert torch.equal(released(12)(image), released(12, script_crop=True)(image))


@torch.no_grad()
def test_padding_is_cropped_from_where_it_was_added():
    torch.manual_seed(0)
    network = ZeroDCEpp(12)
    image = torch.rand(1, 3, 29, 43)
    padded = network.run(pad_to_multiples(image, 12))
    out = network.run(image)
    assert torch.equal(out.image, padded.image[..., :29, :43])
    assert torch.equal(out.curve, padded.curve[..., :29, :43])


@pytest.mark.shared
@torch.no_grad()
def test_padding_stays_near_the_script_elsewhere(released, crop, reference):
    out = released(12)(crop)
    assert out.shape == crop.shape
    # The enlarged curve lies on a grid of 9×10 cells here and of 8×9 in the script.
    change = (out[..., :96, :108] - reference("zerodcepp/crop_113x97_sf12_out")).abs()
    assert change.mean() < 0.01
    assert change.max() < 0.05


def test_curve_is_applied_eight_times():
    network = ZeroDCEpp(1)
    image = torch.rand(1, 3, 16, 16)
    out = network.run(image)
    expected = image.double()
    for _ in range(8):
        expected = expected + out.curve.double() * (expected**2 - expected)
    assert torch.allclose(out.image.double(), expected, atol=1e-6)


@pytest.mark.parametrize("extreme", [-1.0, 1.0])
@torch.no_grad()
def test_output_stays_in_range_under_the_strongest_curve(extreme):
    network = ZeroDCEpp(1)
    torch.nn.init.zeros_(network.e_conv7.point_conv.weight)
    torch.nn.init.constant_(network.e_conv7.point_conv.bias, 100 * extreme)
    image = torch.rand(1, 3, 128, 128)
    image[0, 0, 0, :3] = torch.tensor([0.0, 1.0, 1 - 6e-8])
    out = network(image)
    assert out.min() >= 0
    assert out.max() <= 1


def test_parameter_count_of_the_paper():
    assert sum(parameter.numel() for parameter in ZeroDCEpp().parameters()) == 10_561


@pytest.mark.parametrize("scale_factor", [0, -1, 1.5, 12.0, True, "12", 65, 1e9, 10**400])
def test_scale_factor_must_be_an_integer_in_range(scale_factor):
    said = "scale_factor must be a whole number from 1 to 64, not "
    with pytest.raises(EnhancerError, match=said):
        ZeroDCEpp(scale_factor)


@pytest.mark.parametrize("script_crop", ["yes", [1], 1])
def test_script_crop_is_a_flag(script_crop):
    with pytest.raises(EnhancerError, match="script_crop must be true or false, not"):
        ZeroDCEpp(script_crop=script_crop)


@torch.no_grad()
def test_the_coarsest_curve_of_the_smallest_image():
    image = torch.rand(1, 3, 16, 17)
    assert ZeroDCEpp(64)(image).shape == image.shape


@pytest.mark.parametrize("size", [(16, 40), (40, 16)])
@torch.no_grad()
def test_the_script_does_not_crop_an_image_away(size):
    network = ZeroDCEpp(17, script_crop=True)
    said = f"script_crop with scale_factor 17 leaves nothing of a {size[1]}x{size[0]} image"
    with pytest.raises(EnhancerError, match=said):
        network(torch.rand(1, 3, *size))
    assert network(torch.rand(1, 3, 17, 40)).shape == (1, 3, 17, 34)
