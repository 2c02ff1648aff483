"""Work in tiles against work on the whole."""

import pytest
import torch
import torch.nn.functional as F

from enhancers import enlightengan, lednet, lednet_blocks, uretinex_units, zerodcepp
from enhancers import tiles as module
from enhancers.enlarging import enlarge
from enhancers.enlightengan import EnlightenGAN
from enhancers.lednet import LEDNet
from enhancers.lfpv import LFPVEnhancer, enhancer
from enhancers.ruas import RUAS
from enhancers.sci import SCI
from enhancers.tiles import in_tiles, over_tiles, tiles, worthwhile
from enhancers.uretinex import URetinex
from enhancers.zerodcepp import ZeroDCEpp
from tests.enhancers.lfpv.models import random_nodes

LOCAL = {
    "sci": SCI,
    "ruas": RUAS,
    "ruas-denoise": lambda: RUAS(denoise=True),
    "zerodcepp-1": lambda: ZeroDCEpp(1),
}
# Their parts are local: what is global between them is computed of the whole.
IN_PARTS = {
    "uretinex": URetinex,
    "enlightengan": EnlightenGAN,
    "enlightengan-corners": lambda: EnlightenGAN(align_corners=False),
    "lednet": LEDNet,
    "lednet-signed": lambda: LEDNet(signed=True),
    "zerodcepp-12": ZeroDCEpp,
    "zerodcepp-5": lambda: ZeroDCEpp(5),
}
SIZES = [(16, 16), (65, 97), (101, 46)]


@pytest.fixture
def small_tiles(monkeypatch):
    """Many tiles in a small image."""
    monkeypatch.setattr(module, "side_for", lambda *_: 20)
    for network in (enlightengan, lednet, lednet_blocks, uretinex_units, zerodcepp):
        monkeypatch.setattr(network, "side_for", lambda *_: 20, raising=False)
    monkeypatch.setattr(enhancer, "side_for", lambda *_: 20)


