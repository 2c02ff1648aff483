"""What a batch shows while it runs: cell, images, rate, time left.

Where there is no terminal, failures alone.
"""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Shown:
    """A line for the batch and one for the cells that run, on stderr.

    Where several jobs share a terminal (`live` False) a line for every cell that is done.
    """

    def __init__(self, images: int, live: bool) -> None:
        console = Console(stderr=True)
        self._lines = console.is_terminal and not live
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not (live and console.is_terminal),
        )
        self._all = self._progress.add_task("all images", total=images, rate="")
        self._cell = self._progress.add_task("", total=None, rate="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, name: str, images: int, done: int) -> None:
        """Cells start, of which some images are done."""
        self._progress.reset(self._cell, total=images, completed=done, description=escape(name))

    def advance(self, images: int, cells: int, seconds: float) -> None:
        """A chunk is done, in so many cells at once."""
        rate = f"{images / seconds:.1f} images/s"
        self._progress.update(self._cell, advance=images, rate=rate)
        self._progress.update(self._all, advance=images * cells)

    def done(self, name: str) -> None:
        """A cell has its result."""
        if self._lines:
            self.say(f"done: {name}")

    def say(self, line: str) -> None:
        """A line that stays."""
        if self._progress.disable:
            print(line, file=sys.stderr)
        else:
            self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
