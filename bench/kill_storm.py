"""Kill -9 at random moments until batches are done: are the results those of an undisturbed one?

    python bench/kill_storm.py CONFIG OUT [KILLS] [LONGEST]

Runs CONFIG once undisturbed, then again and again in a process that is killed after 0 to LONGEST
seconds (default: 3), in a fresh folder whenever the batch is done, until KILLS (default: 50). Every
folder is then finished and its results compared, all but times, and the records checked.
"""

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
from pathlib import Path

import pipeline.batch.jobs  # noqa: F401  (imported once, before the forks)
from pipeline.cli import main
from tasks import mm

OPTIONS = ("--workers", "0", "--device", "cpu")


def storm(config: str, out: Path, kills: int = 50, longest: float = 3.0) -> None:
    """Print how many kills, in how many folders, and whether all results are equal."""
    mm.prepare()  # else most kills would meet the imports
    run(config, out / "whole", None)
    whole = results(out / "whole")
    dice = random.Random(0)
    done = folder = 0
    while done < kills:
        killed = run(config, out / f"storm{folder}", dice.uniform(0, longest))
        done += killed
        folder += not killed
        print(f"\r{done} kills, {folder} batches done", end="", flush=True)
    for index in range(folder + 1):
        run(config, out / f"storm{index}", None)
        if results(out / f"storm{index}") != whole:
            raise SystemExit(f"\n{out / f'storm{index}'} differs from {out / 'whole'}")
        check_records(out / f"storm{index}")
    print(f"\n{done} kills in {folder + 1} batches of {len(whole)} cells: all results are equal")


def run(config: str, out: Path, seconds: float | None) -> bool:
    """Run the batch; whether it was killed after so many seconds."""
    process = multiprocessing.get_context("fork").Process(target=_run, args=(config, out))
    process.start()
    process.join(seconds)
    if killed := process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    elif process.exitcode:
        raise SystemExit(f"\n{out}: exit code {process.exitcode}")
    return killed


def results(out: Path) -> dict[str, dict]:
    """File → its content without times."""
    found = {}
    for path in sorted(out.rglob("result.json")):
        content = json.loads(path.read_text())
        for part in (content, *content["per_image"]):
            del part["seconds"]
        del content["seconds_p90"], content["provenance"]["wall_seconds"]
        for key in ("first_chunk", "last_chunk"):
            del content["provenance"]["cell"][key]
        found[str(path.relative_to(out))] = content
    return found


def check_records(out: Path) -> None:
    """SQLite's own check of every file; SystemExit where one is damaged."""
    for path in out.rglob("records.sqlite"):
        with sqlite3.connect(path) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise SystemExit(f"\n{path} is damaged")


def _run(config: str, out: Path) -> None:
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        raise SystemExit(main(["batch", config, "--out", str(out), *OPTIONS]))


if __name__ == "__main__":
    config, out, *numbers = sys.argv[1:]
    storm(config, Path(out), *(kind(n) for kind, n in zip((int, float), numbers, strict=False)))
