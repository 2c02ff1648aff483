"""Arguments of the commands that train."""

import argparse

from pipeline.arguments.device import add_amp, add_device
from pipeline.arguments.types import path, positive, seed


def add_train(commands: argparse._SubParsersAction) -> None:
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
    train.add_argument("--steps", type=positive, metavar="N", help="instead of the config's")
    train.add_argument(
        "--supervision",
        choices=["own", "paired"],
        help="the enhancer's own objective, or the normal-light images (default: the config's)",
    )
    add_amp(train)
    train.add_argument("--resume", action="store_true", help="go on with a training that stopped")
    _add_seed_and_device(train)
    train.add_argument(
        "--tensorboard", type=path, metavar="DIR", help="write the losses (extra: tensorboard)"
    )
    train.add_argument(
        "--out",
        type=path,
        metavar="FILE",
        help="default: $PIPELINE_WEIGHTS/NAME@ours-DATA.safetensors",
    )


def add_train_evaluator(commands: argparse._SubParsersAction) -> None:
    train = commands.add_parser("train-evaluator", help="train a daytime evaluator")
    train.set_defaults(module="train_evaluator", function="train_evaluator")
    train.add_argument(
        "model",
        help="refinenet, refinenet_r18, any timm model (resnet18), or an mmsegmentation config",
    )
    train.add_argument(
        "--data",
        required=True,
        metavar="DATA",
        help="cityscapes, codan_day, camvid_day, classification:DIR, segmentation:DIR, or sample "
        "(the built-in scenes)",
    )
    train.add_argument("--root", metavar="DIR", help="the dataset (default: $PIPELINE_DATA/NAME)")
    train.add_argument(
        "--config",
        metavar="RECIPE",
        help="a YAML file like configs/evaluators/*, or the name of one of these (default: the "
        "published one of the model on the data)",
    )
    train.add_argument(
        "--epochs", type=positive, metavar="N", help="instead of the config's; the schedule follows"
    )
    add_amp(train)
    train.add_argument("--resume", action="store_true", help="go on with a training that stopped")
    _add_seed_and_device(train)
    train.add_argument(
        "--tensorboard", type=path, metavar="DIR", help="write the losses (extra: tensorboard)"
    )
    train.add_argument("--out", type=path, required=True, metavar="FILE")


def _add_seed_and_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=seed, default=0)
    add_device(parser)
