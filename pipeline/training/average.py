"""The exponential moving average of a model's weights (Polyak & Juditsky, 1992)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from enhancers.base import Enhancer


class Average:
    """w̄ ← d·w̄ + (1 − d)·w over the parameters that inference keeps.

    Buffers are taken as they stand: BatchNorm's statistics are averages already, and the queries
    are learnt against the current nodes; under `sequential` nodes change by half in a step, so
    that their mean is none of them.
    """

    def __init__(self, model: Enhancer, decay: float) -> None:
        self.model, self.decay = model, decay
        self.weights = {k: v.detach().clone() for k, v in self._parameters().items()}

    @torch.no_grad()
    def update(self) -> None:
        """After a step."""
        ours, theirs = list(self.weights.values()), list(self._parameters().values())
        torch._foreach_lerp_(ours, theirs, 1 - self.decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model with averaged weights, for as long as it lasts."""
        current = {k: v.detach().clone() for k, v in self._parameters().items()}
        self._load(self.weights)
        try:
            yield
        finally:
            self._load(current)

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Go on from stored averages."""
        for key, value in weights.items():
            self.weights[key].copy_(value)

    def _load(self, weights: Mapping[str, Tensor]) -> None:
        for key, parameter in self._parameters().items():
            parameter.copy_(weights[key])

    def _parameters(self) -> dict[str, Tensor]:
        """Those that inference keeps, without gradient, under the names that they have there."""
        places = {parameter.data_ptr() for parameter in self.model.parameters()}
        state = inference_state(self.model)
        return {key: value for key, value in state.items() if value.data_ptr() in places}


def inference_state(model: Enhancer) -> dict[str, Tensor]:
    """What inference needs of a model: without SU and MU."""
    keeps = getattr(model, "inference_state_dict", None)
    return keeps() if keeps else model.state_dict()
