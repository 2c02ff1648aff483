"""The command line: arguments in, one command called, one line for an error.

Heavy imports happen inside the commands, so that `--help` answers at once.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 2 bad input (one line on stderr)."""
    parsed = _parser().parse_args(arguments)
    from pipeline.errors import PipelineError

    try:
        command = getattr(import_module(f"pipeline.commands.{parsed.module}"), parsed.function)
        command(parsed)
    except PipelineError as error:
        return _fail(error)
    except KeyboardInterrupt:
        print("interrupted; results already written are kept", file=sys.stderr)
        return 130
    except OSError as error:
        if error.filename is None:
            raise
        return _fail(PipelineError(f"{error.filename}: {error.strerror}"))
    except ValueError as error:
        from pipeline.errors import user_errors

        if not isinstance(error, user_errors()):
            raise
        return _fail(error)
    return 0


def _fail(error: Exception) -> int:
    line = " ".join(str(error).split())
    print(f"pipeline: error: {line}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pipeline",
        description="Downstream-task evaluation of low-light image enhancement.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_compare(commands)
    _add_enhance(commands)
    _add_inspect(commands)
    _add_list(commands)
    _add_weights(commands)
    _add_train(commands)
    _add_train_evaluator(commands)
    _add_data(commands)
    return parser


def _add_run(commands: argparse._SubParsersAction) -> None:
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
        "--batch-size", type=_positive, metavar="N", help="images of one size at a time"
    )
    run.add_argument("--workers", type=_natural, default=2, metavar="N", help="decoding processes")
    run.add_argument("--out", type=Path, default=Path("results"), metavar="DIR")
    run.add_argument(
        "--save-images",
        type=_natural,
        default=0,
        metavar="N",
        help="save a panel of input, enhanced, prediction and truth for the first N images",
    )


def _add_compare(commands: argparse._SubParsersAction) -> None:
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
        type=_level,
        metavar="LEVEL",
        help="edges of the brightness bins, mean levels of the input (default: quartiles)",
    )
    compare.add_argument("--interval", choices=["percentile", "bca"], default="percentile")
    compare.add_argument("--json", type=Path, metavar="FILE", help="write all of it")


def _add_enhance(commands: argparse._SubParsersAction) -> None:
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


def _add_inspect(commands: argparse._SubParsersAction) -> None:
    inspect = commands.add_parser("inspect", help="which LFPV nodes an image asks for")
    inspect.set_defaults(module="inspect", function="inspect")
    inspect.add_argument("enhancer", metavar="NAME", help="an enhancer with +lfpv")
    inspect.add_argument("image", type=Path, metavar="IMAGE")
    inspect.add_argument("--out", type=Path, required=True, metavar="FILE.png")


def _add_list(commands: argparse._SubParsersAction) -> None:
    listed = commands.add_parser("list", help="enhancers with their cost and weights, and tasks")
    listed.set_defaults(module="list", function="list_all")


def _add_weights(commands: argparse._SubParsersAction) -> None:
    weights = commands.add_parser("weights", help="list, verify and download published weights")
    weights.set_defaults(module="weights", function="list_weights")
    actions = weights.add_subparsers(metavar="ACTION")
    listed = actions.add_parser("list", help="every listed file, and whether it is here (default)")
    listed.set_defaults(function="list_weights")
    verify = actions.add_parser("verify", help="compare the files that are here with their hashes")
    verify.set_defaults(function="verify_weights")
    verify.add_argument("names", nargs="*", metavar="NAME", help="default: all that are here")
    download = actions.add_parser("download", help="download with a checked hash; resumes")
    download.set_defaults(function="download_weights")
    download.add_argument("names", nargs="+", metavar="NAME", help="as listed, e.g. sci@medium")


def _add_train(commands: argparse._SubParsersAction) -> None:
    train = commands.add_parser("train", help="train an enhancer, plain or with LFPV")
    train.set_defaults(module="train", function="train_enhancer")
    train.add_argument("--enhancer", required=True, metavar="NAME", help="e.g. sci or sci+lfpv")
    train.add_argument(
        "--data",
        required=True,
        metavar="DATA",
        help="sample (the built-in scenes), lol, lolv2_real, lolv2_synthetic, lolblur, "
        "lolblur_noise, sice, sid, smid, sdsd_indoor, sdsd_outdoor, paired or unpaired",
    )
    train.add_argument("--root", metavar="DIR", help="the dataset (default: $PIPELINE_DATA/DATA)")
    train.add_argument(
        "--config",
        metavar="RECIPE",
        help="published (default), short (minutes), or a YAML file like configs/enhancers/*",
    )
    train.add_argument("--steps", type=_positive, metavar="N", help="instead of the config's")
    train.add_argument(
        "--supervision",
        choices=["own", "paired"],
        help="the enhancer's own objective, or the normal-light images (default: the config's)",
    )
    train.add_argument("--amp", action="store_true", help="mixed precision")
    train.add_argument("--resume", action="store_true", help="go on with a training that stopped")
    _add_seed_and_device(train)
    train.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="write the losses (extra: tensorboard)"
    )
    train.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="default: $PIPELINE_WEIGHTS/NAME@ours-DATA.safetensors",
    )


def _add_train_evaluator(commands: argparse._SubParsersAction) -> None:
    train = commands.add_parser("train-evaluator", help="train a small daytime evaluator")
    train.set_defaults(module="train_evaluator", function="train_evaluator")
    train.add_argument("model", help="timm model, or mmsegmentation config")
    train.add_argument(
        "--data",
        required=True,
        metavar="DATA",
        help="classification:DIR, segmentation:DIR, or sample",
    )
    train.add_argument("--config", type=Path, metavar="FILE", help="YAML like configs/evaluators/*")
    train.add_argument("--epochs", type=_positive, metavar="N", help="instead of the config's")
    _add_seed_and_device(train)
    train.add_argument("--out", type=Path, required=True, metavar="FILE")


def _add_seed_and_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=_seed, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")


def _add_data(commands: argparse._SubParsersAction) -> None:
    data = commands.add_parser("data", help="list, check and unpack datasets")
    actions = data.add_subparsers(metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="what each task needs, where it is published, terms")
    listed.set_defaults(module="data", function="list_data")
    check = actions.add_parser("check", help="layout, counts, every image and label")
    check.set_defaults(module="data", function="check_data")
    check.add_argument("task")
    check.add_argument("--root", metavar="DIR")
    check.add_argument("--protocol", metavar="NAME")
    unpack = actions.add_parser("unpack", help="join and unpack CODaN's published archives")
    unpack.set_defaults(module="data", function="unpack_codan")
    unpack.add_argument("task", choices=["codan"])
    unpack.add_argument("--root", required=True, type=Path, metavar="DIR")
    sample = actions.add_parser("sample", help="render the sample scenes into a folder")
    sample.set_defaults(module="data", function="render_sample")
    sample.add_argument("--out", required=True, type=Path, metavar="DIR")


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


def _natural(text: str) -> int:
    if (value := int(text)) < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, not {text}")
    return value


def _level(text: str) -> float:
    if not 0 <= (value := float(text)) <= 255:
        raise argparse.ArgumentTypeError(f"must be from 0 to 255, not {text}")
    return value


def _seed(text: str) -> int:
    if not 0 <= (value := int(text)) < 2**32:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2**32-1, not {text}")
    return value


def _version() -> str:
    try:
        return version("llie-pipeline")
    except PackageNotFoundError:
        return "(not installed)"
