import json

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from enhancers import EnhancerError
from enhancers.base import Round, decode_rounds
from enhancers.uretinex import Unfolded, URetinex, ratio_between, solve
from enhancers.uretinex_units import Decomposition
from tests.enhancers.conftest import read_image

FILES = ("init_low.pth", "unfolding.pth", "L_adjust.pth")


def read_released(folder, *files):
    """The networks in the authors' files: keys below the file's stem, joined by dots."""
    state = {}
    for file in files:
        with torch.serialization.safe_globals(list(URetinex.released_globals)):
            content = torch.load(folder / file, map_location="cpu", weights_only=True)
        for network, weights in content["state_dict"].items():
            stem = file.removesuffix(".pth")
            state |= {f"{stem}.{network}.{key}": value for key, value in weights.items()}
    return state


@pytest.fixture(scope="module")
def state(shared):
    return read_released(shared / "reference/weights/uretinexnet", *FILES)


@pytest.fixture
def released(state):
    def build(ratio: float = 5.0) -> URetinex:
        network = URetinex(ratio).eval()
        network.load_released(state)
        return network

    return build


@pytest.fixture
def released_high(shared):
    file = read_released(shared / "reference/weights/uretinexnet", "init_high.pth")
    high = Decomposition().eval()
    high.load_released({key.removeprefix("init_high."): value for key, value in file.items()})
    return high


@pytest.mark.shared
@torch.no_grad()
def test_one_of_the_files_is_enough(shared, released, crop):
    file = read_released(shared / "reference/weights/uretinexnet", "L_adjust.pth")
    network = URetinex().eval()
    network.load_released({k.removeprefix("L_adjust."): v for k, v in file.items()})
    assert torch.equal(network(crop), released()(crop))


@pytest.mark.shared
@pytest.mark.parametrize("ratio", [3, 5])
@torch.no_grad()
def test_parity_with_the_released_network(ratio, released, crop, parity):
    network = released(ratio)
    out = network.run(crop)
    for value, name in (
        (out.initial.reflectance, "decomR0"),
        (out.initial.illumination, "decomL0"),
        (out.reflectance, "R"),
        (out.illumination, "L"),
        (out.adjusted, f"ratio{ratio}_highL"),
        (out.image, f"ratio{ratio}_out"),
    ):
        parity(value, f"uretinexnet/crop_113x97_{name}")
    assert torch.equal(network(crop), out.image)


@pytest.mark.shared
def test_parameter_counts_of_the_released_network(shared):
    stats = shared / "reference/losses/uretinex_stats.json"
    expected = json.loads(stats.read_text())["params"]
    network = URetinex()
    parts = {
        "decom_low": network.model_decom,
        "R": network.model_R,
        "L": network.model_L,
        "adjust": network.model_A,
        "total_infer": network,
    }
    for name, part in parts.items():
        assert sum(parameter.numel() for parameter in part.parameters()) == expected[name]


@pytest.mark.shared
@pytest.mark.parametrize("file", FILES)
def test_a_released_file_that_is_missing_is_named(file, state):
    stem = file.removesuffix(".pth")
    rest = {key: value for key, value in state.items() if not key.startswith(stem)}
    with pytest.raises(EnhancerError, match=stem):
        URetinex().load_released(rest)


@pytest.mark.shared
def test_a_weight_that_is_missing_is_named_as_in_its_file(state):
    key = "unfolding.model_L.conv3.bias"
    rest = {name: value for name, value in state.items() if name != key}
    with pytest.raises(EnhancerError, match=f"do not fit URetinex: missing {key}$"):
        URetinex().load_released(rest)


def test_the_published_files():
    assert URetinex.released_files == FILES


@pytest.mark.shared
@torch.no_grad()
def test_the_ratio_of_the_truth_brings_the_image_nearer_to_it(shared, released, released_high):
    # On the whole of this image PSNR goes from 20.75 to 25.60; over all 15, 19.842 to 21.328.
    low, normal = (
        read_image(shared / f"data/LOL/eval15/{light}/665.png")[..., 100:228, 200:328]
        for light in ("low", "high")
    )
    network = released()
    plain = (network(low) - normal).square().mean()
    told = (network.enhance_to(low, normal, released_high) - normal).square().mean()
    assert told < 0.5 * plain


def test_foreign_weights_are_refused():
    with pytest.raises(EnhancerError, match="init_low"):
        URetinex().load_released({"e_conv1.weight": torch.zeros(1)})


@pytest.mark.parametrize(
    "ratio", [0, -1.0, 100.5, float("nan"), float("inf"), "5", True, 1e308, 10**400]
)
def test_ratio_must_be_positive(ratio):
    with pytest.raises(EnhancerError, match="ratio must be a number from 0.01 to 100, not "):
        URetinex(ratio)


