"""What does `pipeline batch` cost where all 39 cells are done?

    python bench/noop.py OUT [RUNS]

Finishes 13 enhancers x 3 tasks of the sample in OUT first, if need be: identity and gamma@0.50 …
gamma@0.61, since what an enhancer costs is not the question. Then the same command again, in turns
with an empty Python and with `import torch`: seconds of CPU and of wall time, medians of RUNS
(default: 7).
"""

import statistics
import sys
from pathlib import Path

import yaml
from times import process

TASKS = ("codan", "nighttime_driving", "darkzurich")


def command(out: Path) -> list[str]:
    """The command, whose config it writes."""
    content = {
        "enhancers": ["identity", *(f"gamma@0.{50 + number}" for number in range(12))],
        "tasks": [{"task": name, "sample": True} for name in TASKS],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.yaml").write_text(yaml.safe_dump(content))
    config, results = str(out / "config.yaml"), str(out / "results")
    return [sys.executable, "-m", "pipeline", "batch", config, "--out", results]


def main(out: Path, runs: int = 7) -> None:
    """Print CPU and wall seconds of each."""
    batch = command(out)
    print(f"finishing the batch: {process(batch)[0]:.0f} s", flush=True)
    kinds = {
        "empty Python": [sys.executable, "-c", ""],
        "import torch": [sys.executable, "-c", "import torch"],
        "39 cells done": batch,
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for _ in range(runs):
        for name, arguments in kinds.items():
            found[name].append(process(arguments))
    print(f"{'':16}{'CPU s':>8}{'wall s':>8}   median of {runs}")
    for name, values in found.items():
        wall, cpu = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{name:16}{cpu:8.2f}{wall:8.2f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
