"""Charts as inline SVG, and the heat map's colours: pure functions of numbers."""

from pipeline.report.charts.bars import Bar, bars
from pipeline.report.charts.heat import heat
from pipeline.report.charts.lines import Line, lines
from pipeline.report.charts.scatter import Dot, scatter

__all__ = ["Bar", "Dot", "Line", "bars", "heat", "lines", "scatter"]
