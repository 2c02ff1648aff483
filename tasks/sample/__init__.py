"""Procedural sample scenes: streets and objects by day and by night, drawn, not downloaded."""

from tasks.sample.layouts import Counts
from tasks.sample.render import VERSION, render

__all__ = ["VERSION", "Counts", "render"]
