"""From a folder of results to a page, and its table in other formats."""

from pipeline.report.collect import collect
from pipeline.report.study import Study, study
from pipeline.report.write import FILES, write

__all__ = ["FILES", "Study", "collect", "study", "write"]
