"""What a config asks for: tasks, and enhancers on them."""

from dataclasses import dataclass, field
from typing import Any

from pipeline.names import EnhancerName


@dataclass(frozen=True)
class TaskSpec:
    """An entry of `tasks`; the fields are arguments of `pipeline.run`."""

    task: str
    root: str | None = None
    sample: bool = False
    protocol: str | None = None
    evaluator: str | None = None
    evaluator_weights: str | None = None
    class_map: str | None = None


@dataclass(frozen=True)
class Cell:
    """An enhancer on a task, with what the config says of the two together.

    Attributes:
        options: of the enhancer's constructor.
        amp: mixed precision.
        chunk: images of a forward pass; None is 16 for classification, 1 otherwise.
    """

    enhancer: EnhancerName
    task: TaskSpec
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    amp: bool = False
    chunk: int | None = None

    def __str__(self) -> str:
        return f"{self.enhancer} on {self.task.task}"