def noisy(network):
    """With weights that let every pixel of the reach be seen."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3)
    return network.eval().double()


def picture(size, batch=1):
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize(
    ("reach", "cell", "side"), [(0, 1, 7), (3, 4, 10), (9, 2, 100), (1, 16, 5)]
)
def test_every_pixel_is_written_once_and_knows_its_reach(reach, cell, side):
    size = (37, 64)
    written = torch.zeros(1, 1, *size)
    for tile in tiles(size, reach, cell, side):
        place = [(span.inner, span.outer) for span in (tile.rows, tile.columns)]
        written[..., place[0][0], place[1][0]] += 1
        for (inner, outer), length in zip(place, size, strict=True):
            assert outer.start % cell == 0
            assert outer.stop % cell == 0 or outer.stop == length
            assert outer.start <= max(0, inner.start - reach)
            assert outer.stop >= min(length, inner.stop + reach)
    assert (written == 1).all()


@torch.no_grad()
def test_maps_of_several_sizes():
    """Half the size in, half and double the size out."""
    kernel, small = torch.rand(2, 2, 3, 3).double(), torch.rand(1, 2, 24, 20).double()
    large = torch.rand(1, 2, 48, 40).double()

    def run(small, large):
        mixed = F.conv2d(F.avg_pool2d(large, 2) + small, kernel, padding=1)
        return mixed, mixed.repeat_interleave(4, 2).repeat_interleave(4, 3)

    got = over_tiles(lambda tile: run(tile.cut(small), tile.cut(large)), large, 2, 2, 12)
    for piece, expected in zip(got, run(small, large), strict=True):
        assert torch.allclose(piece, expected, rtol=0, atol=1e-12)


@torch.no_grad()
def test_tiles_keep_the_order_in_memory():
    image = torch.rand(1, 4, 30, 30).contiguous(memory_format=torch.channels_last)
    for value in (image, image.contiguous()):
        (got,) = over_tiles(lambda tile, value=value: (tile.cut(value) * 2,), value, 0, 1, 16)
        assert torch.equal(got, value * 2)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.usefixtures("small_tiles")
@torch.no_grad()
def test_local_networks_give_the_same_image(name, size):
    network, image = noisy(LOCAL[name]()), picture(size, batch=2)
    assert torch.allclose(network(image), network.run(image).image, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", IN_PARTS)
@pytest.mark.usefixtures("small_tiles")
def test_networks_in_parts_give_the_same(name, size):
    torch.manual_seed(0)
    network, image = IN_PARTS[name]().eval().double(), picture(size, 2 if size == SIZES[0] else 1)
    with torch.enable_grad():
        expected = network.run(image)
    with torch.inference_mode():
        got = network.run(image)
    for ours, whole in zip(got, expected, strict=True):
        if torch.is_tensor(ours):
            assert torch.allclose(ours, whole.detach(), rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.usefixtures("small_tiles")
@torch.no_grad()
def test_no_network_looks_nearer_than_it_says(name):
    """A smaller reach shows: the test above would see a wrong one."""
    network, image = noisy(LOCAL[name]()), picture((65, 97))
    network.reach -= 2
    assert not torch.allclose(network(image), network.run(image).image, rtol=0, atol=1e-12)


@pytest.mark.parametrize("centre", ["none", "queries"])
@pytest.mark.parametrize("patch", [1, 4, 7])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.usefixtures("small_tiles")
def test_with_lfpv_too(name, size, patch, centre):
    network = noisy(LOCAL[name]())
    channels = network.feature_channels
    made = LFPVEnhancer(
        network.encode, network.decode, channels, False, nodes=5, patch=patch, centre=centre
    )
    made.eval().double().store.keep(random_nodes(made))
    image = picture(size)
    with torch.enable_grad():
        expected = made(image).detach()
    with torch.inference_mode():
        assert torch.allclose(made(image), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("centre", ["none", "queries"])
@pytest.mark.parametrize("name", IN_PARTS)
@pytest.mark.usefixtures("small_tiles")
def test_networks_in_parts_with_lfpv_too(name, centre):
    torch.manual_seed(0)
    network = IN_PARTS[name]()
    channels = network.feature_channels
    made = LFPVEnhancer(network.encode, network.decode, channels, False, nodes=5, centre=centre)
    made.eval().double().store.keep(random_nodes(made))
    image = picture((65, 97))
    with torch.enable_grad():
        expected = made(image).detach()
    with torch.inference_mode():
        assert torch.allclose(made(image), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("channels_last", [False, True])
@torch.no_grad()
def test_enlargement_of_a_tile_is_a_tile_of_the_enlargement(channels_last):
    form = torch.channels_last if channels_last else torch.contiguous_format
    small = torch.rand(1, 3, 9, 11).contiguous(memory_format=form)
    expected = F.interpolate(small, (70, 60), mode="bilinear", align_corners=True)
    wide = F.interpolate(small, (9, 60), mode="bilinear", align_corners=True)
    for size, enlarged in (((70, 60), None), ((66, 55), (70, 60))):
        for tile in (*tiles(size, 3, 1, 16), *tiles(size, 3, 1, 100)):
            cut = tile.cut(expected[..., : size[0], : size[1]])
            for value in (small, wide):
                got = enlarge(value, tile, enlarged)
                assert torch.allclose(got, cut, rtol=0, atol=1e-6)


def test_training_leaves_the_image_whole():
    image, seen = torch.rand(1, 3, 200, 200), []

    def run(part):
        seen.append(part.shape)
        return part

    in_tiles(run, image, 1, 1, 1000)
    assert seen == [image.shape]
    with torch.no_grad():
        assert not worthwhile(image.to("meta"))
        in_tiles(run, image, None, 1, 1000)
        assert seen == [image.shape] * 2
        in_tiles(run, image, 1, 1, 1000)
    assert len(seen) > 3
