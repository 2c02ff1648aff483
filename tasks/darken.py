"""A physical low-light model: what a camera would have recorded with less light.

The day image is taken back to linear light, the light is taken away (exposure, illumination,
colour cast), lamps that shine by themselves are added, the sensor's noise is added, and the
result is coded as an 8-bit sRGB image again:

    electrons-free signal   s = linear(day) · illumination · exposure · color_cast + emission
    recorded signal         r = s + n,   n ~ Normal(0, shot_noise · s + read_noise²)
    night image               = round(255 · srgb(clip(r, 0, 1)))

Linear light is in units of the full well: 1.0 is a pixel that is just saturated. The noise is the
Poisson-Gaussian sensor model in its heteroscedastic normal form (Foi, Trimeche, Katkovnik,
Egiazarian, IEEE TIP 17(10), 2008). The transfer curve is that of IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from tasks.errors import TaskError

SHOT_NOISE = 1 / 4000
"""Default noise gain: full well of 4000 electrons (a small-pixel camera at a raised ISO)."""

READ_NOISE = 2 / 4000
"""Default read noise: 2 electrons of the same 4000."""

NEUTRAL = (1.0, 1.0, 1.0)
"""Default colour cast: none."""

_LUT_STEPS = 1 << 15


def srgb_to_linear(values: np.ndarray) -> np.ndarray:
    """Decode sRGB values 0..1 (any shape) to linear light 0..1, float32."""
    values = np.asarray(values, np.float32)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(values: np.ndarray) -> np.ndarray:
    """Encode linear light 0..1 (any shape) as sRGB values 0..1, float32."""
    values = np.asarray(values, np.float32)
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)


_DECODE = srgb_to_linear(np.arange(256) / 255).astype(np.float32)
_ENCODE = np.round(linear_to_srgb(np.arange(_LUT_STEPS + 1) / _LUT_STEPS) * 255).astype(np.uint8)


def darken(
    day: np.ndarray,
    *,
    exposure: float,
    rng: np.random.Generator,
    color_cast: tuple[float, float, float] = NEUTRAL,
    shot_noise: float = SHOT_NOISE,
    read_noise: float = READ_NOISE,
    illumination: np.ndarray | None = None,
    emission: np.ndarray | None = None,
) -> np.ndarray:
    """Return the low-light version of a day image.

    Args:
        day: sRGB image, (H, W, 3); uint8 0..255 or float 0..1.
        exposure: share of the day's light that the sensor still gets, > 0 (0.03 is five stops
            less; above 1 brightens).
        rng: source of the noise; not used when both noises are 0.
        color_cast: gain of red, green and blue light, each ≥ 0.
        shot_noise: variance of the noise for each unit of signal = 1 / full well in electrons.
        read_noise: standard deviation of the noise without light, in full wells
            (electrons of read noise / full well in electrons).
        illumination: light that falls on the scene, (H, W) or (H, W, 3), float ≥ 0, in units of
            the ambient light: 1 is ambient alone, lamps add to it. None means 1 everywhere.
        emission: light that lamps send straight to the sensor, (H, W) or (H, W, 3), float ≥ 0,
            in full wells; exposure does not scale it. None means none.

    Returns:
        sRGB image, (H, W, 3) uint8.

    Raises:
        TaskError: an array has the wrong shape or type, or a number is out of its range.
    """
    _check_numbers(exposure, color_cast, shot_noise, read_noise)
    signal = _linear_day(day)
    signal *= np.float32(exposure) * np.asarray(color_cast, np.float32)
    if illumination is not None:
        signal *= _field(illumination, signal.shape, "illumination")
    if emission is not None:
        signal += _field(emission, signal.shape, "emission")
    if shot_noise or read_noise:
        signal = _add_noise(signal, rng, shot_noise, read_noise)
    return _encode(signal)


@dataclass(frozen=True)
class Darkening:
    """`darken` for the images of a dataset, with noise that `seed` and an image's id decide alone.

    So the noise is the same for every enhancer, whatever the batches and workers, and between two
    exposures only its strength changes. For the attributes see `darken`; `seed` ≥ 0.

    Raises:
        TaskError: a number is out of its range.
    """

    exposure: float
    seed: int = 0
    color_cast: tuple[float, float, float] = NEUTRAL
    shot_noise: float = SHOT_NOISE
    read_noise: float = READ_NOISE

    def __post_init__(self) -> None:
        _check_numbers(self.exposure, self.color_cast, self.shot_noise, self.read_noise)
        if self.seed < 0:
            raise TaskError(f"seed must be at least 0, not {self.seed}")

    def __call__(self, day: np.ndarray, image_id: str) -> np.ndarray:
        """A day image (H, W, 3), sRGB, uint8 or float 0..1 → the same darkened, uint8."""
        digest = hashlib.sha256(image_id.encode()).digest()
        return darken(
            day,
            exposure=self.exposure,
            rng=np.random.default_rng([self.seed, int.from_bytes(digest)]),
            color_cast=self.color_cast,
            shot_noise=self.shot_noise,
            read_noise=self.read_noise,
        )


def _check_numbers(
    exposure: float, cast: tuple[float, float, float], shot: float, read: float
) -> None:
    if not (np.isfinite(exposure) and exposure > 0):
        raise TaskError(f"exposure must be a number above 0, not {exposure}")
    if len(cast) != 3 or not (np.isfinite(cast).all() and min(cast) >= 0):
        raise TaskError(f"color_cast must be three numbers of at least 0, not {cast}")
    if not (0 <= shot < np.inf and 0 <= read < np.inf):
        raise TaskError(f"noise must be at least 0, not shot {shot} and read {read}")


def _linear_day(day: np.ndarray) -> np.ndarray:
    if day.ndim != 3 or day.shape[2] != 3:
        raise TaskError(f"the day image must have shape (H, W, 3), not {day.shape}")
    if day.dtype == np.uint8:
        return _DECODE[day]
    if not np.issubdtype(day.dtype, np.floating):
        raise TaskError(f"the day image must be uint8 or float, not {day.dtype}")
    if day.size and not (day.min() >= 0 and day.max() <= 1):
        raise TaskError("a float day image must lie in 0..1")
    return srgb_to_linear(day)


def _field(field: np.ndarray, shape: tuple[int, ...], name: str) -> np.ndarray:
    field = np.asarray(field, np.float32)
    if field.shape not in (shape, shape[:2]):
        raise TaskError(f"{name} has shape {field.shape}; the image is {shape}")
    if field.size and not field.min() >= 0:
        raise TaskError(f"{name} must be at least 0 everywhere")
    return field if field.ndim == 3 else field[..., None]


def _add_noise(
    signal: np.ndarray, rng: np.random.Generator, shot: float, read: float
) -> np.ndarray:
    deviation = np.sqrt(np.float32(shot) * signal + np.float32(read) ** 2)
    return signal + deviation * rng.standard_normal(signal.shape, np.float32)


def _encode(signal: np.ndarray) -> np.ndarray:
    # A table of 2^15 steps: its step is 0.1 of an 8-bit level where the curve is steepest.
    steps = np.clip(signal, 0, 1) * np.float32(_LUT_STEPS) + np.float32(0.5)
    return _ENCODE[steps.astype(np.uint16)]
