"""Where, and how precisely, a command computes."""

import argparse


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")


def add_amp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--amp", action="store_true", help="mixed precision")
