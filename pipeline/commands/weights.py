"""`pipeline weights`: list, verify, download."""

from argparse import Namespace
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path

from rich.filesize import decimal
from rich.table import Table

from pipeline import zoo
from pipeline.console import stdout
from pipeline.errors import PipelineError
from pipeline.files import sha256

SHA256_DIGITS = 64


def list_weights(_arguments: Namespace) -> None:
    """Every entry, below the page on which it is published and the page's terms."""
    console = stdout(highlight=False, markup=False)
    width = max(map(len, _all())) + 2
    for section, listed in zoo.sections().items():
        console.print(_table(width, section))
        terms = groupby(listed.values(), lambda entry: (entry.published, entry.licence))
        for (page, licence), entries in terms:
            console.print(f"{page}, {licence}", soft_wrap=True)
            table = _table(width)
            for entry in entries:
                table.add_row(f"  {entry.name}", *_presence(entry), entry.trained_on)
            console.print(table)
        console.print()
    console.print(f"weights folder (PIPELINE_WEIGHTS): {zoo.weights_folder()}", soft_wrap=True)


def verify_weights(arguments: Namespace) -> None:
    """Hash the files of the named entries, or all that are here; one line each.

    Raises:
        PipelineError: a file is not the published one, or that of a name is not here.
    """
    checked = wrong = 0
    for entry in [_entry(name) for name in arguments.names] or _all().values():
        for file in entry.files:
            path = zoo.root(entry) / file.path
            if not path.is_file() and not arguments.names:
                continue
            right, verdict = _verdict(path, file)
            print(f"{entry.name}: {path}: {verdict}")
            checked, wrong = checked + 1, wrong + (not right)
    if wrong:
        raise PipelineError(f"{wrong} of {checked} files are not here or not as published")


def download_weights(arguments: Namespace) -> None:
    """Download the named entries; every file is verified.

    Raises:
        PipelineError: unknown name, no address to download from, or the download failed.
    """
    entries = [_entry(name) for name in arguments.names]
    for entry in entries:
        zoo.require_obtainable(entry)
    for entry in entries:
        if found := zoo.find(entry):
            print(f"{entry.name}: is here already: {found}")
        else:
            print(f"{entry.name}: {zoo.locate(entry)}")


def _all() -> dict[str, zoo.Entry]:
    return {name: entry for listed in zoo.sections().values() for name, entry in listed.items()}


def _entry(name: str) -> zoo.Entry:
    listed = _all()
    if name not in listed:
        near = get_close_matches(name, listed, 1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else "`pipeline weights` lists them"
        raise PipelineError(f"'{name}': no such weights name; {hint}")
    return listed[name]


def _table(width: int, section: str = "") -> Table:
    """The header of a section, or the rows of a page below it, in the same columns."""
    table = Table(box=None, pad_edge=False, show_header=bool(section), header_style="bold")
    table.add_column(section, width=width)
    table.add_column("here", width=len("packaged"))
    table.add_column("size", width=len("574.7 MB"), justify="right")
    table.add_column("trained on", overflow="fold")
    return table


def _presence(entry: zoo.Entry) -> tuple[str, str]:
    """Whether the files are here, and their size."""
    root = zoo.root(entry)
    sizes = [path.stat().st_size for file in entry.files if (path := root / file.path).is_file()]
    if not sizes:
        return "no", ""
    if len(sizes) < len(entry.files):
        return f"{len(sizes)} of {len(entry.files)}", decimal(sum(sizes))
    return "packaged" if root == zoo.PACKAGED else "yes", decimal(sum(sizes))


def _verdict(path: Path, file: zoo.WeightFile) -> tuple[bool, str]:
    """Whether the file is right as far as one can know, and the words for it."""
    if not path.is_file():
        return False, "is not here"
    if not file.sha256:
        return True, f"no published hash is known; this file is sha256 {sha256(path)}"
    if difference := zoo.hash_difference(path, file):
        return False, f"WRONG HASH, {difference}"
    if len(file.sha256) < SHA256_DIGITS:
        return True, f"as published (its first {len(file.sha256)} digits; no more are stated)"
    return True, "as published"
