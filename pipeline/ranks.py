"""Several processes that do one job, started by torchrun.

In training every rank computes the whole step on its share of the batch; gradients are averaged
after the backward pass in one flat all-reduce. torch's DistributedDataParallel would overlap the
two, but it must be told of parameters that a phase, a path or the adversary leaves out, and it
wraps the model.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from pipeline.errors import PipelineError


@dataclass(frozen=True)
class Ranks:
    """This process among all; `size` 1 when there is no other."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.rank == 0

    def require_divisible(self, batch: int) -> None:
        """PipelineError where so many images cannot be shared out evenly."""
        if batch % self.size:
            raise PipelineError(f"data.batch is {batch}, which {self.size} ranks cannot share")

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the ranks."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        for dtype in {gradient.dtype for gradient in gradients}:
            same = [gradient for gradient in gradients if gradient.dtype == dtype]
            flat = torch.cat([gradient.flatten() for gradient in same])
            dist.all_reduce(flat)
            means = (flat / self.size).split([gradient.numel() for gradient in same])
            for gradient, mean in zip(same, means, strict=True):
                gradient.copy_(mean.view_as(gradient))

    def any(self, flag: bool | Tensor, device: torch.device) -> bool:
        """Whether `flag` holds on any rank."""
        if self.size == 1:
            return bool(flag)
        shared = torch.as_tensor(flag, dtype=torch.int32, device=device).clone()
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(shared)

    def gather(self, value: Any) -> list[Any]:
        """The plain `value` of every rank."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    def wait(self) -> None:
        """Until every rank is here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def joined(device: str) -> Iterator[tuple[Ranks, str]]:
    """Join the ranks of torchrun, if it started this process; gives them and this rank's device."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Ranks(), device
        return
    cuda = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    if cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Ranks(dist.get_rank(), size), device
    finally:
        dist.destroy_process_group()
