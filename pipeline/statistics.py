"""Uncertainty of a score: the bootstrap over images."""

from collections.abc import Callable

import numpy as np

RESAMPLES = 2000


def resample_weights(count: int, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each of `count` images occurs in each bootstrap resample.

    Returns:
        (resamples, count) int64, each row summing to `count`.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=resamples)


def percentile_interval(
    score: Callable[[np.ndarray], np.ndarray], count: int, level: float = 0.95, seed: int = 0
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
    values = score(resample_weights(count, seed=seed))
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
