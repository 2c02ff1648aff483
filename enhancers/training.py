"""The loss of one training step, for a plain network and for one with two paths."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from enhancers.base import REDUCED, EncodeDecode, Enhancer, Run
from enhancers.errors import EnhancerError
from enhancers.losses import Objective

Nodes = Literal["learn", "fixed", "none"]


class Step(NamedTuple):
    """What one step gives: a scalar `loss` with gradient, its float `parts`, what each path made.

    `images` has `plain` and, with two paths, `lfpv`: B×3×H×W in [0, 1], without gradient.
    """

    loss: Tensor
    parts: dict[str, float]
    images: dict[str, Tensor]


class StepLoss(nn.Module):
    """L(Î, I), and with two paths + λ·L(Ī, I); λ is `lfpv_weight`.

    `nodes` of a model with LFPV in this phase: learn (updated, both paths), fixed (the stored ones,
    both paths), none (the plain path alone). `precision` is the type the network computes in under
    autocast, None for its own; the objective always gets the full precision.
    """

    def __init__(
        self,
        model: Enhancer,
        objective: Objective,
        *,
        lfpv_weight: float = 1.0,
        nodes: Nodes = "learn",
        precision: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.model, self.objective = model, objective
        self.lfpv_weight, self.nodes, self.precision = lfpv_weight, nodes, precision
        self.fakes: list[Tensor] = []

    def forward(self, low: Tensor, normal: Tensor | None, indices: Tensor | None = None) -> Step:
        """The loss of B×3×H×W `low`; `normal` and its meaning are the objective's affair.

        `indices` number the images over the whole training, for what is drawn by image.
        EnhancerError where the network does not give what the objective looks at.
        """
        self.fakes = []
        if not has_paths(self.model) or self.nodes == "none":
            network = plain_network(self.model)
            run = _Recorded(network.run, self.precision)
            loss, parts = self._objective(run, low, normal)
            return Step(loss, {"loss": loss.item(), **parts}, _made(plain=run.image))
        return self._two_paths(_Paths(self.model, indices, self.nodes), low, normal)

    def discriminator_loss(self, normal: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The adversary's loss on what the last step made on all its paths."""
        return self.objective.discriminator_loss(torch.cat(self.fakes), normal)

    def _two_paths(self, paths: "_Paths", low: Tensor, normal: Tensor | None) -> Step:
        plain_run = _Recorded(paths.plain, self.precision)
        lfpv_run = _Recorded(paths.lfpv, self.precision)
        start = torch.get_rng_state()
        plain, plain_parts = self._objective(plain_run, low, normal)
        # Both paths see the same random darkening, so that one encoder pass serves them.
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(start)
            lfpv, lfpv_parts = self._objective(lfpv_run, low, normal)
        loss = plain + self.lfpv_weight * lfpv
        parts = {"loss": loss.item(), "plain": plain.item(), "lfpv": lfpv.item()}
        parts |= {f"plain.{name}": value for name, value in plain_parts.items()}
        parts |= {f"lfpv.{name}": value for name, value in lfpv_parts.items()}
        return Step(loss, parts, _made(plain=plain_run.image, lfpv=lfpv_run.image))

    def _objective(
        self, run: Run, low: Tensor, normal: Tensor | None
    ) -> tuple[Tensor, dict[str, float]]:
        try:
            loss, parts = self.objective(run, low, normal)
        except AttributeError as error:
            objective, network = (
                type(one).__name__ for one in (self.objective, plain_network(self.model))
            )
            raise EnhancerError(f"{objective} does not fit {network}: {error}") from error
        if is_adversarial(self.objective):
            self.fakes.append(self.objective.fake)
        return loss, parts


def has_paths(model: nn.Module) -> bool:
    """Whether training gives two paths: with LFPV, and its compute-matched control."""
    return hasattr(model, "training_paths")


def plain_network(model: Enhancer) -> EncodeDecode:
    """The network itself, without what gives it a second path."""
    return model.network if has_paths(model) else model


def is_adversarial(objective: nn.Module) -> bool:
    """Whether the objective trains discriminators of its own."""
    return hasattr(objective, "discriminators")


class _Paths:
    """Both paths of a step; nodes are updated by the image on which the plain path runs first.

    The LFPV path's first image has the same values, for both are drawn alike from `low`.
    """

    def __init__(self, model: Any, indices: Tensor | None, nodes: Nodes) -> None:
        self.model, self.indices, self.nodes = model, indices, nodes
        self.image: Tensor | None = None
        self.paths: Any = None
        self.entered = False

    def plain(self, image: Tensor) -> Any:
        if self.image is None:
            self.image = image
            self.paths = (
                self.model.training_paths(image, self.indices)
                if self.nodes == "learn"
                else self.model.stored_paths(image)
            )
        return self.paths.plain(image)

    def lfpv(self, image: Tensor) -> Any:
        first, self.entered = not self.entered, True
        return self.paths.lfpv(self.image if first else image)


class _Recorded:
    """`run` under autocast, its outputs in full precision; keeps the image of the first call.

    Later calls of an objective are on images that it made itself.
    """

    def __init__(self, run: Callable[[Tensor], Any], precision: torch.dtype | None) -> None:
        self.run, self.precision = run, precision
        self.image: Tensor | None = None

    def __call__(self, image: Tensor) -> Any:
        if self.precision is None:
            out = self.run(image)
        else:
            with torch.autocast(image.device.type, self.precision):
                out = in_full_precision(self.run(image))
        if self.image is None:
            self.image = out.image.detach()
        return out


def _made(**images: Tensor | None) -> dict[str, Tensor]:
    """Those that were made: an objective for a part of the network may not run the whole."""
    return {name: image for name, image in images.items() if image is not None}


def in_full_precision(value: Any) -> Any:
    """Half-precision tensors as float32, inside any (named) tuples."""
    if isinstance(value, Tensor):
        return value.float() if value.dtype in REDUCED else value
    if isinstance(value, tuple):
        parts = [in_full_precision(part) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value
