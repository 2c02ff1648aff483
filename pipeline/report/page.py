"""The page: one HTML file with everything in it."""

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.cost import in_giga
from pipeline.report.collect import STAGES
from pipeline.report.columns import Column
from pipeline.report.images import Gallery
from pipeline.report.sources import sources
from pipeline.report.study import Study
from pipeline.report.table import Number
from pipeline.report.views import cost_charts, view


def page(study: Study, warn: Callable[[str, str], None]) -> str:
    """HTML that needs no network; `warn` is told of pictures that cannot be shown."""
    environment = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    gallery = Gallery(warn)
    sections = []
    for bench in study.benches:
        of_bench = [column for column in study.columns if column.bench is bench]
        views = [(view(column), gallery.panels(column)) for column in of_bench]
        charts = list(cost_charts(of_bench[0]))
        sections.append({"bench": bench, "views": views, "charts": charts})
    return environment.get_template("page.html").render(
        study=study,
        sections=sections,
        apart=[column for column in study.columns if _stands_apart(column)],
        sources=sources(study.benches),
        number=Number,
        in_giga=in_giga,
        stages=STAGES,
    )


def _stands_apart(column: Column) -> bool:
    """Published figures are named apart from the dataset's own images only."""
    return column.apart is not None and column.bench.one.data == "user"
