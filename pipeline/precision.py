"""The arithmetic of a measurement: float32, or mixed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def precision(device: torch.device, amp: bool) -> Iterator[None]:
    """Mixed precision where `amp`; else float32 in full.

    Convolutions on CUDA otherwise round float32 to TF32, whose ten bits can change a pixel's class:
    a score would depend on the machine.
    """
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = amp
    try:
        with torch.autocast(device.type, enabled=amp):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = before
