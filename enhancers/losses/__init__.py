"""Training objectives: `objective(run, low, normal) -> (loss, parts)`."""

from enhancers.losses.objective import Objective
from enhancers.losses.paired import Paired

__all__ = ["Objective", "Paired"]
