"""Arguments of the commands that list, check and fetch."""

import argparse

from pipeline.arguments.types import path


def add_list(commands: argparse._SubParsersAction) -> None:
    listed = commands.add_parser("list", help="enhancers with their cost and weights, and tasks")
    listed.set_defaults(module="list", function="list_all")


def add_protocols(commands: argparse._SubParsersAction) -> None:
    protocols = commands.add_parser("protocols", help="list and explain the evaluation protocols")
    protocols.set_defaults(module="protocols", function="protocols")
    protocols.add_argument("task", nargs="?", metavar="TASK", help="explain those of one task")
    protocols.add_argument(
        "protocol", nargs="?", metavar="PROTOCOL", help="explain one, or your own FILE.yaml"
    )


def add_weights(commands: argparse._SubParsersAction) -> None:
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


def add_data(commands: argparse._SubParsersAction) -> None:
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
    unpack.add_argument("--root", required=True, type=path, metavar="DIR")
    sample = actions.add_parser("sample", help="render the sample scenes into a folder")
    sample.set_defaults(module="data", function="render_sample")
    sample.add_argument("--out", required=True, type=path, metavar="DIR")
