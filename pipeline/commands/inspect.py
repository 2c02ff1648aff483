"""`pipeline inspect`: which LFPV nodes an image asks for, in numbers and as a picture."""

from argparse import Namespace
from collections.abc import Iterator

import numpy as np
import torch
from rich.table import Table
from torch import Tensor

from enhancers.lfpv import Diagnosis, LFPVEnhancer, diagnose
from pipeline.chain import enhanced_image
from pipeline.console import stdout
from pipeline.errors import PipelineError
from pipeline.factory import load_enhancer
from pipeline.files import atomic, require_writable
from pipeline.names import parse_enhancer
from pipeline.panels import colours, side_by_side
from tasks.images import read_rgb

FIGURES = {
    "norm_mean": "mean ‖C‖",
    "norm_max": "max ‖C‖",
    "used": "nodes that win 1 % of the queries or more",
    "entropy": "entropy of the attention (1: all nodes alike)",
    "similarity": "mean cosine between two nodes (1: all are one)",
    "constant": "share of the answer that is one constant (1: a bias)",
}


@torch.inference_mode()
def inspect(arguments: Namespace) -> None:
    """Print the figures of both branches, and write the picture."""
    if arguments.out.suffix.lower() != ".png":
        raise PipelineError(f"{arguments.out}: is written as PNG; name it *.png")
    if arguments.out.resolve() == arguments.image.resolve():
        raise PipelineError(f"{arguments.out}: is the image itself; name another --out")
    require_writable(arguments.out)
    model = load_enhancer(parse_enhancer(arguments.enhancer)).model
    if not isinstance(model, LFPVEnhancer):
        raise PipelineError(f"'{arguments.enhancer}' has no nodes; name one with +lfpv")
    source = read_rgb(arguments.image)
    image = torch.from_numpy(source.copy()).permute(2, 0, 1)[None] / 255
    enhanced = enhanced_image(model, image, arguments.image)[0]
    diagnosis = diagnose(model, image)
    stdout().print(_table(diagnosis))
    levels = enhanced.mul(255).round().byte().permute(1, 2, 0).numpy()
    pictures = [(source, "input"), (levels, "enhanced"), *_maps(diagnosis, source.shape[:2])]
    with atomic(arguments.out) as temporary:
        side_by_side(pictures).save(temporary, format="PNG")
    print(f"picture: {arguments.out}")


def _table(diagnosis: Diagnosis) -> Table:
    table = Table()
    for heading in ("", "vectors", "patches"):
        table.add_column(heading, justify="right" if heading else "left")
    scalars = diagnosis.scalars()
    for key, words in FIGURES.items():
        cells = (scalars.get(f"{branch}.{key}") for branch in ("vectors", "patches"))
        table.add_row(words, *("" if value is None else f"{value:.4g}" for value in cells))
    return table


def _maps(diagnosis: Diagnosis, size: tuple[int, int]) -> Iterator[tuple[np.ndarray, str]]:
    for name, branch in (("vectors", diagnosis.vectors), ("patches", diagnosis.patches)):
        if branch is not None:
            palette = colours(tuple(map(str, range(len(branch.usage)))))
            winners = _enlarged(branch.winners[0], size)
            yield palette[winners], f"{name}: the node of each place, {branch.used} in use"


def _enlarged(winners: Tensor, size: tuple[int, int]) -> np.ndarray:
    """h×w of the feature to the image's size, each place as a block."""
    as_image = winners[None, None].float()
    return torch.nn.functional.interpolate(as_image, size, mode="nearest")[0, 0].long().numpy()