@pytest.mark.parametrize("ratio", [0.01, 100])
@torch.no_grad()
def test_images_of_the_strongest_ratios_are_finite(ratio):
    assert URetinex(ratio)(torch.rand(1, 3, 16, 16)).isfinite().all()


@torch.no_grad()
def test_the_deep_feature_of_every_round_reaches_the_image():
    network, image = URetinex().eval(), torch.rand(2, 3, 17, 20)
    features = []
    decode_rounds(network.encode(image), network.decode, lambda f: features.append(f) or f)
    assert [tuple(feature.shape) for feature in features] == [(2, 64, 17, 20)] * 3
    plain = network(image)
    for changed in range(3):
        rounds = iter(range(3))
        out = decode_rounds(
            network.encode(image),
            network.decode,
            lambda f, rounds=rounds, changed=changed: f + (next(rounds) == changed),
        )
        assert not torch.allclose(out.image, plain, atol=1e-4)


@torch.no_grad()
def test_one_encoding_can_be_decoded_twice():
    network = URetinex().eval()
    encoded = network.encode(torch.rand(1, 3, 16, 16))
    first, second = (decode_rounds(encoded, network.decode) for _ in range(2))
    assert isinstance(network.decode(*encoded), Round)
    assert len(second.rounds) == 3
    assert torch.equal(first.image, second.image)


def test_auxiliary_variables_minimise_the_penalised_fit():
    image = torch.rand(2, 3, 6, 5, dtype=torch.float64)
    R, L, Q0 = torch.rand_like(image), torch.rand_like(image[:, :1]), torch.rand_like(image[:, :1])
    P, Q = (value.requires_grad_() for value in solve(image, Unfolded(image, Q0, R, L), 0.15, 0.55))
    ((image - P * Q0).square().sum() + 0.15 * (P - R).square().sum()).backward()
    assert P.grad.abs().max() < 1e-12
    ((image - P.detach() * Q).square().sum() + 0.55 * (Q - L).square().sum()).backward()
    assert Q.grad.abs().max() < 1e-12


@torch.no_grad()
def test_rounds_are_joined_by_the_solution_of_the_next():
    out = URetinex().eval().double().run(image := torch.rand(1, 3, 16, 16, dtype=torch.float64))
    assert torch.equal(out.rounds[0].P, out.initial.reflectance)
    assert torch.equal(out.rounds[0].Q, out.initial.illumination)
    for index, (gamma, lamda) in ((1, (0.15, 0.55)), (2, (0.2, 0.6))):
        P, Q = solve(image, out.rounds[index - 1], gamma, lamda)
        assert torch.allclose(out.rounds[index].P, P, rtol=1e-12)
        assert torch.allclose(out.rounds[index].Q, Q, rtol=1e-12)


def test_ratio_of_each_image_of_a_batch():
    illumination = torch.tensor([0.1, 0.2]).reshape(2, 1, 1, 1).expand(2, 1, 4, 4)
    ratio = ratio_between(illumination, torch.full((2, 1, 4, 4), 0.8))
    assert ratio.flatten().tolist() == pytest.approx([8.0, 4.0], rel=2e-3)
    uneven = torch.tensor([0.1, 0.4]).reshape(1, 1, 1, 2)
    # The mean of quotients, (1 + 0.5)/2, not the quotient of means.
    told = ratio_between(uneven, torch.tensor([0.1, 0.8]).reshape(1, 1, 1, 2))
    assert told.item() == pytest.approx(1 / 0.75, rel=2e-3)


@torch.no_grad()
def test_enhancing_to_a_truth_is_enhancing_with_its_ratio():
    network, high = URetinex().eval(), Decomposition().eval()
    low, normal = torch.rand(1, 3, 16, 20) / 5, torch.rand(1, 3, 16, 20)
    ratio = ratio_between(network.run(low).illumination, high(normal).illumination).item()
    told = URetinex(ratio).eval()
    told.load_state_dict(network.state_dict())
    assert torch.allclose(network.enhance_to(low, normal, high), told(low), atol=1e-6)
    assert not torch.allclose(told(low), network(low), atol=1e-6)


def test_cost_at_full_hd():
    with torch.device("meta"):
        network, image = URetinex(), torch.rand(1, 3, 1080, 1920)
    with FlopCounterMode(display=False) as counter:
        network(image)
    assert counter.get_total_flops() / 2e9 == pytest.approx(1801, abs=1)


@pytest.mark.parametrize("seed", range(5))
@torch.no_grad()
def test_no_layer_starts_dead(seed):
    torch.manual_seed(seed)
    out = URetinex().run(torch.rand(1, 3, 16, 16))
    for layer in (*out.initial, out.illumination, out.adjusted):
        assert (layer.amin((2, 3)) > 0).all()
