"""Arguments of the commands that enhance and measure."""

import argparse
from pathlib import Path

from pipeline.arguments.device import add_amp, add_device
from pipeline.arguments.types import above_0, level, natural, path, positive, seed


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
    _add_data(run)
    _add_evaluator(run)
    _add_chain(run)
    _add_results(
        run,
        "the N images that gain and the N that lose most against identity, or of the first N where "
        "there is no identity",
    )


def add_sweep(commands: argparse._SubParsersAction) -> None:
    sweep = commands.add_parser("sweep", help="scores of day images that are darkened step by step")
    sweep.set_defaults(module="sweep", function="sweep")
    sweep.add_argument(
        "--enhancer",
        nargs="+",
        required=True,
        metavar="NAME",
        help="as for `run`, but no images:DIR; differences are to identity, or to the first",
    )
    sweep.add_argument(
        "--task", required=True, help="as for `run`, of images by day; no restoration"
    )
    _add_data(sweep)
    sweep.add_argument("--split", metavar="NAME", help="of a task with several, e.g. test_day")
    sweep.add_argument(
        "--exposure",
        nargs="+",
        type=above_0,
        default=[1, 0.5, 0.25, 0.12, 0.06, 0.03],
        metavar="SHARE",
        help="of the day's light (default: 1 0.5 0.25 0.12 0.06 0.03)",
    )
    sweep.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of the noise, which exposure 1 has too"
    )
    sweep.add_argument(
        "--color-cast", nargs=3, type=float, metavar=("R", "G", "B"), help="gains (default: 1 1 1)"
    )
    sweep.add_argument(
        "--shot-noise",
        type=float,
        metavar="V",
        help="1 / full well in electrons (default: 1/4000; 0 is none)",
    )
    sweep.add_argument(
        "--read-noise",
        type=float,
        metavar="S",
        help="standard deviation in full wells (default: 2/4000; 0 is none)",
    )
    _add_evaluator(sweep)
    _add_chain(sweep)
    _add_results(sweep, "the first N images")


def add_compare(commands: argparse._SubParsersAction) -> None:
    compare = commands.add_parser("compare", help="paired comparison of results on the same images")
    compare.set_defaults(module="compare", function="compare")
    compare.add_argument(
        "results",
        nargs="+",
        type=path,
        metavar="RESULT",
        help="result.json, or a folder of them, identity first; the first is the reference",
    )
    compare.add_argument("--reference", metavar="NAME", help="the enhancer that is compared to")
    compare.add_argument(
        "--over",
        choices=["evaluators", "seeds"],
        help="mean and deviation of enhancers under several evaluators, or of their training seeds",
    )
    compare.add_argument("--score", metavar="SPLIT/METRIC", help="default: the headline")
    compare.add_argument(
        "--levels",
        nargs="+",
        type=level,
        metavar="LEVEL",
        help="edges of the brightness bins, mean levels of the input (default: quartiles)",
    )
    compare.add_argument("--interval", choices=["percentile", "bca"], default="percentile")
    compare.add_argument("--json", type=path, metavar="FILE", help="write all of it")


def add_report(commands: argparse._SubParsersAction) -> None:
    report = commands.add_parser("report", help="a page and tables of all results of a folder")
    report.set_defaults(module="report", function="report")
    report.add_argument("results", type=path, metavar="RESULTS", help="the --out of `run`")
    report.add_argument(
        "--out", type=path, metavar="DIR", help="index.html, table.* (default: RESULTS/report)"
    )


def add_enhance(commands: argparse._SubParsersAction) -> None:
    enhance = commands.add_parser("enhance", help="enhance image files and folders")
    enhance.set_defaults(module="enhance", function="enhance")
    enhance.add_argument(
        "input", nargs="+", type=path, metavar="INPUT", help="an image file, or a folder of them"
    )
    enhance.add_argument(
        "--enhancer", required=True, metavar="NAME", help="as for `run`, but no images:DIR"
    )
    enhance.add_argument("--out", required=True, type=path, metavar="DIR")
    enhance.add_argument("--overwrite", action="store_true", help="replace files in --out")
    add_device(enhance)


def add_inspect(commands: argparse._SubParsersAction) -> None:
    inspect = commands.add_parser("inspect", help="which LFPV nodes an image asks for")
    inspect.set_defaults(module="inspect", function="inspect")
    inspect.add_argument("enhancer", metavar="NAME", help="an enhancer with +lfpv")
    inspect.add_argument("image", type=path, metavar="IMAGE")
    inspect.add_argument("--out", type=path, required=True, metavar="FILE.png")


def add_submit(commands: argparse._SubParsersAction) -> None:
    submit = commands.add_parser("submit", help="write or check the archive for a test server")
    submit.set_defaults(module="submit", function="submit")
    what = submit.add_mutually_exclusive_group(required=True)
    what.add_argument("--enhancer", metavar="NAME", help="as for `run`; writes an archive")
    what.add_argument("--check", type=path, metavar="FILE.zip", help="names, count, sizes, ids")
    submit.add_argument("--task", default="darkzurich_test", help="default: darkzurich_test")
    submit.add_argument("--root", metavar="DIR", help="the dataset (default: $PIPELINE_DATA/TASK)")
    submit.add_argument("--out", type=path, metavar="FILE.zip", help="default: submission.zip")
    _add_evaluator(submit)
    add_device(submit)
    add_amp(submit)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", metavar="DIR", help="the dataset (default: $PIPELINE_DATA/TASK)")
    parser.add_argument(
        "--sample", action="store_true", help="use the built-in procedural scenes; no dataset"
    )


def _add_evaluator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--evaluator",
        metavar="MODEL",
        help="timm model, mmsegmentation config, listed evaluator, or onnx:FILE (default: the "
        "task's)",
    )
    parser.add_argument("--evaluator-weights", metavar="FILE", help="checkpoint of the evaluator")
    parser.add_argument(
        "--class-map",
        metavar="FILE",
        help="YAML from the evaluator's classes to the task's, e.g. cityscapes_to_camvid.yaml",
    )
    parser.add_argument(
        "--protocol", metavar="NAME", help="see `pipeline protocols`, or your own FILE.yaml"
    )


def _add_chain(parser: argparse.ArgumentParser) -> None:
    add_device(parser)
    add_amp(parser)
    parser.add_argument(
        "--batch-size", type=positive, metavar="N", help="images of one size at a time"
    )
    parser.add_argument(
        "--workers", type=natural, default=2, metavar="N", help="decoding processes"
    )


def _add_results(parser: argparse.ArgumentParser, pictured: str) -> None:
    parser.add_argument("--out", type=path, default=Path("results"), metavar="DIR")
    parser.add_argument(
        "--save-images",
        type=natural,
        default=0,
        metavar="N",
        help=f"save panels, input, enhanced, prediction and truth, of {pictured}",
    )
