"""Paired comparison of results on the same images: over all, by brightness, by class."""

from pipeline.compare.differences import Difference
from pipeline.compare.report import Comparison, Report, compare

__all__ = ["Comparison", "Difference", "Report", "compare"]
