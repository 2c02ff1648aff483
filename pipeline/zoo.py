"""Weights by name: `configs/weights.yaml`, the packaged files, and the user's weights folder."""

import os
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import configs
from pipeline.downloads import download
from pipeline.errors import NotDownloaded, PipelineError
from pipeline.files import sha256

PACKAGED = configs.ROOT / "weights"
# What `pipeline train` writes for LOL, and what is packaged: trained on 162 of LOL's 485 pairs.
TRAINED, SHIPPED = "ours-lol", "ours-lol162"


class WeightFile(NamedTuple):
    """A file of the list.

    Attributes:
        path: below the packaged weights or the user's weights folder.
        sha256: full digest, the leading digits that the publisher states, or "" if none is known.
        url: direct address; "" when there is none to download from.
    """

    path: str
    sha256: str
    url: str


@dataclass(frozen=True)
class Entry:
    """An entry of `configs/weights.yaml`.

    Attributes:
        path: the file, or the folder of several files, below the same folders as `files`.
        files: every file of the set.
        published: page on which the authors publish it.
        licence: terms of the files.
        trained_on: training data.
        options: arguments of the enhancer's constructor.
        model: timm name or config of an evaluator.
        default_for: tasks whose default evaluator this is; "-sample" is added for the sample.
    """

    name: str
    path: str
    files: tuple[WeightFile, ...]
    published: str
    licence: str
    trained_on: str
    options: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    default_for: tuple[str, ...] = ()


def weights_folder() -> Path:
    """Where trained and downloaded weights lie: `$PIPELINE_WEIGHTS`, else `./weights`."""
    return Path(os.environ.get("PIPELINE_WEIGHTS", "weights"))


def sections() -> dict[str, dict[str, Entry]]:
    """The whole list: "enhancers", "evaluators", "parts" and "backbones", entries by name."""
    return _read(configs.ROOT / "weights.yaml")


@cache
def _read(path: Path) -> dict[str, dict[str, Entry]]:
    content = yaml.safe_load(path.read_text())
    return {
        section: {name: _entry(name, **values) for name, values in listed.items()}
        for section, listed in content.items()
    }


def entries(section: str) -> dict[str, Entry]:
    """All entries of a section of the list."""
    return sections()[section]


def root(entry: Entry) -> Path:
    """The folder below which the entry's files lie, or belong: the packaged or the user's."""
    packaged = all((PACKAGED / file.path).is_file() for file in entry.files)
    return PACKAGED if packaged else weights_folder()


def locate(entry: Entry, fetch: bool = True) -> Path:
    """Path of a listed file, or of the folder of a set of files, every one verified.

    Absent files are downloaded first.

    Raises:
        NotDownloaded: a file is absent, and `fetch` is False.
        PipelineError: a file is absent and cannot be downloaded, or its hash is wrong.
    """
    require_obtainable(entry)
    if not fetch and not is_here(entry):
        raise NotDownloaded(f"weights '{entry.name}' are not here yet; a run downloads them")
    folder = root(entry)
    for file in entry.files:
        path = folder / file.path
        if not path.is_file():
            download(file.url, path, file.sha256)
        elif difference := hash_difference(path, file):
            raise PipelineError(
                f"{path}: is not the published '{entry.name}' ({difference}); remove it, or name "
                "it by its path to use it all the same"
            )
    return folder / entry.path


def find(entry: Entry) -> Path | None:
    """As `locate`, but None where a file is absent; nothing is downloaded.

    Raises:
        PipelineError: a hash is wrong.
    """
    return locate(entry) if is_here(entry) else None


def is_here(entry: Entry) -> bool:
    """Whether every file is there; their hashes are not looked at."""
    folder = root(entry)
    return all((folder / file.path).is_file() for file in entry.files)


def require_obtainable(entry: Entry) -> None:
    """Prove that every file is here, or has an address and a hash to download it with.

    Raises:
        PipelineError: one has to be fetched by hand; where from and where to.
    """
    folder = root(entry)
    for file in entry.files:
        path = folder / file.path
        if not path.is_file() and not (file.url and file.sha256):
            raise PipelineError(
                f"weights '{entry.name}' are not here: get them from {entry.published} and put "
                f"them at {path}"
            )


