"""Time on a device."""

import time

import torch


def now(device: torch.device) -> float:
    """Seconds of a monotonic clock, read when all that was asked of the device is done."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()
