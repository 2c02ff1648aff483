"""How long does `pipeline --help` take? Median of 20 runs, beside an empty Python."""

import platform
import statistics
import subprocess
import sys
import time

RUNS = 20


def seconds(command: list[str]) -> float:
    """Median wall time of a command."""
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    empty = seconds([sys.executable, "-c", ""])
    answer = seconds([sys.executable, "-m", "pipeline", "--help"])
    print(f"python {platform.python_version()}, median of {RUNS}")
    print(f"empty interpreter   {1000 * empty:6.1f} ms")
    print(f"pipeline --help     {1000 * answer:6.1f} ms")
