"""Paired comparison of results on the same images: over all, by brightness, by class."""

from pipeline.compare.differences import Difference, with_holm
from pipeline.compare.repeats import Repeated, Repeats, compare_over
from pipeline.compare.report import Comparison, Report, between, compare, overall

__all__ = [
    "Comparison",
    "Difference",
    "Repeated",
    "Repeats",
    "Report",
    "between",
    "compare",
    "compare_over",
    "overall",
    "with_holm",
]
