"""A batch of eight tiny pictures in chunks of two, through an enhancer that counts its calls."""

import json
import multiprocessing
import os
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.cli import main
from pipeline.result import Result

ENHANCER = """
import os, time
from pathlib import Path
import torch

LOG = Path({log!r})
SETTINGS = Path({settings!r})


def run(image, name):
    settings = dict(line.split("=") for line in SETTINGS.read_text().split())
    if name in settings.get("broken", "").split(","):
        raise ValueError("the sea is rough")
    if len(image) > int(settings.get("memory", 99)):
        raise torch.OutOfMemoryError("CUDA out of memory")
    number = int(settings.get(name, 0))
    sent = SETTINGS.with_name(f"{{name}}_{{number}}")
    if number and LOG.is_file() and name in LOG.read_text() and not sent.exists():
        sent.touch()
        os.kill(os.getpid(), number)
    time.sleep(float(settings.get("seconds", 0)))
    with LOG.open("a") as log:
        log.write(f"{{name}} {{len(image)}} {{float(image.sum()):.4f}}\\n")
    return image * 0.9


def first(image):
    return run(image, "first")


def second(image):
    return run(image, "second")


def third(image):
    return run(image, "third")
"""
NAMES = ("first", "second", "third")


class Yard:
    """A working folder with a config, the enhancers' log, and ways to run it."""

    def __init__(self, root: Path, config: dict) -> None:
        self.root, self.log, self.settings = root, root / "log", root / "settings"
        self.module = f"counting_{root.name}".replace("-", "_")
        code = ENHANCER.format(log=str(self.log), settings=str(self.settings))
        (Path.cwd() / f"{self.module}.py").write_text(code)
        self.config = {"enhancers": [f"python:{self.module}:{n}" for n in NAMES], **config}
        self.file = root / "tiny.yaml"
        self.set()

    def set(self, **settings) -> None:
        """How enhancers behave from now on: seconds a call, memory, which are broken, and by name
        a signal that the next call meets, if it is not the first.
        """
        self.settings.write_text("\n".join(f"{k}={v}" for k, v in settings.items()))

    def run(self, *more, out="out", **changes) -> int:
        """Run the batch in this process; the exit code."""
        return main([*self.command(*more, out=out, **changes)])

    def command(self, *more, out="out", **changes) -> list[str]:
        # Whole at once: a process started before may be reading it.
        written = self.file.with_suffix(".new")
        written.write_text(yaml.safe_dump(self.config | changes))
        written.replace(self.file)
        out = ["--out", str(self.root / out), "--workers", "0", "--device", "cpu"]
        return ["batch", str(self.file), *out, *more]

    def start(self, *more, out="out", env=None) -> multiprocessing.Process:
        """Run it in a process of its own, forked so that nothing is imported again."""
        arguments = (self.command(*more, out=out), env or {})
        fork = multiprocessing.get_context("fork")
        # A daemon: ranks left waiting for one that failed end with the tests.
        process = fork.Process(target=_run, args=arguments, daemon=True)
        process.start()
        return process

    def calls(self) -> list[str]:
        """A line for every call of an enhancer: name, images, their sum."""
        return self.log.read_text().splitlines() if self.log.is_file() else []

    def results(self, out="out") -> dict[str, dict]:
        """Enhancer and folder → its result.json, without times and the checkout's state."""
        found = {}
        for path in sorted((self.root / out).rglob("result.json")):
            content = json.loads(path.read_text())
            Result.read(path)
            for image in content["per_image"]:
                image.pop("seconds")
            for key in ("seconds", "seconds_p90"):
                content.pop(key)
            for key in ("wall_seconds", "commit"):
                content["provenance"].pop(key)
            for key in ("first_chunk", "last_chunk"):
                content["provenance"]["cell"].pop(key)
            found[str(path.relative_to(self.root / out))] = content
        return found

    def status(self, name: str, out="out") -> dict:
        (path,) = (self.root / out).rglob(f"*{name}*/status.json")
        return json.loads(path.read_text())


def _run(arguments: list[str], env: dict[str, str]) -> None:
    os.environ |= env
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        raise SystemExit(main(arguments))


@pytest.fixture
def yard(tmp_path, signs, classifier):
    task = {
        "task": f"classification:{signs}",
        "evaluator": "test_resnet",
        "evaluator_weights": str(classifier),
    }
    return Yard(tmp_path, {"tasks": [task], "chunk": 2})


@pytest.fixture
def exits(capsys):
    """exits(code, call, …): run and expect the exit code; what was printed."""

    def run(code, call, *arguments, **changes):
        try:
            found = call(*arguments, **changes)
        except SystemExit as error:
            found = error.code
        assert found == code
        return capsys.readouterr()

    return run