def hash_difference(path: Path, file: WeightFile) -> str:
    """How the hash of `path` differs from the published one; "" where it does not."""
    found = sha256(path)
    if found.startswith(file.sha256):
        return ""
    return f"sha256 {found[:12]}…, expected {file.sha256[:12]}…"


def enhancer_weights(
    bare: str, weights: str | None, sample: bool, fetch: bool = True
) -> tuple[Path, dict[str, Any]]:
    """Find the file, or the folder of a set of files, for an enhancer's name.

    What a bare name means says `ours`. A name comes before a path, so that a command means the
    same in every working folder; ./NAME is always a path.

    Args:
        bare: e.g. "sci+lfpv".
        weights: what follows `@`, or None.
        sample: the sample scenes are evaluated.
        fetch: as `locate`.

    Returns:
        The path and the constructor's options that the list gives for it.

    Raises:
        PipelineError: no such weights.
    """
    key = f"{bare}@{weights or ours(bare, sample)}"
    listed = entries("enhancers")
    if key in listed:
        return locate(listed[key], fetch), listed[key].options
    trained = _trained(key)
    if trained.is_file():
        return trained, {}
    if weights and Path(weights).exists():
        return Path(weights), {}
    raise PipelineError(_missing(bare, weights, key, list(listed)))


def ours(bare: str, sample: bool) -> str:
    """The weights that a bare name, e.g. "sci+lfpv", means.

    Those trained on the sample scenes when the sample is evaluated; else what `pipeline train`
    wrote for LOL into the user's folder, and where it wrote nothing the packaged ones, if any.
    """
    if sample:
        return "ours-sample"
    packaged = f"{bare}@{SHIPPED}" in entries("enhancers")
    return SHIPPED if packaged and not _trained(f"{bare}@{TRAINED}").is_file() else TRAINED


def default_evaluator(task: str, sample: bool) -> str | None:
    """The listed evaluator that a task has where none is named; None where it has none."""
    wanted = f"{task}-sample" if sample else task
    listed = entries("evaluators").items()
    return next((name for name, entry in listed if wanted in entry.default_for), None)


def has_ours(bare: str) -> bool:
    """Whether a bare name has weights here (not those for the sample)."""
    name = ours(bare, sample=False)
    return name == SHIPPED or _trained(f"{bare}@{name}").is_file()


def options_of(bare: str, path: Path, digest: str) -> dict[str, Any]:
    """The listed options of a file that was named by its path, so that they are not lost.

    Recognised by its sha256, or by its name where no hash is known; {} for a file of no entry.
    """
    for name, entry in entries("enhancers").items():
        for file in entry.files if name.partition("@")[0] == bare else ():
            if digest == file.sha256 or (not file.sha256 and Path(file.path).name == path.name):
                return entry.options
    return {}


def _trained(key: str) -> Path:
    return weights_folder() / f"{key}.safetensors"


def _entry(name: str, url: str = "", **values: Any) -> Entry:
    """From `file`, `sha256` and `url`, or `folder`, `files` and the `url` that they lie below."""
    if "folder" in values:
        path = values.pop("folder")
        files = [
            WeightFile(f"{path}/{file}", digest, f"{url}/{file}" if url else "")
            for file, digest in values.pop("files").items()
        ]
    else:
        path = values.pop("file")
        files = [WeightFile(path, values.pop("sha256"), url)]
    return Entry(name, path, tuple(files), **values)


def _missing(bare: str, weights: str | None, key: str, listed: list[str]) -> str:
    """One line saying that the weights are not there, and the way to get them."""
    what = "nodes" if bare.endswith("+lfpv") else "weights"
    plain = f"{bare.removesuffix('+lfpv')}@{weights}"
    if weights and plain in listed:
        return f"'{plain}' holds no nodes, so there is no {key}; pipeline train makes {bare}"
    if weights in (None, TRAINED):
        data = "sample" if key.endswith("@ours-sample") else "lol --root DIR"
        shipped = f"{bare}@{SHIPPED}"
        return (
            f"{bare} has no trained {what} here: train them (pipeline train --enhancer {bare} "
            f"--data {data}) or name some ({shipped if shipped in listed else f'{bare}@FILE'})"
        )
    if near := get_close_matches(key, listed, 1, cutoff=0.8):
        return f"'{key}': no such weights name or file; did you mean {near[0]}?"
    return f"'{key}': '{weights}' is neither a weights name nor a file"
