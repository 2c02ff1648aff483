"""Values of arguments, checked while they are parsed."""

import argparse
from pathlib import Path


def positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


def natural(text: str) -> int:
    if (value := int(text)) < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, not {text}")
    return value


def filled(text: str) -> str:
    """What an argument without a type goes through."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; a variable that is not set?")
    return text


def path(text: str) -> Path:
    return Path(filled(text))


def level(text: str) -> float:
    if not 0 <= (value := float(text)) <= 255:
        raise argparse.ArgumentTypeError(f"must be from 0 to 255, not {text}")
    return value


def seed(text: str) -> int:
    if not 0 <= (value := int(text)) < 2**32:
        raise argparse.ArgumentTypeError(f"must be from 0 to 2**32-1, not {text}")
    return value


def above_0(text: str) -> float:
    if not 0 < (value := float(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text}")
    return value


def size(text: str) -> tuple[int, int]:
    width, x, height = text.partition("x")
    if not (x and width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 16):
        raise argparse.ArgumentTypeError(f"must be WxH of 16 or more, e.g. 1920x1080, not {text}")
    return int(width), int(height)
