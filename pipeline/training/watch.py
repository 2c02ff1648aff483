"""What can be seen of a training: a bar or now and then a line, a log file, TensorBoard."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.files import atomic

LOG = "log.jsonl"
SECONDS_BETWEEN_LINES = 30.0
IMAGES_SHOWN = 4


class Watch:
    """Bar on a terminal, lines elsewhere; `log.jsonl` of `folder`; TensorBoard where asked for.

    Entries of the log up to `step` are kept, later ones belong to steps that are done again.
    `quiet` (ranks that do not report) writes nothing anywhere.
    """

    def __init__(
        self,
        title: str,
        steps: int,
        step: int,
        folder: Path,
        tensorboard: Path | None,
        quiet: bool,
    ) -> None:
        self.quiet, self.log, self.steps = quiet, folder / LOG, steps
        console = Console(stderr=True)
        self.lines = None if quiet or console.is_terminal else console
        self.bar = Progress(
            TextColumn(title),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self.task = self.bar.add_task(title, total=steps, completed=step, losses="")
        self.writer = None if quiet else tensorboard_writer(tensorboard, step)
        self.entries = [] if quiet else _kept(self.log, step)
        self.said = time.perf_counter()
        self.sums: dict[str, list[float]] = {}

    def __enter__(self) -> "Watch":
        self.bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.bar.stop()
        if self.writer:
            self.writer.close()

    def step(self, step: int, parts: Mapping[str, float]) -> None:
        """After every step: its losses."""
        for name, value in parts.items():
            if math.isfinite(value):
                self.sums.setdefault(name, []).append(value)
        self.bar.update(self.task, completed=step, losses=_short(parts))

    def means(self) -> dict[str, float]:
        """Of what `step` was told since the last time."""
        sums, self.sums = self.sums, {}
        return {name: sum(values) / len(values) for name, values in sums.items()}

    def entry(self, step: int, means: Mapping[str, float], **more: Any) -> None:
        """A line of the log: `means`, and `more` (a phase, a rate, seconds)."""
        if means:
            self._keep({"step": step, **more, **means})
        if self.lines and time.perf_counter() - self.said > SECONDS_BETWEEN_LINES:
            self.said = time.perf_counter()
            self.lines.print(f"step {step} of {self.steps}: {_short(means)}", highlight=False)

    def scores(self, step: int, scores: Mapping[str, float]) -> None:
        """What was measured on the held-out pairs."""
        self._keep({"step": step, **{f"held_out.{name}": value for name, value in scores.items()}})

    def images(self, step: int, images: Mapping[str, Tensor]) -> None:
        """The first images of a batch, B×3×H×W in [0, 1] each."""
        if self.writer:
            for name, batch in images.items():
                shown = batch[:IMAGES_SHOWN].float().clamp(0, 1).cpu()
                self.writer.add_images(f"images/{name}", shown, step)

    def _keep(self, entry: dict[str, Any]) -> None:
        if self.quiet:
            return
        self.entries.append(entry)
        with self.log.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        if self.writer:
            for name, value in entry.items():
                if isinstance(value, int | float) and name != "step":
                    self.writer.add_scalar(name, value, entry["step"])
            self.writer.flush()


def tensorboard_writer(folder: Path | None, step: int) -> Any:
    """A SummaryWriter from `step` on; None without a folder.

    Raises:
        PipelineError: tensorboard is not installed.
    """
    if folder is None:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise PipelineError(
            "--tensorboard needs an extra: pip install 'llie-pipeline[tensorboard]'"
        ) from None
    return SummaryWriter(str(folder), purge_step=step + 1)


def _kept(log: Path, step: int) -> list[dict[str, Any]]:
    """The log's entries up to `step`; the file is cut back to them."""
    lines = log.read_text().splitlines() if log.is_file() else []
    entries = [entry for entry in map(_entry, lines) if entry and entry["step"] <= step]
    with atomic(log) as temporary:
        temporary.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return entries


def _entry(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:  # cut off when the training was killed
        return None


def _short(parts: Mapping[str, float]) -> str:
    names = [n for n in ("loss", "plain", "lfpv", "plain.psnr", "lfpv.psnr") if n in parts]
    return " ".join(f"{name} {parts[name]:.4g}" for name in names)
