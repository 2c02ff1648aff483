"""Two enhancers on the same images, and Holm's correction."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.statistics import (
    METHODS,
    Confusions,
    Values,
    bootstrap,
    holm,
    infer,
    mcnemar,
    paired_bootstrap,
    resample_weights,
)
from tasks.metrics import mean_iou


def answers(both, first, second, neither):
    """Right and wrong of two classifiers, from the four counts."""
    counts = (both, first, second, neither)
    pairs = ((True, True), (True, False), (False, True), (False, False))
    repeated = np.repeat(np.array(pairs), counts, axis=0)
    return repeated[:, 0], repeated[:, 1]


def exact(b, c):
    tail = sum(comb(b + c, k) for k in range(min(b, c) + 1))
    return float(min(Fraction(1), Fraction(2 * tail, 2 ** (b + c))))


def test_mcnemar_of_a_worked_example():
    """59, 6, 16, 80: exact p 0.053 where chi-square gives 0.033 and, corrected, 0.055."""
    found = mcnemar(*answers(59, 6, 16, 80))
    assert (found.first, found.second) == (6, 16)
    assert found.p == pytest.approx(0.0525, abs=1e-4)


@pytest.mark.parametrize(("b", "c"), [(0, 0), (0, 1), (5, 0), (4, 4), (3, 9), (400, 460)])
def test_mcnemar_is_exact(b, c):
    found = mcnemar(*answers(10, b, c, 3)).p
    assert found == pytest.approx(exact(b, c), rel=1e-9)
    if b + c:
        assert found == pytest.approx(binomtest(b, b + c).pvalue, rel=1e-9)


def test_an_enhancer_does_not_differ_from_itself(rng):
    score = Confusions(rng.integers(0, 9, (12, 3, 3)), mean_iou).scores
    for method in METHODS:
        found = paired_bootstrap(score, score, 12, method)
        assert (found.value, found.interval, found.p) == (0, (0, 0), 1)


def test_the_order_only_turns_the_sign(rng):
    first, second = (Confusions(rng.integers(0, 99, (20, 3, 3)), mean_iou).scores for _ in "ab")
    there, back = paired_bootstrap(first, second, 20), paired_bootstrap(second, first, 20)
    assert there.value == pytest.approx(-back.value)
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert there.p == pytest.approx(back.p)


def test_pairing_is_what_makes_a_small_gain_visible(rng):
    """Images differ by far more than enhancers: 5 dB among them, 0.3 dB between these."""
    first = rng.normal(20, 5, 100)
    second = first + rng.normal(0.3, 0.5, 100)
    paired = paired_bootstrap(Values(first).scores, Values(second).scores, 100)
    assert paired.value == pytest.approx(0.3, abs=0.15)
    assert paired.interval[0] > 0
    assert paired.p < 0.01
    apart = [
        bootstrap(Values(values).scores, resample_weights(100, seed=seed))
        for seed, values in enumerate((first, second))
    ]
    low, high = infer(apart[1] - apart[0]).interval
    assert low < 0 < high


def test_bootstrap_and_mcnemar_agree_on_many_images(rng):
    first, second = rng.random((2, 2500)) < np.array([[0.60], [0.62]])
    boot = paired_bootstrap(Values(first * 1.0).scores, Values(second * 1.0).scores, 2500)
    assert boot.value == pytest.approx(second.mean() - first.mean())
    assert boot.p == pytest.approx(mcnemar(first, second).p, abs=0.03)


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
        ([0.7, 0.6], [1, 1]),
        ([0.04], [0.04]),
        ([], []),
    ],
)
def test_holm_of_worked_examples(p, adjusted):
    assert holm(np.array(p)) == pytest.approx(adjusted)


def test_holm_keeps_false_discoveries_rare(rng):
    """Ten true null hypotheses, all of them tested: any rejection is false."""
    families = rng.random((2000, 10))
    plain = (families.min(1) < 0.05).mean()
    corrected = np.mean([holm(family).min() < 0.05 for family in families])
    assert plain > 0.35
    assert 0.03 < corrected < 0.07
