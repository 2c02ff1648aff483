"""Weights in half precision, where images of 8 bits do not show it.

    python bench/half.py ENHANCER WEIGHTS.safetensors OUT.safetensors FOLDER

OUT is WEIGHTS with its large tensors as float16: nearly all of the bytes, and not BatchNorm's
variances, which can exceed that range, nor the first and last convolutions, where images show it.
Both enhance every image of FOLDER; the largest difference in levels and the share of the values
that differ are printed. Above one level OUT is removed again.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor

from pipeline import create_enhancer
from pipeline.checkpoints import read_checkpoint, write_checkpoint
from tasks.images import image_files, read_image

LARGE = 100_000
ALLOWED = 1


def main() -> None:
    """Write OUT, compare, and keep it or not."""
    parser = argparse.ArgumentParser(description="Write weights in half precision, and compare")
    parser.add_argument("enhancer", metavar="ENHANCER")
    parser.add_argument("weights", type=Path, metavar="WEIGHTS.safetensors")
    parser.add_argument("out", type=Path, metavar="OUT.safetensors")
    parser.add_argument("images", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.out.exists():
        sys.exit(f"{arguments.out}: is there already")
    whole = read_checkpoint(arguments.weights)
    write_checkpoint(arguments.out, halved(whole.state), whole.header)
    differences = compare(arguments.enhancer, (arguments.weights, arguments.out), arguments.images)
    largest, share = int(differences.max()), (differences > 0).double().mean().item()
    print(f"{arguments.out.name}: at most {largest} levels, {share:.2%} of the values differ")
    if largest > ALLOWED:
        arguments.out.unlink()
        sys.exit(f"{arguments.out}: removed, float32 stays")


def halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of more than LARGE values as float16, the others as they are."""
    return {key: v.half() if v.numel() > LARGE else v for key, v in state.items()}


@torch.inference_mode()
def compare(enhancer: str, files: tuple[Path, Path], folder: Path) -> Tensor:
    """|difference| in levels of every value of every image, flat."""
    models = [create_enhancer(f"{enhancer}@{file}") for file in files]
    differences = []
    for path in image_files(folder):
        image = torch.from_numpy(read_image(path).rgb).permute(2, 0, 1)[None]
        whole, half = ((255 * model(image)).round().flatten() for model in models)
        differences.append((whole - half).abs())
    return torch.cat(differences)


if __name__ == "__main__":
    main()
