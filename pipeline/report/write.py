"""The report's files."""

from collections.abc import Callable
from pathlib import Path

from pipeline.files import atomic
from pipeline.report.formats import comma_separated, latex, markdown
from pipeline.report.page import page
from pipeline.report.study import Study

FILES = ("index.html", "table.md", "table.tex", "table.csv")


def write(study: Study, folder: Path, warn: Callable[[str, str], None]) -> list[Path]:
    """Write all four, each whole or not at all; see `page` for `warn`.

    Raises:
        PipelineError: the folder cannot be written.
    """
    table = study.table
    texts = (page(study, warn), markdown(table), latex(table), comma_separated(table))
    paths = [folder / name for name in FILES]
    for path, text in zip(paths, texts, strict=True):
        with atomic(path) as temporary:
            # JSON can hold half a surrogate pair, which UTF-8 cannot.
            temporary.write_bytes(text.encode("utf-8", "replace"))
    return paths
