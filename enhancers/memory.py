"""Refusing an image for which a CPU has no memory: Linux would end the process without a word."""

from pathlib import Path

import torch
from torch import Tensor

from enhancers.errors import EnhancerError

MEMORY, OWN_GROUP = Path("/proc/meminfo"), Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
# Below it nothing is asked.
SMALL = 2**30


def require_memory(image: Tensor, bytes_per_pixel: int) -> None:
    """Refuse B×c×H×W `image` on a CPU with fewer bytes free, where the system tells.

    EnhancerError, caused by a MemoryError, as when torch itself is short of memory.
    """
    # In a traced graph a size is no number to compare.
    if image.device.type != "cpu" or torch.compiler.is_compiling():
        return
    pixels = image.numel() // image.shape[1]
    needed = pixels * bytes_per_pixel
    if needed < SMALL:
        return
    free = free_memory()
    if free is not None and needed > free:
        raise EnhancerError(
            f"{pixels / 1e6:.3g} megapixels at once take more than {needed / 1e9:.1f} GB here, and "
            f"{free / 1e9:.1f} are free: smaller images, fewer at once (--batch-size), or a GPU"
        ) from MemoryError()


def free_memory() -> int | None:
    """Bytes that this process can still take: of the machine, or of a control group if it is less.

    None where the system does not tell (other than Linux, Linux before 3.14, some sandboxes).
    """
    if not (MEMORY.is_file() and OWN_GROUP.is_file()):
        return None
    machine = _numbers(MEMORY)
    if "MemAvailable:" not in machine:
        return None
    free = [1024 * (machine["MemAvailable:"] + machine["SwapFree:"])]
    return min(free + [_left(group) for group in _limited_groups()])


def _limited_groups() -> list[Path]:
    """The control groups, of version 2, that hold this process and have a limit."""
    named = [line[3:] for line in OWN_GROUP.read_text().splitlines() if line.startswith("0::")]
    groups = [GROUPS / name.strip("/") for name in named]
    limits = [folder / "memory.max" for group in groups for folder in (group, *group.parents)]
    return [limit.parent for limit in limits if limit.is_file() and limit.read_text() != "max\n"]


def _left(group: Path) -> int:
    """Bytes; what is held of files can be dropped."""
    limit, held = (int((group / f"memory.{name}").read_text()) for name in ("max", "current"))
    return limit - held + _numbers(group / "memory.stat")["inactive_file"]


def _numbers(file: Path) -> dict[str, int]:
    """Lines such as `MemFree: 123 kB`, without the unit."""
    return {name: int(value) for name, value, *_ in map(str.split, file.read_text().splitlines())}
