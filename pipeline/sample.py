"""The procedural sample scenes, rendered once into the user's cache."""

import os
from pathlib import Path

from pipeline.errors import PipelineError


def sample_folder(part: str) -> Path:
    """Folder of the sample scenes with `part` ("test" or "train") rendered.

    It lies in `$XDG_CACHE_HOME` (by default ~/.cache); the name holds the generator's version.
    """
    from tasks import sample

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    root = cache / "llie-pipeline" / f"sample-v{sample.VERSION}-{part}"
    try:
        sample.render(root, parts=(part,))
    except OSError as error:
        raise PipelineError(f"{root}: cannot be written ({error.strerror})") from None
    return root


SAMPLE_PROTOCOL = dict.fromkeys(("codan", "darkzurich", "nighttime_driving"), "sample")


def is_sample(folder: Path) -> bool:
    """Whether a folder is, or lies in, a rendered set of sample scenes."""
    from tasks.sample.render import MANIFEST

    path = folder.resolve()
    return any((parent / MANIFEST).is_file() for parent in (path, *path.parents))


def sample_root(task: str) -> Path:
    """Root of the sample scenes in the layout of `task`.

    Raises:
        PipelineError: the task has no sample scenes.
    """
    if task not in SAMPLE_PROTOCOL:
        raise PipelineError(f"task {task} has no sample scenes")
    return sample_folder("test") / task
