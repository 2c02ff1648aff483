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


def sample_root(task: str) -> Path:
    """Root of the sample scenes in the layout of `task`.

    Raises:
        PipelineError: the task has no sample scenes.
    """
    if task not in ("codan", "darkzurich", "nighttime_driving"):
        raise PipelineError(f"task {task} has no sample scenes")
    return sample_folder("test") / task
