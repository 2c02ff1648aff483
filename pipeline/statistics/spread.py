"""Scores over seeds or evaluators."""

from collections.abc import Sequence
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

    def __format__(self, spec: str) -> str:
        """`spec` is of the mean; the deviation has no sign."""
        plain = spec.lstrip("+")
        deviation = "" if self.deviation is None else f" ± {self.deviation:{plain}}"
        return f"{self.mean:{spec}}{deviation} (n = {self.count})"


def spread(values: Sequence[float]) -> Spread:
    """Of one score under n seeds or n evaluators, (n,), n at least 1."""
    values = np.asarray(values, np.float64)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else None
    return Spread(float(values.mean()), deviation, len(values))
