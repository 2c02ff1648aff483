"""Resampling images: the bootstrap and the jackknife of any score.

A score takes weights (R, N), how often each of N images counts in each of R resamples, and gives
one value per resample, (R,) or (R, K). So a resample of confusion matrices is a matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
SEED = 0
JACKKNIFE_ROWS = 256

Score = Callable[[np.ndarray], np.ndarray]


def resample_weights(count: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each of `count` images occurs in each bootstrap resample.

    Returns:
        (resamples, count) int64, each row summing to `count`.
    """
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), size=resamples)


@dataclass(frozen=True)
class Distribution:
    """A score of N images with what resampling says of it.

    Attributes:
        estimate: () or (K,), of all images.
        resampled: (R,) or (R, K), of each bootstrap resample.
        jackknife: (N,) or (N, K), without each image in turn.
    """

    estimate: np.ndarray
    resampled: np.ndarray
    jackknife: np.ndarray

    def __sub__(self, other: "Distribution") -> "Distribution":
        """The paired difference: both must come from the same images and the same resamples."""
        return Distribution(
            self.estimate - other.estimate,
            self.resampled - other.resampled,
            self.jackknife - other.jackknife,
        )

    def column(self, index: int) -> "Distribution":
        """One of K scores."""
        return Distribution(
            self.estimate[index], self.resampled[:, index], self.jackknife[:, index]
        )


def bootstrap(score: Score, weight: np.ndarray) -> Distribution:
    """Distribution of a score over images (Efron & Tibshirani 1993, chapters 6 and 11).

    Args:
        score: weights (R, N) → (R,) or (R, K).
        weight: (R, N), from `resample_weights`; the same for scores that are to be paired.
    """
    count = weight.shape[1]
    return Distribution(
        score(np.ones((1, count)))[0],
        score(weight.astype(np.float64, copy=False)),
        _jackknife(score, count),
    )


def _jackknife(score: Score, count: int) -> np.ndarray:
    """Block by block, since all N leave-one-out weights together are an N×N matrix."""
    blocks = []
    for start in range(0, count, JACKKNIFE_ROWS):
        rows = np.arange(start, min(start + JACKKNIFE_ROWS, count))
        weight = np.ones((len(rows), count))
        weight[np.arange(len(rows)), rows] = 0
        blocks.append(score(weight))
    return np.concatenate(blocks)
