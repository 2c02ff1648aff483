"""Scores over seeds or evaluators."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Mean ± deviation of a few trainings, which an interval over images knows nothing of.

    Attributes:
        mean: arithmetic mean.
        deviation: of the sample, √(Σ(x − mean)² / (n − 1)); None of one.
        count: n.
    """

    mean: float
    deviation: float | None
    count: int

    def __str__(self) -> str:
        deviation = "" if self.deviation is None else f" ± {self.deviation:.2f}"
        return f"{self.mean:.2f}{deviation} (n = {self.count})"


def spread(values: np.ndarray) -> Spread:
    """Of one score under n seeds or n evaluators, (n,), n at least 1."""
    values = np.asarray(values, np.float64)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else None
    return Spread(float(values.mean()), deviation, len(values))
