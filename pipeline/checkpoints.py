"""Reading anybody's checkpoint without running code from it, and writing our own."""

import hashlib
import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from pipeline.errors import PipelineError
from pipeline.files import atomic, require_writable, sha256


@dataclass(frozen=True)
class Checkpoint:
    """Tensors of a file and what the file says of them.

    Attributes:
        state: flat state dict on the CPU.
        header: our own files' metadata, or another file's `meta` and `classes` (of `class_to_idx`,
            in its order); empty when there is none.
        ours: True for files that this product wrote.
    """

    path: Path
    state: dict[str, torch.Tensor]
    header: dict[str, Any]
    sha256: str
    ours: bool


def read_checkpoint(path: Path, allowed: Sequence[type] = ()) -> Checkpoint:
    """Read `.safetensors`, or a torch file by `weights_only` loading.

    Args:
        allowed: classes that a torch file may hold besides tensors and plain values.

    Raises:
        PipelineError: missing, truncated or not a checkpoint, holds other objects, or holds
            values that are not finite.
    """
    if path.is_dir():
        raise PipelineError(f"{path}: is a folder; name the weights file")
    if not path.is_file():
        raise PipelineError(f"{path}: no such weights file")
    safe = path.suffix == ".safetensors"
    state, header = _read_safetensors(path) if safe else _read_torch(path, allowed)
    for key, value in state.items():
        if value.layout != torch.strided or value.is_meta or value.is_complex():
            raise PipelineError(f"{path}: '{key}' is no plain tensor of real numbers")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise PipelineError(f"{path}: '{key}' holds values that are not finite")
    ours = safe and ("enhancer" in header or "evaluator" in header)
    return Checkpoint(path, state, header, sha256(path), ours)


def read_checkpoints(
    folder: Path, files: Sequence[str], allowed: Sequence[type] = ()
) -> Checkpoint:
    """One set of weights that is published as several files: each one's keys below its stem.

    Raises:
        PipelineError: as `read_checkpoint`; the first file that is missing is named.
    """
    parts = [read_checkpoint(folder / name, allowed) for name in files]
    state = {f"{p.path.stem}.{key}": value for p in parts for key, value in p.state.items()}
    digest = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    return Checkpoint(folder, state, {}, digest, ours=False)


def write_checkpoint(path: Path, state: Mapping[str, torch.Tensor], header: dict[str, Any]) -> None:
    """Write a safetensors file with a JSON header, whole or not at all.

    Raises:
        PipelineError: the file cannot be written.
    """
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    with atomic(path) as temporary:
        save_file(tensors, temporary, metadata={k: json.dumps(v) for k, v in header.items()})


def require_checkpoint_path(path: Path) -> None:
    """Prove, before a training, that its checkpoint can be written and read back.

    Raises:
        PipelineError: another suffix than .safetensors, or the file cannot be written.
    """
    if path.suffix != ".safetensors":
        raise PipelineError(f"{path}: weights are written as safetensors; name it *.safetensors")
    require_writable(path)


def _read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise PipelineError(f"{path}: not a whole safetensors file ({error})") from None
    return state, {key: _json_or_text(value) for key, value in metadata.items()}


def _read_torch(
    path: Path, allowed: Sequence[type]
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    try:
        with torch.serialization.safe_globals(list(allowed)):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise PipelineError(f"{path}: {_refusal(path, str(error))}") from None
    except Exception as error:  # a damaged file can make the unpickler fail in any way
        if "TorchScript" in str(error):
            raise PipelineError(f"{path}: is TorchScript; save its state_dict alone") from None
        raise PipelineError(
            f"{path}: truncated, or no torch file ({type(error).__name__})"
        ) from None
    return _state_dict(path, content), _meta(path, content)


def _meta(path: Path, content: object) -> dict[str, Any]:
    """The `meta` of mmengine's files, and class names as they are often saved beside a state."""
    if not isinstance(content, Mapping):
        return {}
    meta = content.get("meta")
    header = dict(meta) if isinstance(meta, Mapping) else {}
    if "classes" in content:
        header.setdefault("classes", content["classes"])
    elif isinstance(index := content.get("class_to_idx"), Mapping):
        numbers = [*index.values()]
        if any(number not in numbers for number in range(len(numbers))):
            raise PipelineError(f"{path}: its class_to_idx does not number its classes from 0 on")
        header.setdefault("classes", sorted(index, key=index.get))
    return header


def _refusal(path: Path, error: str) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    if start not in (b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return "is no torch file"
    found = error.split("GLOBAL ")[-1].split(" ")[0]
    named = f" ({found})" if "." in found and "\n" not in found else ""
    return (
        f"is no checkpoint of plain tensors{named}; refused, since loading it could run code. "
        "Save its state_dict alone and use that file"
    )


def _state_dict(path: Path, content: object) -> dict[str, torch.Tensor]:
    """The flat state dict inside the usual wrappings."""
    for key in ("state_dict", "model_state_dict", "model", "params"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not content:
        raise PipelineError(f"{path}: holds no state dict")
    try:
        state = dict(_flat(content))
    except RecursionError:
        raise PipelineError(f"{path}: holds no state dict (a dict that contains itself)") from None
    for key, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise PipelineError(f"{path}: holds no state dict ('{key}' is no tensor)")
    return {key.removeprefix("module."): value for key, value in state.items()}


def _flat(content: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """The entries of nested dicts, their keys joined by dots."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{inner}", leaf) for inner, leaf in _flat(value))
        else:
            yield str(key), value


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
