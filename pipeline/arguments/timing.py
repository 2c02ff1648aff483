"""Arguments of the commands that time enhancers and take them elsewhere."""

import argparse

from pipeline.arguments.device import add_amp, add_device
from pipeline.arguments.types import above_0, path, size


def add_bench(commands: argparse._SubParsersAction) -> None:
    bench = commands.add_parser("bench", help="what enhancers cost on this machine")
    bench.set_defaults(module="bench", function="bench")
    bench.add_argument(
        "--enhancer",
        nargs="+",
        required=True,
        metavar="NAME",
        help="as for `run`, but no images:DIR; all, all+lfpv; a bare network without weights here "
        "is timed untrained",
    )
    bench.add_argument(
        "--size",
        nargs="+",
        type=size,
        default=[(600, 400), (1920, 1080)],
        metavar="WxH",
        help="of the image (default: 600x400 1920x1080)",
    )
    add_device(bench)
    add_amp(bench)
    bench.add_argument(
        "--seconds",
        type=above_0,
        default=10,
        metavar="S",
        help="to time each enhancer at each size, but for three images at least (default: 10)",
    )
    bench.add_argument("--out", type=path, metavar="FILE", help="write all of it as JSON")


def add_export(commands: argparse._SubParsersAction) -> None:
    export = commands.add_parser(
        "export", help="an enhancer as an ONNX file, checked against torch"
    )
    export.set_defaults(module="export", function="export_onnx")
    export.add_argument(
        "enhancer", metavar="NAME", help="as for `run`, but no images:DIR and no onnx:FILE"
    )
    export.add_argument("--out", type=path, required=True, metavar="FILE.onnx")
