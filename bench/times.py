"""Times of other processes, for the benchmarks beside it."""

import resource
import subprocess
import time
from collections.abc import Callable


def cpu_seconds() -> float:
    """Of this process and of the finished ones that it started."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def taken(run: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a call, with all processes that it starts and waits for."""
    started, used = time.perf_counter(), cpu_seconds()
    run()
    return time.perf_counter() - started, cpu_seconds() - used


def process(command: list[str]) -> tuple[float, float]:
    """`taken` by a command, which must succeed."""
    return taken(lambda: subprocess.run(command, check=True, capture_output=True))
