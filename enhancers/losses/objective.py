"""The contract of every training objective."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from enhancers.base import Run


class Objective(nn.Module, ABC):
    """`objective(run, low, normal) -> (loss, parts)`; its own parameters are trained too.

    `run(image)` gives a network's outputs for any image, `low` is B×3×H×W in [0, 1] and `normal`
    its normal-light partner, an unpaired normal-light batch for an adversarial objective, or None
    where there is none. The loss is a scalar with gradient, `parts` are its weighted terms as
    floats.
    """

    @abstractmethod
    def forward(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss of `run` on one batch, and its parts."""


def summed(terms: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """What an objective gives: the sum of its weighted terms, scalars, and each as a float."""
    parts = {name: term.item() for name, term in terms.items()}
    return torch.stack(list(terms.values())).sum(), parts
