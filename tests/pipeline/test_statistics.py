"""Intervals against scipy's, against cases whose answer is known, and by simulation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import ttest_1samp

from pipeline.statistics import (
    METHODS,
    Confusions,
    Distribution,
    Values,
    bca_interval,
    bootstrap,
    infer,
    percentile_interval,
    resample_weights,
    spread,
)
from tasks.metrics import class_iou, mean_iou


def test_resamples_are_resamples():
    weights = resample_weights(7, 50)
    assert weights.shape == (50, 7)
    assert (weights.sum(1) == 7).all()
    np.testing.assert_array_equal(weights, resample_weights(7, 50))


def test_recorded_intervals_stay_what_they_are():
    assert resample_weights(4, 2, seed=3).tolist() == [[0, 1, 2, 1], [1, 0, 1, 2]]
    squares = Values(np.arange(10.0) ** 2)
    assert percentile_interval(squares.scores, 10) == pytest.approx((13.2, 45.4))


def test_interval_agrees_with_scipy(rng):
    correct = (rng.random(400) < 0.7).astype(float)
    ours = percentile_interval(lambda w: w @ correct / w.sum(1), len(correct))
    theirs = scipy_bootstrap(
        (correct,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.008)


def ratio(hits, union):
    return hits.sum() / union.sum()


def scipys(samples, statistic, resampled, method, level):
    """scipy's interval from resamples that are ours."""
    options = {"paired": True, "vectorized": False, "confidence_level": level}
    drawn = scipy_bootstrap(samples, statistic, n_resamples=2, method="percentile", **options)
    given = replace(drawn, bootstrap_distribution=resampled)
    interval = scipy_bootstrap(
        samples, statistic, n_resamples=0, bootstrap_result=given, method=method, **options
    ).confidence_interval
    return interval.low, interval.high


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("method", METHODS)
def test_the_same_resamples_give_scipys_interval(rng, method, level):
    skewed = rng.exponential(1, 40)
    union = rng.integers(5, 500, 60).astype(float)
    hits = np.round(union * rng.beta(1, 3, 60))
    right = (rng.random(30) < 0.8).astype(float)
    cases = (
        ((skewed,), np.mean, Values(skewed).scores, 40),
        ((hits, union), ratio, lambda w: w @ hits / (w @ union), 60),
        # Ties: many resamples equal the estimate.
        ((right,), np.mean, Values(right).scores, 30),
    )
    for samples, statistic, score, count in cases:
        distribution = bootstrap(score, resample_weights(count, 1000))
        found = infer(distribution, method, level)
        assert found.method == method
        expected = scipys(samples, statistic, distribution.resampled, method, level)
        assert found.interval == pytest.approx(expected, rel=1e-9)
        assert found.value == pytest.approx(statistic(*samples))


def test_bca_follows_the_skewness(rng):
    skewed = rng.exponential(1, 80)
    corrected = bca_interval(Values(skewed).scores, 80)
    plain = percentile_interval(Values(skewed).scores, 80)
    assert corrected[0] > plain[0]
    assert corrected[1] > plain[1]


def test_one_image_has_no_interval():
    assert percentile_interval(lambda w: w[:, 0], 1) is None
    assert bca_interval(lambda w: w[:, 0], 1) is None


def test_where_bca_is_not_defined_the_percentile_interval_says_so():
    """The number of different images: every resample of 20 has fewer than 20."""

    def different(weight):
        return (weight > 0).sum(1).astype(float)

    distribution = bootstrap(different, resample_weights(20))
    assert infer(distribution, "bca").method == "percentile"
    assert infer(distribution, "bca") == infer(distribution, "percentile")
    assert bca_interval(different, 20) is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 1.0, -0.3])
