"""Memory that a step frees is kept for the next one.

By default glibc gives the memory of large tensors back to the system at every free. Faulting it in
again costs a training step, or an image on whole maps, much of its time (docs/performance.md).
"""

import ctypes
import os

# malloc.h: how much of the heap's end may lie free, and from which size on a block is no part of
# the heap (32 MiB is the most that glibc takes).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
FREE, LARGEST = 2**30, 2**25
# torch reads it at its first large tensor: those above come in huge pages, 512 faults in one.
HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"


def keep_freed_memory() -> bool:
    """Whether malloc was told so; call it before torch makes a tensor.

    Not where the user's MALLOC_* decide, nor by another C library than glibc.
    """
    os.environ.setdefault(HUGE_PAGES, "1")
    if any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, FREE) and mallopt(M_MMAP_THRESHOLD, LARGEST))
