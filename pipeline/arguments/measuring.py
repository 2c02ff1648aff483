"""Arguments of the commands that enhance and measure."""

import argparse
from pathlib import Path

from pipeline.arguments.types import level, natural, positive


def add_run(commands: argparse._SubParsersAction) -> None:
    run = commands.add_parser("run", help="measure enhancers on a downstream task")
    run.set_defaults(module="run", function="run")
    run.add_argument(
        "--enhancer",
        nargs="+",
        required=True,
        metavar="NAME",
        help="base[+lfpv][@weights], e.g. identity gamma@0.6 sci sci+lfpv sci@file.pt (see "
        "`pipeline list`), or your own: images:DIR onnx:FILE python:package.module:callable",
    )
    run.add_argument(
        "--task",
        required=True,
        help="codan, nighttime_driving, darkzurich, lol, or your own data: classification:DIR, "
        "segmentation:DIR, restoration:DIR",
    )
    run.add_argument("--root", metavar="DIR", help="the dataset (default: $PIPELINE_DATA/TASK)")
    run.add_argument(
        "--sample", action="store_true", help="use the built-in procedural scenes; no dataset"
    )
    run.add_argument(
        "--evaluator",
        metavar="MODEL",
        help="timm model, mmsegmentation config, or a listed evaluator (default: the task's)",
    )
    run.add_argument("--evaluator-weights", metavar="FILE", help="checkpoint of the evaluator")
    run.add_argument(
        "--class-map",
        metavar="FILE",
        help="YAML from the evaluator's classes to the task's, e.g. cityscapes_to_camvid.yaml",
    )
    run.add_argument("--protocol", metavar="NAME", help="see `pipeline data list`")
    run.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    run.add_argument("--amp", action="store_true", help="mixed precision")
    run.add_argument(
        "--batch-size", type=positive, metavar="N", help="images of one size at a time"
    )
    run.add_argument("--workers", type=natural, default=2, metavar="N", help="decoding processes")
    run.add_argument("--out", type=Path, default=Path("results"), metavar="DIR")
    run.add_argument(
        "--save-images",
        type=natural,
        default=0,
        metavar="N",
        help="save a panel of input, enhanced, prediction and truth for the first N images",
    )


def add_compare(commands: argparse._SubParsersAction) -> None:
    compare = commands.add_parser("compare", help="paired comparison of results on the same images")
    compare.set_defaults(module="compare", function="compare")
    compare.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="RESULT",
        help="result.json; the first is compared to",
    )
    compare.add_argument("--reference", metavar="NAME", help="the enhancer that is compared to")
    compare.add_argument("--score", metavar="SPLIT/METRIC", help="default: the headline")
    compare.add_argument(
        "--levels",
        nargs="+",
        type=level,
        metavar="LEVEL",
        help="edges of the brightness bins, mean levels of the input (default: quartiles)",
    )
    compare.add_argument("--interval", choices=["percentile", "bca"], default="percentile")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write all of it")


def add_enhance(commands: argparse._SubParsersAction) -> None:
    enhance = commands.add_parser("enhance", help="enhance image files and folders")
    enhance.set_defaults(module="enhance", function="enhance")
    enhance.add_argument(
        "input", nargs="+", type=Path, metavar="INPUT", help="an image file, or a folder of them"
    )
    enhance.add_argument(
        "--enhancer", required=True, metavar="NAME", help="as for `run`, but no images:DIR"
    )
    enhance.add_argument("--out", required=True, type=Path, metavar="DIR")
    enhance.add_argument("--overwrite", action="store_true", help="replace files in --out")
    enhance.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")


def add_inspect(commands: argparse._SubParsersAction) -> None:
    inspect = commands.add_parser("inspect", help="which LFPV nodes an image asks for")
    inspect.set_defaults(module="inspect", function="inspect")
    inspect.add_argument("enhancer", metavar="NAME", help="an enhancer with +lfpv")
    inspect.add_argument("image", type=Path, metavar="IMAGE")
    inspect.add_argument("--out", type=Path, required=True, metavar="FILE.png")
