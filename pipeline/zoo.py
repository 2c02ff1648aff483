"""Weights by name: `configs/weights.yaml`, the packaged files, and the user's weights folder."""

import os
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.error import URLError

import yaml

import configs
from pipeline.errors import PipelineError
from pipeline.files import sha256


@dataclass(frozen=True)
class Entry:
    """A line of `configs/weights.yaml`.

    Attributes:
        file: path below the packaged weights or the user's weights folder.
        published: page on which the authors publish the file.
        licence: terms of the file.
        trained_on: training data.
        sha256: full digest, or the leading digits that the publisher states.
        url: direct address; empty when there is none to download from.
        options: arguments of the enhancer's constructor.
        model: timm name or config of an evaluator.
        default_for: tasks whose default evaluator this is; "-sample" is added for the sample.
    """

    name: str
    file: str
    published: str
    licence: str
    trained_on: str
    sha256: str
    url: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    default_for: tuple[str, ...] = ()


def weights_folder() -> Path:
    """Where trained and downloaded weights lie: `$PIPELINE_WEIGHTS`, else `./weights`."""
    return Path(os.environ.get("PIPELINE_WEIGHTS", "weights"))


def entries(section: str) -> dict[str, Entry]:
    """All entries of a section of the list, "enhancers" or "evaluators"."""
    content = yaml.safe_load((configs.ROOT / "weights.yaml").read_text())
    return {name: Entry(name=name, **values) for name, values in content[section].items()}


def locate(entry: Entry) -> Path:
    """Path of a listed file, verified; downloaded first where it has an address.

    Raises:
        PipelineError: the file is not there and cannot be downloaded, or its hash is wrong.
    """
    for folder in (configs.ROOT / "weights", weights_folder()):
        path = folder / entry.file
        if path.is_file():
            return _verified(path, entry)
    path = weights_folder() / entry.file
    if not entry.url:
        raise PipelineError(
            f"weights '{entry.name}' are not here: get them from {entry.published} and put them "
            f"at {path}"
        )
    download(entry.url, path, entry.sha256)
    return path


def enhancer_weights(bare: str, weights: str | None, sample: bool) -> tuple[Path, dict[str, Any]]:
    """Find the file for an enhancer's name.

    A bare name means our own weights (SPEC, section 1): those trained on the sample scenes when
    the sample is evaluated, else those that `pipeline train` wrote for LOL.

    Args:
        bare: e.g. "sci+lfpv".
        weights: what follows `@`, or None.
        sample: the sample scenes are evaluated.

    Returns:
        The file and the constructor's options that the list gives for it.

    Raises:
        PipelineError: no such weights.
    """
    if weights and Path(weights).is_file():
        return Path(weights), {}
    key = f"{bare}@{weights or ('ours-sample' if sample else 'ours-lol')}"
    listed = entries("enhancers")
    if key in listed:
        return locate(listed[key]), listed[key].options
    trained = weights_folder() / f"{key}.safetensors"
    if trained.is_file():
        return trained, {}
    raise PipelineError(_missing(bare, weights, key, list(listed)))


def download(url: str, path: Path, sha256_prefix: str) -> None:
    """Download to `path`, whole and with the stated hash, or not at all.

    Raises:
        PipelineError: unreachable, or the content is not the published one.
    """
    from torch.hub import download_url_to_file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(url, str(path), hash_prefix=sha256_prefix)
    except RuntimeError:
        raise PipelineError(
            f"{url}: the download is not the published file (its hash differs)"
        ) from None
    except (URLError, OSError) as error:
        raise PipelineError(
            f"{url}: cannot be downloaded ({error}); put the file at {path}"
        ) from None


def _verified(path: Path, entry: Entry) -> Path:
    found = sha256(path)
    if not found.startswith(entry.sha256):
        raise PipelineError(
            f"{path}: is not the published '{entry.name}' (sha256 {found[:12]}…, expected "
            f"{entry.sha256[:12]}…); to use it all the same, name it by its path"
        )
    return path


def _missing(bare: str, weights: str | None, key: str, listed: list[str]) -> str:
    """One line saying that the weights are not there, and the way to get them."""
    what = "nodes" if bare.endswith("+lfpv") else "weights"
    plain = f"{bare.removesuffix('+lfpv')}@{weights}"
    if weights and plain in listed:
        return f"'{plain}' holds no nodes, so there is no {key}; pipeline train makes {bare}"
    if weights and (near := get_close_matches(key, listed, 1, cutoff=0.8)):
        return f"'{key}': no such weights name or file; did you mean {near[0]}?"
    if weights:
        return f"'{key}': '{weights}' is neither a weights name nor a file"
    return (
        f"{bare} has no trained {what} here: train them (pipeline train --enhancer {bare} "
        f"--data lol --root DIR) or name a file ({bare}@FILE)"
    )
