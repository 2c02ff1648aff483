"""`images:DIR`: images that any method has enhanced already."""

import hashlib
import os
from functools import cached_property
from pathlib import Path

import torch

from enhancers.base import Enhancer
from pipeline.errors import PipelineError
from pipeline.files import sha256
from tasks.errors import TaskError
from tasks.images import IMAGE_SUFFIXES, read_rgb
from tasks.task import Sample, Task

OTHER_IMAGES = "holds results of other images than the darkened ones"


class ImageFolder(Enhancer):
    """Looks an image's enhanced version up instead of computing it.

    A file belongs to a sample when its path in the folder, without suffix, is the end of the
    sample's id: `7.png` or `low/7.png` for `eval15/low/7`. The longest such path counts.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    @classmethod
    def from_source(cls, text: str) -> "ImageFolder":
        """The folder of that name; PipelineError where it is none, or holds no image."""
        folder = Path(text).expanduser()
        if not folder.is_dir():
            raise PipelineError(f"images:{text}: there is no such folder")
        model = cls(folder)
        if not model.files:
            raise PipelineError(f"images:{text}: the folder holds no images")
        return model

    @cached_property
    def files(self) -> dict[str, Path]:
        """Path in the folder without suffix → file; PipelineError where two files share one."""
        found: dict[str, Path] = {}
        # Linked folders count, as they do in datasets.
        walked = os.walk(self.folder, followlinks=True)
        for path in sorted(Path(top, name) for top, _, names in walked for name in names):
            hidden = path.name.startswith(".")
            if path.suffix.lower() in IMAGE_SUFFIXES and not hidden and path.is_file():
                key = path.relative_to(self.folder).with_suffix("").as_posix()
                if key in found:
                    raise PipelineError(f"{path}: shares its name with {found[key].name}")
                found[key] = path
        return found

    @property
    def provenance(self) -> dict[str, str | int]:
        """Number of images and one hash over names and contents."""
        digest = hashlib.sha256()
        for key, path in self.files.items():
            digest.update(f"{key}\0{sha256(path)}\n".encode())
        return {
            "folder": self.folder.name,
            "images": len(self.files),
            "sha256": digest.hexdigest(),
        }

    def require(self, task: Task) -> None:
        """That every image of a task has a file of its own.

        Raises:
            PipelineError: the task's images are darkened, which no file is of.
            TaskError: an image has no file, or two of them have the same one.
        """
        if task.darkening:
            raise PipelineError(f"images:{self.folder}: {OTHER_IMAGES}")
        found: dict[Path, Sample] = {}
        for sample in task.samples:
            file = self.find(sample)
            if file in found:
                raise TaskError(
                    f"{file}: would stand for {found[file].id} and for {sample.id}; keep the "
                    "dataset's folders"
                )
            found[file] = sample

    def find(self, sample: Sample) -> Path:
        """The enhanced file of a sample; TaskError where there is none."""
        parts = sample.id.split("/")
        for start in range(len(parts)):
            if (key := "/".join(parts[start:])) in self.files:
                return self.files[key]
        raise TaskError(
            f"{self.folder}: has no enhanced image for {sample.image}; expected {parts[-1]}.png "
            f"or {sample.id}.png"
        )

    def read(self, sample: Sample, size: tuple[int, int]) -> torch.Tensor:
        """The enhanced image of a sample, (H, W, 3) uint8.

        Raises:
            TaskError: it is not there, cannot be read, or is not of `size` (H, W), its source's.
        """
        path = self.find(sample)
        image = torch.from_numpy(read_rgb(path).copy())
        if tuple(image.shape[:2]) != tuple(size):
            raise TaskError(
                f"{path}: is {image.shape[1]}x{image.shape[0]}, {sample.image} is "
                f"{size[1]}x{size[0]}; give results of the original size"
            )
        return image

    def enhance(self, image: torch.Tensor) -> torch.Tensor:
        """PipelineError: only the images of a task can be looked up."""
        raise PipelineError("images:DIR holds results of a task's images; it cannot enhance others")
