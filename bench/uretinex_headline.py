"""What does URetinex-Net score on LOL when it is told how bright the answer is?

    python bench/uretinex_headline.py LOL_FOLDER WEIGHTS_FOLDER

The published LOL scores take the ratio from the normal-light image, which no user has. This
repeats them, in no other place of the product: PSNR, SSIM (and LPIPS where its backbone is here)
with the fixed ratio 5 and with the ratio of each image's truth, truncated to 8 bits.
"""

import statistics
import sys
from pathlib import Path

import torch

from enhancers.uretinex import URetinex
from enhancers.uretinex_units import Decomposition
from pipeline import create_enhancer, create_task
from pipeline.backbones import find_backbone
from pipeline.checkpoints import read_checkpoint
from tasks.images import read_rgb
from tasks.quality import LPIPS
from tasks.restoration import RestorationEvaluator


def tensor(path: Path) -> torch.Tensor:
    return torch.from_numpy(read_rgb(path).copy()).permute(2, 0, 1)[None] / 255


@torch.inference_mode()
def main(root: Path, weights: Path) -> None:
    task = create_task("lol", root, "truncate")
    network = create_enhancer("uretinex", weights)
    normal = Decomposition().eval()
    file = read_checkpoint(weights / "init_high.pth", URetinex.released_globals)
    normal.load_released(file.state)
    backbone = find_backbone("alexnet")
    lpips = LPIPS(backbone.state, str(backbone.file)) if backbone else None
    evaluator = RestorationEvaluator(lpips, task)
    records = {"ratio 5": [], "ratio of the truth": []}
    for sample in task.samples:
        low, truth = tensor(sample.image), tensor(Path(sample.target))
        enhanced = network(low), network.enhance_to(low, truth, normal)
        target = evaluator.read_target(sample)
        for name, image in zip(records, enhanced, strict=True):
            records[name] += evaluator.measure(image, [sample], [target])
    for name, found in records.items():
        means = {k: statistics.mean(r.values[k] for r in found) for k in found[0].values}
        print(name, "  ".join(f"{metric} {value:.4f}" for metric, value in means.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
