"""The only door to mmengine for training: its Runner, loop, optimiser wrappers and schedules.

mmengine's Runner writes and reads checkpoints with a bare torch.load and its message hub inside,
logs in a format of its own and keeps every value that was ever logged. Those parts stay unused.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import Tensor, nn
from torch.optim import Optimizer

from pipeline.ranks import Ranks
from pipeline.training.feed import Feed
from pipeline.training.plan import SCALE_SEARCH, Plan

# Of the steps done, what `train_step` gave and its batch: whether to stop.
AfterStep = Callable[[int, Any, Any], bool]


class NotFinite(Exception):
    """A loss or a gradient is not finite; the weights are as before."""


class Updates(OptimWrapper):
    """Backward, mean over the ranks, unscaling, the check, clipping, step."""

    def __init__(
        self, optimizer: Optimizer, clip_norm: float | None, ranks: Ranks, scaler: Any
    ) -> None:
        super().__init__(optimizer)
        self.clip_norm = float("inf") if clip_norm is None else clip_norm
        self.ranks, self.scaler = ranks, scaler
        self.weights = [p for group in optimizer.param_groups for p in group["params"]]

    def update_params(self, loss: Tensor, **_: Any) -> None:
        """One update. NotFinite, on all ranks, when the loss or the gradient is on any."""
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.ranks.average_gradients(self.weights)
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.weights, self.clip_norm)
        broken = ~(torch.isfinite(loss.detach()) & torch.isfinite(norm))
        if self.ranks.any(broken, loss.device):
            self.scaler.update()
            raise NotFinite(f"the loss is {loss.item()}, the norm of its gradient {norm.item()}")
        self.step()
        self.scaler.update()

    def step(self, **_: Any) -> None:
        """The optimiser's step, on unscaled gradients."""
        self.scaler.step(self.optimizer)

    def state_dict(self) -> dict[str, Any]:
        """The optimiser's, and the scale of float16."""
        return {"optimiser": self.optimizer.state_dict(), "scale": self.scaler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """As `state_dict` gave it."""
        self.optimizer.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scale"])


class Rate(_ParamScheduler):
    """The learning rate of a plan in closed form, so that no rounding adds up; its momentum too."""

    def __init__(self, optimizer: OptimWrapper, plan: Plan) -> None:
        self.plan = plan
        super().__init__(optimizer, "lr", by_epoch=False)

    def _get_value(self) -> list[float]:
        factor = self.plan.rate(self.last_step, self.plan.steps)
        return [base * factor for base in self.base_values]

    def step(self) -> None:
        """Set what the next step takes."""
        super().step()
        if self.plan.momentum:
            momentum = self.plan.momentum(self.last_step, self.plan.steps)
            for group in self.optimizer.param_groups:
                if "betas" in group:
                    group["betas"] = (momentum, group["betas"][1])
                else:
                    group["momentum"] = momentum

    def state_dict(self) -> dict[str, Any]:
        """Where it is; the rest is the recipe's."""
        return {"last_step": self.last_step, "_global_step": self._global_step}


class Engine(nn.Module, ABC):
    """A loss, and the updates of the parts that it teaches; a subclass says what a step is.

    Raises NotFinite from `train_step` after more than `tolerated` such steps in a row; fewer are
    left out and counted in `skipped`, buffers (nodes, BatchNorm) put back.

    Args:
        loss: the module whose buffers those are.
        parts: weights by the name of what they belong to, each with an optimiser of its own.
        precision: of the network's autocast; float16 scales the gradients.
    """

    def __init__(
        self,
        loss: nn.Module,
        parts: Mapping[str, list[nn.Parameter]],
        plan: Plan,
        *,
        device: torch.device,
        ranks: Ranks,
        precision: torch.dtype | None,
        tolerated: int = 0,
    ) -> None:
        super().__init__()
        self.loss, self.plan, self.device = loss, plan, device
        scaled = precision == torch.float16
        self.tolerated = max(tolerated, SCALE_SEARCH if scaled else 0)
        self.skipped, self.in_a_row = 0, dict.fromkeys(parts, 0)
        self.updates = OptimWrapperDict(
            **{
                name: Updates(
                    plan.optimizer(weights),
                    plan.clip_norm,
                    ranks,
                    torch.amp.GradScaler(device.type, enabled=scaled),
                )
                for name, weights in parts.items()
            }
        )
        self.rates = {name: [Rate(self.updates[name], plan)] for name in parts}

    @abstractmethod
    def train_step(self, data: Any, optim_wrapper: OptimWrapperDict) -> Any:
        """What mmengine's loop calls: a batch, and the updates; gives what `after_step` gets."""

    @contextmanager
    def tolerating(self, part: str) -> Iterator[None]:
        """Around the loss and the update of a part: leaves it out if it is not finite."""
        before = [b.detach().clone() for b in self.loss.buffers()] if self.tolerated else []
        try:
            yield
            self.in_a_row[part] = 0
        except NotFinite as error:
            self._skip(part, before, error)

    def state(self) -> dict[str, Any]:
        """Optimisers, schedules and what was skipped."""
        return {
            "updates": {name: self.updates[name].state_dict() for name in self.rates},
            "rates": {name: rate.state_dict() for name, (rate,) in self.rates.items()},
            "skipped": (self.skipped, self.in_a_row),
        }

    def load(self, state: dict[str, Any]) -> None:
        """As `state` gave it."""
        for name, (rate,) in self.rates.items():
            self.updates[name].load_state_dict(state["updates"][name])
            rate.load_state_dict(state["rates"][name])
        self.skipped, self.in_a_row = state["skipped"]

    def run(self, feed: Feed, done: int, folder: Path, after_step: AfterStep) -> None:
        """Train from step `done` of the plan to its end, or until `after_step` says True."""
        _Runner(
            model=self,
            work_dir=str(folder),
            train_dataloader=feed,
            train_cfg={"type": _Loop, "max_iters": self.plan.steps, "done": done},
            optim_wrapper=self.updates,
            param_scheduler=self.rates,
            default_hooks=dict.fromkeys(
                ("runtime_info", "timer", "sampler_seed", "logger", "checkpoint")
            ),
            custom_hooks=[_AfterStep(after_step)],
            default_scope=None,
            experiment_name="training",
        ).train()

    def _skip(self, part: str, before: Sequence[Tensor], error: NotFinite) -> None:
        if self.in_a_row[part] == self.tolerated:
            raise error
        self.skipped += 1
        self.in_a_row[part] += 1
        with torch.no_grad():
            for buffer, value in zip(self.loss.buffers(), before, strict=True):
                buffer.copy_(value)


class _Loop(IterBasedTrainLoop):
    """mmengine's loop, but it starts at step `done`, where its data starts, too."""

    def __init__(self, runner: Runner, dataloader: Feed, max_iters: int, done: int) -> None:
        super().__init__(runner, dataloader, max_iters)
        self._iter = done

    def run(self) -> None:
        self.runner.call_hook("before_train")
        self.runner.model.train()
        while self._iter < self._max_iters and not self.stop_training:
            self.run_iter(next(self.dataloader_iterator))
        self.runner.call_hook("after_train")


class _AfterStep(Hook):
    """Hands every step to the trainer, after the learning rates are set."""

    priority = "VERY_LOW"

    def __init__(self, after_step: AfterStep) -> None:
        self.after_step = after_step

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        stop = self.after_step(batch_idx + 1, outputs, data_batch)
        runner.train_loop.stop_training = stop


class _Runner(Runner):
    """mmengine's Runner without files, seeds and log of its own: the trainer has them."""

    # The folder of a log is work_dir/timestamp, made even where nothing is logged.
    timestamp = ""

    def set_randomness(self, seed=None, **_) -> None:
        self._seed, self._deterministic = seed, False

    def build_logger(self, *_, **__) -> MMLogger:
        logger = MMLogger.get_instance("training")
        logger.setLevel(logging.ERROR)
        return logger

    def build_visualizer(self, visualizer=None) -> None:
        return None

    def wrap_model(self, model_wrapper_cfg, model: nn.Module) -> nn.Module:
        return model

    def _log_env(self, env_cfg) -> None:
        pass

    def dump_config(self) -> None:
        pass
