"""What do intervals and paired tests cost? CPU time, median of 5, one thread is enough.

Top-1 of 2,500 images, as many as CODaN's test_night, and mIoU of 500 confusion matrices of 19×19.
"""

import platform
import statistics
import time
from collections.abc import Callable

import numpy as np

from pipeline.statistics import (
    RESAMPLES,
    Confusions,
    Values,
    bca_interval,
    mcnemar,
    paired_bootstrap,
    percentile_interval,
)
from tasks.metrics import mean_iou

RUNS = 5


def seconds(call: Callable[[], object]) -> float:
    """Median CPU time of a call."""
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def print_times(title: str, first: Values | Confusions, second: Values | Confusions) -> None:
    """Print one line a method."""
    count = len(first.per_image())
    calls = {
        "percentile": lambda: percentile_interval(first.scores, count),
        "BCa": lambda: bca_interval(first.scores, count),
        "paired": lambda: paired_bootstrap(first.scores, second.scores, count),
        "paired, BCa": lambda: paired_bootstrap(first.scores, second.scores, count, "bca"),
    }
    print(title)
    for name, call in calls.items():
        print(f"  {name:12}{1000 * seconds(call):8.1f} ms")


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    print(f"python {platform.python_version()}, {RESAMPLES} resamples, median of {RUNS}, CPU time")
    right = rng.random((2, 2500)) < 0.6
    print_times("Top-1, 2,500 images", *(Values(one.astype(float)) for one in right))
    print(f"  {'McNemar':12}{1000 * seconds(lambda: mcnemar(*right)):8.1f} ms")
    counts = rng.integers(0, 100_000, (2, 500, 19, 19))
    print_times("mIoU, 500 images, 19 classes", *(Confusions(one, mean_iou) for one in counts))
