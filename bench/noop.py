"""What does `pipeline batch` cost where all 39 cells are done?

    python bench/noop.py OUT [RUNS]

Finishes 13 enhancers x 3 tasks of the sample in OUT first, if need be: gamma@0.50 … gamma@0.62,
since what an enhancer costs is not the question. Then the same command again, in turns with an
empty Python and with `import torch`: seconds of CPU and of wall time, medians of RUNS (default: 7).
"""

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import yaml

TASKS = ("codan", "nighttime_driving", "darkzurich")


def command(out: Path) -> list[str]:
    """The command, whose config it writes."""
    content = {
        "enhancers": [f"gamma@0.{50 + number}" for number in range(13)],
        "tasks": [{"task": name, "sample": True} for name in TASKS],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.yaml").write_text(yaml.safe_dump(content))
    config, results = str(out / "config.yaml"), str(out / "results")
    return [sys.executable, "-m", "pipeline", "batch", config, "--out", results]


def taken(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of a process."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main(out: Path, runs: int = 7) -> None:
    """Print CPU and wall seconds of each."""
    batch = command(out)
    print(f"finishing the batch: {taken(batch)[1]:.0f} s", flush=True)
    kinds = {
        "empty Python": [sys.executable, "-c", ""],
        "import torch": [sys.executable, "-c", "import torch"],
        "39 cells done": batch,
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for _ in range(runs):
        for name, arguments in kinds.items():
            found[name].append(taken(arguments))
    print(f"{'':16}{'CPU s':>8}{'wall s':>8}   median of {runs}")
    for name, values in found.items():
        cpu, wall = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{name:16}{cpu:8.2f}{wall:8.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
