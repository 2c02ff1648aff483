"""What a config asks for: tasks, and enhancers on them."""

from dataclasses import dataclass, field
from typing import Any

from pipeline.names import EnhancerName
from tasks.darken import Darkening


@dataclass(frozen=True)
class TaskSpec:
    """An entry of `tasks`: arguments of `pipeline.run`, and how its images are darkened."""

    task: str
    root: str | None = None
    sample: bool = False
    protocol: str | None = None
    evaluator: str | None = None
    evaluator_weights: str | None = None
    class_map: str | None = None
    darken: Darkening | None = None

    def __str__(self) -> str:
        return self.task + (f", exposure {self.darken.exposure:g}" if self.darken else "")


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
        return f"{self.enhancer} on {self.task}"
