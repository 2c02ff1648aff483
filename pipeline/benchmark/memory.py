"""Peak memory of this process, which must have been started for the measurement alone."""

from pathlib import Path

import torch

STATUS = Path("/proc/self/status")


class Memory:
    """Counts from the moment it is made.

    On CUDA what torch's allocator handed out at most, weights and images included; what onnxruntime
    holds there is not seen. On a CPU how far the peak of the resident memory rose above what the
    process held at the start: arrays, scratch and packed weights of the libraries too, which a
    count of tensors would miss.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self.start = _resident("VmRSS") if device.type == "cpu" else None

    def peak(self) -> int | None:
        """Bytes; None where neither CUDA nor Linux tells."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device)
        if self.start is None:
            return None
        return max(0, _resident("VmHWM") - self.start)


def _resident(field: str) -> int | None:
    """Bytes of a line such as `VmHWM:  123 kB`.

    Not getrusage, whose maximum a child inherits from the process that started it.
    """
    if not STATUS.is_file():
        return None
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return 1024 * int(lines[field].split()[0])
