"""Bootstrap intervals, and the p-values that belong to them."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from pipeline.statistics.bootstrap import (
    RESAMPLES,
    SEED,
    Distribution,
    Score,
    bootstrap,
    resample_weights,
)

LEVEL = 0.95
METHODS = ("percentile", "bca")


@dataclass(frozen=True)
class Estimate:
    """A score with its uncertainty.

    Attributes:
        value: of all images.
        interval: (low, high).
        method: of the interval, "percentile" or "bca".
        p: two-sided, of the hypothesis that the true value is 0.
    """

    value: float
    interval: tuple[float, float]
    method: str
    p: float


@dataclass(frozen=True)
class Correction:
    """BCa's bias z0 and acceleration a; without them, BCa is the percentile method."""

    bias: float = 0.0
    acceleration: float = 0.0

    def level(self, level: float) -> float:
        """The quantile of the resamples that is the corrected end point for `level`: Φ of
        z0 + (z0 + z) / (1 − a·(z0 + z)), z = Φ⁻¹(level)."""
        z = self.bias + ndtri(level)
        scale = 1 - self.acceleration * z
        # Beyond the pole no resample is far enough out.
        return float(ndtr(self.bias + z / scale)) if scale > 0 else float(z > 0)

    def inverse(self, quantile: float) -> float:
        """The level whose corrected end point is that quantile."""
        z = ndtri(quantile) - self.bias
        scale = 1 + self.acceleration * z
        return float(ndtr(z / scale - self.bias)) if scale > 0 else float(z > 0)


def percentile_interval(
    score: Score, count: int, level: float = LEVEL, seed: int = SEED
) -> tuple[float, float] | None:
    """Percentile bootstrap interval over images (Efron & Tibshirani 1993, chapter 13).

    Args:
        score: weights (R, N) → scores (R,).
        count: number of images N.

    Returns:
        (low, high) in the score's unit; None with fewer than two images.
    """
    if count < 2:
        return None
    return _ends(score(resample_weights(count, seed=seed)), Correction(), level)


def bca_interval(
    score: Score, count: int, level: float = LEVEL, seed: int = SEED
) -> tuple[float, float] | None:
    """BCa bootstrap interval over images: bias-corrected and accelerated.

    Second-order correct: it follows bias and skewness of the score (DiCiccio & Efron 1996), which
    are small for mIoU and for paired differences: `bench/interval_coverage.py` sees no gain there.

    Args:
        score: weights (R, N) → scores (R,).
        count: number of images N.

    Returns:
        (low, high) in the score's unit; None with fewer than two images, or where BCa is not
        defined: every resample on one side of the score.
    """
    if count < 2:
        return None
    distribution = bootstrap(score, resample_weights(count, RESAMPLES, seed))
    correction = bca_correction(distribution)
    return _ends(distribution.resampled, correction, level) if correction else None


def infer(distribution: Distribution, method: str = "percentile", level: float = LEVEL) -> Estimate:
    """Value, interval and p-value of one score, most often a paired difference.

    The p-value inverts the interval: p = 2·min(p₋, p₊), where p₋ (p₊) is 1 − the level of the
    largest one-sided interval that leaves 0 out below (above) it; for the percentile method p₋ is
    (1 + #{resamples ≤ 0}) / (R + 1). So p < 0.05 where the 95 % interval leaves 0 out, up to one
    resample, and p is never below 2 / (R + 1). (Achieved significance level, Efron & Tibshirani
    1993, chapter 15.)

    Where BCa is not defined the percentile interval takes its place, as `method` then says.
    Resamples without a score (NaN: a class or every label is absent) are left out.
    """
    correction = bca_correction(distribution) if method == "bca" else None
    return Estimate(
        value=float(distribution.estimate),
        interval=_ends(distribution.resampled, correction or Correction(), level),
        method="bca" if correction else "percentile",
        p=_two_sided(distribution.resampled, correction or Correction()),
    )


def bca_correction(distribution: Distribution) -> Correction | None:
    """z0 = Φ⁻¹(#{resamples < estimate} / R), ties by half; a = Σd³ / (6·(Σd²)^1.5), d = mean of
    the jackknife − jackknife; None where z0 is infinite."""
    values = _finite(distribution.resampled)
    below, equal = _count(values, float(distribution.estimate))
    share = (below + equal / 2) / len(values)
    if not 0 < share < 1:
        return None
    left_out = _finite(distribution.jackknife)
    deviation = left_out.mean() - left_out
    square = float((deviation**2).sum())
    # All alike up to rounding: a constant has no skewness.
    if math.sqrt(square) <= 1e-12 * np.abs(left_out).max():
        return Correction(float(ndtri(share)), 0.0)
    return Correction(float(ndtri(share)), float((deviation**3).sum()) / (6 * square**1.5))


def _ends(resampled: np.ndarray, correction: Correction, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    ends = [correction.level(tail), correction.level(1 - tail)]
    low, high = np.nanquantile(resampled, ends)
    return float(low), float(high)


def _two_sided(resampled: np.ndarray, correction: Correction) -> float:
    values = _finite(resampled)
    below, equal = _count(values, 0.0)
    smallest = 1 / (len(values) + 1)
    # One more resample, on the side of the hypothesis, so that no p-value is 0.
    low = correction.inverse(min((below + equal + 1) * smallest, 1 - smallest / 2))
    above = len(values) - below - equal
    high = 1 - correction.inverse(max(1 - (above + equal + 1) * smallest, smallest / 2))
    return min(1.0, 2 * max(min(low, high), smallest))


def _finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def _count(values: np.ndarray, threshold: float) -> tuple[int, int]:
    """How many are below, and at, the threshold; differences of sums are equal up to rounding."""
    near = np.abs(values - threshold) <= 1e-9 * max(np.ptp(values), abs(threshold), 1e-300)
    return int(((values < threshold) & ~near).sum()), int(near.sum())
