"""Per-image records as scores that can be resampled."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tasks import metrics


@dataclass(frozen=True)
class Values:
    """A mean of per-image values: PSNR, SSIM, LPIPS, or 1 and 0 for right and wrong (Top-1).

    Attributes:
        values: (N,) float64.
    """

    values: np.ndarray

    def scores(self, weight: np.ndarray) -> np.ndarray:
        """Weights (R, N) → (R,)."""
        return metrics.mean(self.values, weight)

    def per_image(self) -> np.ndarray:
        """(N,)."""
        return self.values

    def take(self, chosen: np.ndarray) -> "Values":
        """Those of some images; `chosen` is a mask or an index."""
        return Values(self.values[chosen])


@dataclass(frozen=True)
class Confusions:
    """A metric of the summed confusion matrix: mIoU, or the IoU of each class.

    Attributes:
        counts: (N, C, C) or (N, C, C+1) int64, rows truth, columns prediction; see
            `tasks.metrics.confusion_matrix`.
        metric: (..., C, C) or (..., C, C+1) → (...) or (..., K); see `tasks.metrics`.
    """

    counts: np.ndarray
    metric: Callable[[np.ndarray], np.ndarray]

    def scores(self, weight: np.ndarray) -> np.ndarray:
        """Weights (R, N) → (R,) or (R, K)."""
        return self.metric(metrics.total(self.counts, weight))

    def per_image(self) -> np.ndarray:
        """(N,) or (N, K), of each image alone; NaN where nothing is labelled."""
        return self.metric(self.counts)

    def take(self, chosen: np.ndarray) -> "Confusions":
        """Those of some images; `chosen` is a mask or an index."""
        return Confusions(self.counts[chosen], self.metric)
