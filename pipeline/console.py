"""What commands write to: the terminal, or a file in its place."""

import os

from rich.console import Console
from rich.progress import Progress

UNFOLDED = 1000


def stdout(**options: bool) -> Console:
    """A rich console; where there is no terminal, and no COLUMNS, nothing is folded for one."""
    console = Console(**options)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = UNFOLDED
    return console


def say(line: str, console: Console) -> None:
    """Print a line as it is, however long and whatever in it looks like markup."""
    console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True)


def progress() -> Progress:
    """A bar on stderr, for as long as it is entered; none where that is no terminal."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
