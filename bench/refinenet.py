"""What does one Dark Zurich-size frame through RefineNet-ResNet-101 cost on a CPU?

    python bench/refinenet.py [--config configs/evaluators/refinenet_r18.py] [--threads 1]

CPU seconds of one pass, median of three, and the process's peak memory. Weights do not matter for
either, so the model is as it starts.
"""

import argparse
import resource
import statistics
import time
from pathlib import Path

import torch

import configs
from pipeline.cost import parameters
from tasks import mm

HEIGHT, WIDTH, REPEATS = 1080, 1920, 3


def gibibytes() -> float:
    """Peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@torch.inference_mode()
def seconds(model: torch.nn.Module) -> float:
    """CPU time of one frame, over all threads."""
    image = torch.rand(1, 3, HEIGHT, WIDTH)
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        mm.segment(model, image)
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def main() -> None:
    """Print the figures."""
    default = configs.ROOT / "evaluators" / "refinenet_r101.py"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=default)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = mm.build_segmentor(arguments.config)
    built = gibibytes()
    taken = seconds(model)
    print(f"{arguments.config.name}, {parameters(model):,} parameters, random weights")
    print(f"one {WIDTH}x{HEIGHT} frame, {arguments.threads} thread(s): {taken:.1f} CPU seconds")
    print(f"peak memory {gibibytes():.2f} GiB, {built:.2f} GiB of it before the frame")
    print(f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")


if __name__ == "__main__":
    main()
