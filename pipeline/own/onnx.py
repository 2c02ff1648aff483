"""`onnx:FILE`: any enhancer exported to ONNX, run by onnxruntime."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from enhancers.base import Enhancer
from enhancers.errors import EnhancerError
from pipeline.errors import PipelineError, one_line
from pipeline.files import sha256

EXTRA = "onnx: needs an extra: pip install 'llie-pipeline[onnx]'"


class OnnxEnhancer(Enhancer):
    """One input and one output, both B×3×H×W float32 RGB in [0, 1].

    Runs on the GPU where onnxruntime has CUDA, else on the CPU; the images pass through the CPU.
    A fixed B, H or W in the file restricts it to that size: EnhancerError for any other, but that
    a file for one image gets the images of a batch one by one.
    """

    def __init__(self, file: Path, session: Any) -> None:
        super().__init__()
        self.file, self.session = file, session

    @classmethod
    def from_source(cls, text: str) -> "OnnxEnhancer":
        """Open a file.

        Raises:
            PipelineError: as `open_session`, or it does not map one float image to one image.
        """
        return cls(*open_session(text))

    @property
    def provenance(self) -> dict[str, Any]:
        """The file and what ran it."""
        return {
            "file": self.file.name,
            "sha256": digest(self.file),
            "providers": self.session.get_providers(),
        }

    def enhance(self, image: torch.Tensor) -> torch.Tensor:
        """B×3×H×W in [0, 1] to what the model gives; EnhancerError where it fails."""
        try:
            return run_session(self.file, self.session, image)
        except PipelineError as error:
            raise EnhancerError(str(error)) from None


def digest(file: Path) -> str:
    """Hash of a model; of its weights too where they lie in files of their own.

    Raises:
        PipelineError: no such file, or no ONNX model.
    """
    try:
        import onnx

        graph = onnx.load(file, load_external_data=False).graph
    except ImportError:
        raise PipelineError(EXTRA) from None
    except Exception as error:  # protobuf's own, or the file system's
        raise PipelineError(f"{file}: is no ONNX model ({one_line(error)})") from None
    beside = {
        entry.value
        for tensor in _tensors(graph)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    if not beside:
        return sha256(file)
    parts = [sha256(file), *(sha256(file.parent / name) for name in sorted(beside))]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _tensors(graph: Any) -> Iterator[Any]:
    """Of a graph and of those in its nodes."""
    yield from graph.initializer
    for attribute in (one for node in graph.node for one in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for inner in (attribute.g, *attribute.graphs):
            yield from _tensors(inner)


def open_session(text: str) -> tuple[Path, Any]:
    """The file `onnx:TEXT` and onnxruntime's session of it.

    Raises:
        PipelineError: onnxruntime is missing, no such file, no ONNX model, or one that does not map
            one B×3×H×W float32 input to one output.
    """
    file = Path(text).expanduser()
    if not file.is_file():
        raise PipelineError(f"onnx:{text}: is no file")
    try:
        import onnxruntime
    except ImportError:
        raise PipelineError(EXTRA) from None
    onnxruntime.set_default_logger_severity(3)
    known = [p for p in onnxruntime.get_available_providers() if p.startswith(("CUDA", "CPU"))]
    try:
        session = onnxruntime.InferenceSession(file, providers=known)
    except Exception as error:  # onnxruntime's own exceptions share no public base
        raise PipelineError(
            f"{file}: cannot be opened as an ONNX model ({one_line(error)})"
        ) from None
    _require_one_image(file, session)
    return file, session


def run_session(file: Path, session: Any, image: torch.Tensor) -> torch.Tensor:
    """The output for B×3×H×W, on the image's device.

    Raises:
        PipelineError: H, W or a B above 1 is fixed in the file and another here, or it fails.
    """
    given = session.get_inputs()[0]
    if given.shape[0] == 1 and len(image) > 1:
        return torch.cat([run_session(file, session, one) for one in image.split(1)])
    fixed = [
        w if isinstance(w, int) else have for w, have in zip(given.shape, image.shape, strict=True)
    ]
    if fixed != list(image.shape):
        raise PipelineError(f"{file} takes {given.shape} only, not {list(image.shape)}")
    array = image.float().cpu().contiguous().numpy()
    try:
        (output,) = session.run(None, {given.name: array})
    except Exception as error:  # as above
        raise PipelineError(f"{file} failed on {list(image.shape)} ({one_line(error)})") from None
    return torch.from_numpy(output).to(image.device)


def _require_one_image(file: Path, session: Any) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise PipelineError(
            f"{file}: has {len(inputs)} inputs and {len(outputs)} outputs; one of each is needed"
        )
    (given,) = inputs
    channels = given.shape[1] if len(given.shape) == 4 else 0
    # A free dimension has a name, or none, where a fixed one has its number.
    if given.type != "tensor(float)" or (isinstance(channels, int) and channels != 3):
        raise PipelineError(
            f"{file}: its input is {given.type} {given.shape}; B×3×H×W float32 is needed"
        )
