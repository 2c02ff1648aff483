"""What the command line takes. Nothing heavy is imported, so that `--help` answers at once."""

import argparse
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pipeline.arguments import batching, listing, measuring, timing, training
from pipeline.arguments.types import filled


class _Parser(argparse.ArgumentParser):
    """Refuses empty texts, which would mean a default that nobody asked for."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("type", None, filled)

    def add_subparsers(self, **options: Any) -> argparse._SubParsersAction:
        """Commands, each with a parser of its own that looks at its words."""
        action = super().add_subparsers(**options)
        action.type = str
        return action


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments; `module` and `function` say what to call."""
    top = _Parser(
        prog="pipeline",
        description="Downstream-task evaluation of low-light image enhancement.",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    measuring.add_run(commands)
    measuring.add_sweep(commands)
    batching.add_batch(commands)
    batching.add_doctor(commands)
    batching.add_score(commands)
    measuring.add_compare(commands)
    measuring.add_report(commands)
    measuring.add_enhance(commands)
    measuring.add_inspect(commands)
    measuring.add_submit(commands)
    timing.add_bench(commands)
    timing.add_export(commands)
    listing.add_list(commands)
    listing.add_protocols(commands)
    listing.add_weights(commands)
    training.add_train(commands)
    training.add_train_evaluator(commands)
    listing.add_data(commands)
    return top


def _version() -> str:
    try:
        return version("llie-pipeline")
    except PackageNotFoundError:
        return "(not installed)"
