"""The low-light model against its formula."""

import numpy as np
import pytest

from tasks.darken import Darkening, darken, linear_to_srgb, srgb_to_linear
from tasks.errors import TaskError


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def ramp() -> np.ndarray:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return np.stack([values, values[::-1], values.T], axis=-1)


def expected(day: np.ndarray, gain: np.ndarray | float) -> np.ndarray:
    linear = srgb_to_linear(day / 255).astype(float) * gain
    return 255 * linear_to_srgb(np.clip(linear, 0, 1))


def quiet(day: np.ndarray, **options) -> np.ndarray:
    return darken(day, rng=rng(), shot_noise=0, read_noise=0, **options)


def test_full_exposure_without_noise_changes_nothing():
    assert np.array_equal(quiet(ramp(), exposure=1.0), ramp())


def test_matches_the_formula_without_noise():
    cast = (1.2, 1.0, 0.6)
    night = quiet(ramp(), exposure=0.04, color_cast=cast)
    assert np.abs(night - expected(ramp(), 0.04 * np.array(cast))).max() <= 0.6


def test_illumination_multiplies_and_emission_adds():
    field = np.linspace(0, 3, 256).reshape(16, 16)
    night = quiet(ramp(), exposure=0.05, illumination=field)
    assert np.abs(night - expected(ramp(), 0.05 * field[..., None])).max() <= 0.6
    dark = np.zeros((4, 4, 3), np.uint8)
    lamp = quiet(dark, exposure=0.05, emission=np.full((4, 4), 0.25))
    assert np.abs(lamp - 255 * linear_to_srgb(0.25)).max() <= 0.6


def test_float_and_uint8_images_agree():
    from_float = quiet((ramp() / 255).astype(np.float32), exposure=0.1)
    assert np.abs(from_float.astype(int) - quiet(ramp(), exposure=0.1)).max() <= 1


def test_noise_has_the_stated_mean_and_variance():
    day = np.full((200, 200, 3), 180, np.uint8)
    shot, read, exposure = 1 / 3000, 1 / 1000, 0.2
    night = darken(day, exposure=exposure, rng=rng(), shot_noise=shot, read_noise=read)
    linear = srgb_to_linear(night / 255).astype(float)
    signal = float(srgb_to_linear(180 / 255)) * exposure
    assert linear.mean() == pytest.approx(signal, rel=0.005)
    assert linear.var() == pytest.approx(shot * signal + read**2, rel=0.05)


def test_same_generator_gives_the_same_bytes():
    first, second = (darken(ramp(), exposure=0.05, rng=rng()) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"exposure": 0.0}, "exposure"),
        ({"exposure": float("nan")}, "exposure"),
        ({"color_cast": (1.0, -1.0, 1.0)}, "color_cast"),
        ({"read_noise": -1.0}, "noise"),
        ({"illumination": np.ones((3, 3))}, "illumination"),
        ({"emission": np.full((16, 16), -1.0)}, "emission"),
    ],
)
def test_wrong_numbers_are_refused(change, word):
    with pytest.raises(TaskError, match=word):
        darken(ramp(), **({"exposure": 0.1, "rng": rng()} | change))


@pytest.mark.parametrize(
    "day",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 3), np.int32),
        np.full((4, 4, 3), 2.0),
        np.full((4, 4, 3), np.nan),
    ],
)
def test_wrong_images_are_refused(day):
    with pytest.raises(TaskError, match="day image"):
        darken(day, exposure=0.1, rng=rng())


def test_a_darkening_is_darken_with_noise_of_the_seed_and_the_id():
    settings = {"color_cast": (1.1, 1.0, 0.7), "shot_noise": 0.001, "read_noise": 0.002}
    darkening = Darkening(0.1, seed=3, **settings)
    first = darkening(ramp(), "images/1")
    assert np.array_equal(first, darkening(ramp(), "images/1"))
    assert np.array_equal(first, Darkening(0.1, seed=3, **settings)(ramp(), "images/1"))
    assert not np.array_equal(first, darkening(ramp(), "images/2"))
    assert not np.array_equal(first, Darkening(0.1, seed=4, **settings)(ramp(), "images/1"))
    quiet_settings = settings | {"shot_noise": 0, "read_noise": 0}
    without_noise = Darkening(0.1, seed=3, **quiet_settings)(ramp(), "images/1")
    assert np.array_equal(without_noise, quiet(ramp(), exposure=0.1, color_cast=(1.1, 1.0, 0.7)))


def test_the_noises_pattern_is_the_same_at_every_exposure():
    """With read noise alone, the linear light of two exposures differs by a constant."""
    day = np.full((30, 30, 3), 200, np.uint8)
    light = [
        srgb_to_linear(Darkening(exposure, shot_noise=0, read_noise=0.05)(day, "a") / 255)
        for exposure in (0.8, 0.4)
    ]
    signal = float(srgb_to_linear(200 / 255))
    # An 8-bit level is up to 0.009 of linear light.
    assert np.abs(light[0] - light[1] - 0.4 * signal).max() < 0.01


def test_full_exposure_without_noise_is_the_day_image():
    darkening = Darkening(1.0, shot_noise=0, read_noise=0)
    assert np.array_equal(darkening(ramp(), "a"), ramp())


@pytest.mark.parametrize(
    "change",
    [{"exposure": 0}, {"color_cast": (1, 2, -1)}, {"shot_noise": float("nan")}, {"seed": -1}],
)
def test_a_darkening_of_wrong_numbers_is_refused(change):
    with pytest.raises(TaskError):
        Darkening(**({"exposure": 0.1} | change))
