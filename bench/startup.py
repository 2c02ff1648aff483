"""How long do `pipeline --help` and the smallest runs take, and how much of it is torch's import?

    python bench/startup.py [--runs 5]

Median wall and CPU seconds of processes of their own, all kinds in turns. The smallest runs: one
16×16 image enhanced, and one 48×48 image of a class, or of a street, enhanced and evaluated by the
sample's model.
"""

import argparse
import platform
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from times import process

PIPELINE = [sys.executable, "-m", "pipeline"]


def commands(folder: Path) -> dict[str, list[str]]:
    """What is started, on images that are made below `folder`."""
    for name, pixels in (
        ("photo.png", np.full((16, 16, 3), 40)),
        ("things/Cat/1.png", np.full((48, 48, 3), 40)),
        ("street/images/1.png", np.full((48, 48, 3), 40)),
        ("street/labels/1.png", np.full((48, 48), 0)),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
    names = "[{}]".format(", ".join(_classes()))
    (folder / "street/classes.yaml").write_text(f"classes: {names}\nignore: 255\n")
    run = [*PIPELINE, "run", "--enhancer", "sci@ours-sample", "--workers", "0"]
    out = ["--out", str(folder / "out")]
    return {
        "empty interpreter": [sys.executable, "-c", ""],
        "pipeline --help": [*PIPELINE, "--help"],
        "import torch": [sys.executable, "-c", "import torch"],
        "pipeline enhance": [
            *(*PIPELINE, "enhance", str(folder / "photo.png"), "--enhancer", "sci@ours-sample"),
            *("--overwrite", *out),
        ],
        "pipeline run, classes": [
            *(*run, "--task", f"classification:{folder / 'things'}"),
            *("--evaluator", "objects10-sample", *out),
        ],
        "pipeline run, street": [
            *(*run, "--task", f"segmentation:{folder / 'street'}"),
            *("--evaluator", "street19-sample", *out),
        ],
    }


def _classes() -> tuple[str, ...]:
    from tasks.cityscapes import CLASSES

    return CLASSES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        kinds = commands(Path(folder))
        taken = [{name: process(command) for name, command in kinds.items()} for _ in range(runs)]
    table = Table(title=f"python {platform.python_version()}, median of {runs}")
    for heading in ("", "wall s", "CPU s"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in kinds:
        medians = (
            statistics.median(values) for values in zip(*(t[name] for t in taken), strict=True)
        )
        table.add_row(name, *(f"{value:.2f}" for value in medians))
    Console().print(table)


if __name__ == "__main__":
    main()
