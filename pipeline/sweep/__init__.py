"""A score against exposure: day images darkened step by step, for several enhancers."""

from pipeline.sweep.curves import Point, Sweep, curves, row
from pipeline.sweep.picture import save_picture

__all__ = ["Point", "Sweep", "curves", "row", "save_picture"]
