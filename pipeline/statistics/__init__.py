"""Uncertainty of scores: the bootstrap over images, paired tests, and seeds.

A score is a function of how often each image counts; see `bootstrap`. Images are taken as
independent: neighbouring frames of a video are not, and intervals over them are too narrow.
"""

from pipeline.statistics.bootstrap import (
    RESAMPLES,
    SEED,
    Distribution,
    Score,
    bootstrap,
    resample_weights,
)
from pipeline.statistics.intervals import (
    LEVEL,
    METHODS,
    Estimate,
    bca_interval,
    infer,
    percentile_interval,
)
from pipeline.statistics.paired import McNemar, holm, mcnemar, paired_bootstrap
from pipeline.statistics.records import Confusions, Values
from pipeline.statistics.spread import Spread, spread

__all__ = [
    "LEVEL",
    "METHODS",
    "RESAMPLES",
    "SEED",
    "Confusions",
    "Distribution",
    "Estimate",
    "McNemar",
    "Score",
    "Spread",
    "Values",
    "bca_interval",
    "bootstrap",
    "holm",
    "infer",
    "mcnemar",
    "paired_bootstrap",
    "percentile_interval",
    "resample_weights",
    "spread",
]
