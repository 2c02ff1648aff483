"""Arguments of the commands that work on whole batches."""

import argparse

from pipeline.arguments.device import add_device
from pipeline.arguments.types import natural, path, positive


def add_batch(commands: argparse._SubParsersAction) -> None:
    batch = commands.add_parser("batch", help="measure enhancers × tasks from a file; goes on")
    batch.set_defaults(module="batch", function="batch")
    _add_config(batch)
    batch.add_argument("--out", type=path, metavar="DIR", help="default: results/CONFIG's name")
    batch.add_argument(
        "--dry-run", action="store_true", help="show the cells and what they need; run nothing"
    )
    batch.add_argument("--retry-failed", action="store_true", help="run failed cells again")
    batch.add_argument("--fail-fast", action="store_true", help="stop at the first failure")
    batch.add_argument(
        "--jobs", type=positive, default=1, metavar="N", help="processes, one a GPU where there are"
    )
    batch.add_argument(
        "--launcher",
        choices=["local", "slurm"],
        default="local",
        help="slurm: a job a cell, as `slurm:` in the config asks for (extra slurm)",
    )
    batch.add_argument(
        "--cache", type=path, metavar="DIR", help="keep enhanced images for other evaluators"
    )
    batch.add_argument(
        "--cache-size", type=positive, default=20, metavar="GB", help="of the cache (default: 20)"
    )
    add_device(batch)
    batch.add_argument(
        "--workers", type=natural, default=2, metavar="N", help="decoding processes of each"
    )


def add_doctor(commands: argparse._SubParsersAction) -> None:
    doctor = commands.add_parser("doctor", help="check all that a batch needs, with one image each")
    doctor.set_defaults(module="doctor", function="doctor")
    _add_config(doctor)
    add_device(doctor)


def add_score(commands: argparse._SubParsersAction) -> None:
    score = commands.add_parser("score", help="recompute a batch's scores from its records")
    score.set_defaults(module="score", function="score")
    score.add_argument("folder", type=path, metavar="FOLDER", help="of a batch, or of one cell")


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "config", metavar="CONFIG", help="YAML file, or one that ships: paper, real, sample"
    )
