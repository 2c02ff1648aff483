"""How often do 95 % intervals hold the true value? Drawn data, whose true value is known.

Means of per-image differences (as of PSNR), rare disagreements (Top-1), and mIoU with its paired
difference, of as many images as LOL, Nighttime Driving and Dark Zurich have. About a minute.
"""

from collections.abc import Callable

import numpy as np

from pipeline.statistics import METHODS, Confusions, Values, bootstrap, infer, resample_weights
from pipeline.statistics.bootstrap import Distribution
from tasks.metrics import mean_iou

TRIALS = 500
POPULATION = 5000
CLASSES = 19
COUNTS = (15, 50, 151)


def main() -> None:
    """Print one line a score and number of images."""
    rng = np.random.default_rng(0)
    print(f"{TRIALS} trials; share of 95 % intervals that hold the truth: {', '.join(METHODS)}")
    first, second = _populations(rng)
    truth = mean_iou(np.stack([first.sum(0), second.sum(0)]))

    def means(weight: np.ndarray) -> Distribution:
        return bootstrap(Values(rng.normal(0, 1, weight.shape[1])).scores, weight)

    def answers(weight: np.ndarray) -> Distribution:
        drawn = rng.choice([-1.0, 0.0, 1.0], weight.shape[1], p=[0.1, 0.8, 0.1])
        return bootstrap(Values(drawn).scores, weight)

    def score(weight: np.ndarray) -> Distribution:
        chosen = rng.choice(POPULATION, weight.shape[1], replace=False)
        return bootstrap(Confusions(first[chosen], mean_iou).scores, weight)

    def difference(weight: np.ndarray) -> Distribution:
        chosen = rng.choice(POPULATION, weight.shape[1], replace=False)
        one, other = (bootstrap(Confusions(c[chosen], mean_iou).scores, weight) for c in both)
        return other - one

    both = (first, second)
    for count in COUNTS:
        _print("mean difference", count, means, 0.0)
        _print("Top-1 difference", count, answers, 0.0)
        _print("mIoU", count, score, truth[0])
        _print("mIoU difference", count, difference, truth[1] - truth[0])


def _print(name: str, count: int, draw: Callable[[np.ndarray], Distribution], truth: float) -> None:
    held = dict.fromkeys(METHODS, 0)
    for trial in range(TRIALS):
        distribution = draw(resample_weights(count, seed=trial))
        for method in METHODS:
            low, high = infer(distribution, method).interval
            held[method] += low <= truth <= high
    shares = "".join(f"{100 * held[method] / TRIALS:8.1f}" for method in METHODS)
    print(f"{name:18}{count:5} images{shares}")


def _populations(rng: np.random.Generator) -> list[np.ndarray]:
    """Two models' confusion matrices of the same images, (POPULATION, C, C) int64 each.

    Images hold few classes, differ in how hard they are, and the models differ a little.
    """
    classes = np.arange(CLASSES)
    share = rng.dirichlet(0.001 + 12 * rng.dirichlet(np.full(CLASSES, 0.4)), POPULATION)
    pixels = np.round(100_000 * share * (share > 0.01))
    hardness = rng.normal(0.5, 1, (POPULATION, 1)) + rng.normal(0, 1, CLASSES)
    mistaken_for = rng.dirichlet(np.full(CLASSES, 0.5), CLASSES)
    populations = []
    for better in (0.0, 0.15):
        logit = hardness + better + rng.normal(0, 0.6, (POPULATION, CLASSES))
        hits = pixels / (1 + np.exp(-logit))
        counts = (pixels - hits)[:, :, None] * mistaken_for
        counts[:, classes, classes] += hits
        populations.append(np.round(counts).astype(np.int64))
    return populations


if __name__ == "__main__":
    main()
