import numpy as np
import pytest
from scipy.stats import bootstrap

from pipeline.statistics import percentile_interval, resample_weights


def test_resamples_are_resamples():
    weights = resample_weights(7, 50)
    assert weights.shape == (50, 7)
    assert (weights.sum(1) == 7).all()
    np.testing.assert_array_equal(weights, resample_weights(7, 50))


def test_interval_agrees_with_scipy(rng):
    correct = (rng.random(400) < 0.7).astype(float)
    ours = percentile_interval(lambda w: w @ correct / w.sum(1), len(correct))
    theirs = bootstrap(
        (correct,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.008)


def test_one_image_has_no_interval():
    assert percentile_interval(lambda w: w[:, 0], 1) is None
