"""Is a batch in two processes the batch in one, and how much sooner is it done?

    python bench/jobs.py CONFIG OUT [ROUNDS]

CONFIG with `--jobs 1` and with `--jobs 2`, in turns and each time in a fresh folder, every process
with one thread: wall and CPU seconds (that of the reading processes included), medians of ROUNDS
(default: 3), and whether all results are equal, all but times.
"""

import os
import statistics
import sys
from pathlib import Path

from kill_storm import results
from times import process


def main(config: str, out: Path, rounds: int = 3) -> None:
    """Print a line for each number of jobs; SystemExit where results differ."""
    os.environ["OMP_NUM_THREADS"] = "1"
    found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    whole = None
    for number in range(rounds):
        for jobs, values in found.items():
            folder = out / f"jobs{jobs}-{number}"
            batch = [sys.executable, "-m", "pipeline", "batch", config, "--out", str(folder)]
            how = ["--jobs", str(jobs), "--workers", "0", "--device", "cpu"]
            values.append(process([*batch, *how]))
            whole = whole or results(folder)
            if results(folder) != whole:
                raise SystemExit(f"{folder} differs")
    print(f"{len(whole)} cells, {os.cpu_count()} cores, median of {rounds}; all results are equal")
    for jobs, values in found.items():
        wall, cpu = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"--jobs {jobs}: {wall:7.1f} s wall, {cpu:7.1f} s CPU")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
