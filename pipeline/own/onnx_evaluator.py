"""`--evaluator onnx:FILE`: a frozen model in ONNX, with what it is given declared beside it."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F

from pipeline.errors import PipelineError
from pipeline.own.onnx import digest, open_session, run_session
from pipeline.recipes import fill, read_yaml
from tasks import cityscapes
from tasks.models import DownstreamModel, ModelInfo
from tasks.resize import resize

# A logit that leaves the softmax of a predicted label at 1.
CERTAIN = 100.0


@dataclass(frozen=True)
class Declared:
    """FILE.yaml beside FILE.onnx but for its `classes`; every key is needed, nothing is assumed.

    Attributes:
        mean, std: the network gets (image − mean) / std of an image in [0, 1]; one that wants
            levels from 0 to 255 has mean 0 and std 1/255.
        channels: their order.
        input_size: (H, W) to which the image is resized (bilinear, antialiased); null keeps it.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: Literal["rgb", "bgr"]
    input_size: tuple[int, int] | None

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (*self.mean, *self.std))):
            raise ValueError("mean and std must be finite")
        if min(self.std) <= 0 or min(self.input_size or (1, 1)) < 1:
            raise ValueError("std and input_size must be positive")


class OnnxModel(DownstreamModel):
    """One input, B×3×H×W float32, and one output that tells the task.

    (B, K) logits classify; (B, K, H, W) logits, or (B, H, W) or (B, 1, H, W) integer class indices,
    segment. Maps of another size than the image are resized to it: logits bilinearly, indices by
    nearest neighbour. Runs where `OnnxEnhancer` does.
    """

    def __init__(
        self, file: Path, session: Any, declared: Declared, classes: tuple[str, ...]
    ) -> None:
        super().__init__(ModelInfo(classes, declared.input_size, str(file)))
        self.file, self.session, self.declared = file, session, declared
        (output,) = session.get_outputs()
        self.kind, self.indices = _kind(file, output.type, output.shape)
        outputs = len(classes) if self.indices else output.shape[1]
        self.num_outputs = outputs if isinstance(outputs, int) else len(classes)
        self.settings = asdict(declared)
        self.register_buffer("mean", torch.tensor(declared.mean).view(1, 3, 1, 1), False)
        self.register_buffer("std", torch.tensor(declared.std).view(1, 3, 1, 1), False)

    @classmethod
    def from_source(cls, text: str) -> "OnnxModel":
        """Open FILE.onnx and read FILE.yaml.

        Raises:
            PipelineError: as `open_session`; FILE.yaml is missing or wrong; the output is none of
                the known ones.
        """
        file, session = open_session(text)
        return cls(file, session, *_read_declared(file.with_suffix(".yaml")))

    @property
    def provenance(self) -> dict[str, Any]:
        """The file, and what was declared of it."""
        return {"model": "onnx", "file": self.file.name, "sha256": digest(self.file), "header": {}}

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """PipelineError: the model fails, or gives another number of classes than declared."""
        size = image.shape[-2:]
        with torch.autocast(image.device.type, enabled=False):
            if self.declared.input_size:
                image = resize(image, self.declared.input_size, "bilinear", eight_bit=False)
            if self.declared.channels == "bgr":
                image = image.flip(1)
            image = (image - self.mean) / self.std
        output = run_session(self.file, self.session, image)
        if self.indices:
            output = self._as_logits(output.reshape(len(image), *output.shape[-2:]).long())
        if output.shape[1] != self.num_outputs:
            raise PipelineError(
                f"{self.file}: gives {output.shape[1]} classes, {self.num_outputs} are declared"
            )
        if self.kind == "segmentation" and output.shape[-2:] != size:
            output = F.interpolate(output, size, mode="nearest" if self.indices else "bilinear")
        return output

    def _as_logits(self, labels: torch.Tensor) -> torch.Tensor:
        """Class indices (B, H, W) → (B, K, H, W)."""
        low, high = (int(end) for end in labels.aminmax())
        if low < 0 or high >= self.num_outputs:
            raise PipelineError(
                f"{self.file}: predicts class {low if low < 0 else high}, of {self.num_outputs}"
            )
        return CERTAIN * F.one_hot(labels, self.num_outputs).movedim(-1, 1).float()


def _kind(file: Path, dtype: str, shape: list[Any]) -> tuple[str, bool]:
    """The task of an output, and whether it is class indices."""
    rank, integer = len(shape or ()), "int" in dtype
    if rank == 2 and not integer:
        return "classification", False
    if rank == 4 and not integer:
        return "segmentation", False
    if integer and (rank == 3 or (rank == 4 and shape[1] == 1)):
        return "segmentation", True
    raise PipelineError(
        f"{file}: its output is {dtype} {shape}; float (B, K) or (B, K, H, W), or integers "
        "(B, H, W), are needed"
    )


def _read_declared(path: Path) -> tuple[Declared, tuple[str, ...]]:
    if not path.is_file():
        raise PipelineError(
            f"{path}: is missing; it declares the model's mean, std, channels (rgb or bgr), "
            "input_size ([H, W] or null) and classes"
        )
    values = read_yaml(path)
    classes = values.pop("classes", None)
    if classes == "cityscapes":
        classes = list(cityscapes.CLASSES)
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise PipelineError(f"{path}: classes is a list of names in output order, or cityscapes")
    return fill(Declared, values, path), tuple(classes)
