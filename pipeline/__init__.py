"""Downstream-task evaluation of low-light image enhancement.

    from pipeline import run
    result = run("sci+lfpv", "darkzurich", sample=True)
    print(result.headline)

Public names: `run`, `create_enhancer`, `create_task`, `Enhancer`, `DownstreamModel`, `Result`.
They are imported when first used, so that the command line answers at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from enhancers.base import Enhancer
    from pipeline.factory import create_enhancer, create_task
    from pipeline.result import Result
    from pipeline.runner import run
    from tasks.models import DownstreamModel

__all__ = ["DownstreamModel", "Enhancer", "Result", "create_enhancer", "create_task", "run"]

_HOME = {
    "run": "pipeline.runner",
    "create_enhancer": "pipeline.factory",
    "create_task": "pipeline.factory",
    "Enhancer": "enhancers.base",
    "DownstreamModel": "tasks.models",
    "Result": "pipeline.result",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pipeline' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
