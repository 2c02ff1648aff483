"""Two enhancers on the same images, and families of such comparisons."""

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from pipeline.statistics.bootstrap import SEED, Score, bootstrap, resample_weights
from pipeline.statistics.intervals import Estimate, infer


@dataclass(frozen=True)
class McNemar:
    """McNemar's test.

    Attributes:
        first, second: images that only the first, or only the second, has right.
        p: exact, two-sided.
    """

    first: int
    second: int
    p: float


def paired_bootstrap(
    first: Score, second: Score, count: int, method: str = "percentile", seed: int = SEED
) -> Estimate:
    """Second − first on the same images: every resample is scored by both.

    Args:
        first, second: weights (R, N) → scores (R,).
        count: number of images N.
        method: "percentile" or "bca"; see `infer`, also for the p-value.
    """
    weight = resample_weights(count, seed=seed)
    return infer(bootstrap(second, weight) - bootstrap(first, weight), method)


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """Exact test of equal accuracy (McNemar 1947): of b + c images that one alone has right, each
    is as likely the first's as the second's, p = min(1, 2·P(X ≤ min(b, c))), X ~ B(b + c, ½).

    Args:
        first, second: (N,) bool, whether each has image n right.
    """
    b, c = int((first & ~second).sum()), int((second & ~first).sum())
    return McNemar(b, c, min(1.0, 2 * float(bdtr(min(b, c), b + c, 0.5))))


def holm(p: np.ndarray) -> np.ndarray:
    """p-values adjusted for their family (Holm 1979): with p₍₁₎ ≤ … ≤ p₍ₘ₎, the i-th becomes
    max over j ≤ i of min(1, (m − j + 1)·p₍ⱼ₎). Comparing them with 0.05 keeps the chance of any
    false discovery in the family below 0.05, however the tests depend on each other.

    Args:
        p: (m,) in [0, 1].

    Returns:
        (m,) in the order given.
    """
    p = np.asarray(p, np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1, p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted
