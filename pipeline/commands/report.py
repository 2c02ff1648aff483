"""`pipeline report`."""

import sys
from argparse import Namespace

from pipeline.files import require_writable
from pipeline.report import FILES, collect, study, write


def report(arguments: Namespace) -> None:
    """Write the page and the tables; say what was left out and where they are."""
    collection = collect(arguments.results)
    out = arguments.out or arguments.results / "report"
    for name in FILES:
        require_writable(out / name)
    for file, reason in collection.left_out:
        _warn(file, reason)
    for path in write(study(collection), out, _warn):
        print(f"{path}: {path.stat().st_size / 1000:,.1f} kB")


def _warn(file: str, reason: str) -> None:
    print(f"pipeline: left out: {file}: {reason}", file=sys.stderr)