def test_a_score_that_never_changes(method, value):
    found = infer(bootstrap(Values(np.full(20, value)).scores, resample_weights(20)), method)
    assert found.interval == pytest.approx((value, value))
    assert found.p == pytest.approx(2 / 2001 if value else 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shift", [0.05, 0.15, -0.2])
def test_the_p_value_inverts_the_interval(rng, method, shift):
    """Just below the level 1 − p the interval leaves 0 out, just above it holds 0."""
    sample = rng.exponential(1, 60) - 1 + shift
    distribution = bootstrap(Values(sample).scores, resample_weights(60))
    p = infer(distribution, method).p
    assert 0.01 < p < 0.95
    for step, covers in ((-0.01, False), (0.01, True)):
        low, high = infer(distribution, method, 1 - p + step).interval
        assert (low <= 0 <= high) is covers


def test_the_p_value_is_near_students(rng):
    for shift in (0.0, 0.08, 0.15):
        sample = rng.normal(shift, 1, 500)
        distribution = bootstrap(Values(sample).scores, resample_weights(500))
        assert infer(distribution).p == pytest.approx(ttest_1samp(sample, 0).pvalue, abs=0.03)


def test_coverage_and_false_alarms_by_simulation(rng):
    held, alarms, trials = dict.fromkeys(METHODS, 0), 0, 400
    for trial in range(trials):
        sample = rng.normal(0, 1, 100)
        distribution = bootstrap(Values(sample).scores, resample_weights(100, 500, seed=trial))
        for method in METHODS:
            low, high = infer(distribution, method).interval
            held[method] += low <= 0 <= high
        alarms += infer(distribution).p < 0.05
    for method in METHODS:
        assert 0.91 < held[method] / trials < 0.98
    assert 0.02 < alarms / trials < 0.09


def test_the_jackknife_leaves_each_image_out(rng):
    """More images than a block of the jackknife holds."""
    values = rng.random(600)
    found = bootstrap(Values(values).scores, resample_weights(600, 3)).jackknife
    np.testing.assert_allclose(found, (values.sum() - values) / 599)


@pytest.mark.parametrize("metric", [mean_iou, class_iou])
def test_a_resample_of_confusions_is_a_dataset_of_its_images(rng, metric):
    counts = rng.integers(0, 50, (9, 4, 4)) * (rng.random((9, 4, 1)) < 0.5)
    weight = resample_weights(9, 20)
    found = bootstrap(Confusions(counts, metric).scores, weight)
    for row, score in zip(weight, found.resampled, strict=True):
        np.testing.assert_allclose(score, metric(np.repeat(counts, row, axis=0).sum(0)))
    for image, score in enumerate(found.jackknife):
        np.testing.assert_allclose(score, metric(np.delete(counts, image, axis=0).sum(0)))
    np.testing.assert_allclose(found.estimate, metric(counts.sum(0)))
    np.testing.assert_allclose(Confusions(counts, metric).per_image(), metric(counts))


def test_resamples_without_a_score_are_left_out(rng):
    values = rng.normal(1, 1, 50)
    whole = bootstrap(Values(values).scores, resample_weights(50))
    absent = np.append(whole.resampled, [np.nan] * 7)
    for method in METHODS:
        found = infer(Distribution(whole.estimate, absent, whole.jackknife), method)
        assert found == infer(whole, method)


def test_mean_and_deviation_over_seeds():
    found = spread([2, 4, 4, 4, 5, 5, 7, 9])
    assert (found.mean, found.count) == (5, 8)
    assert found.deviation == pytest.approx((32 / 7) ** 0.5)
    assert f"{found:+.2f}" == "+5.00 ± 2.14 (n = 8)"
    assert spread([3.0]).deviation is None
    assert f"{spread([3.0]):.1f}" == "3.0 (n = 1)"


def test_predicted_void_is_resampled_as_a_miss(rng):
    counts = rng.integers(1, 50, (8, 3, 4))
    records, weight = Confusions(counts, class_iou), resample_weights(8, 5)
    repeated = [class_iou(np.repeat(counts, row, axis=0).sum(0)) for row in weight]
    np.testing.assert_allclose(records.scores(weight), repeated)
    assert (records.per_image() < Confusions(counts[..., :3], class_iou).per_image()).all()
