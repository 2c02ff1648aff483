"""Stopping between two steps instead of in the middle of one."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch

from pipeline.ranks import Ranks

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Schedulers announce the end of a job's time by these, to all of its processes.
WARNINGS = (signal.SIGUSR1, signal.SIGUSR2)


class Stop:
    """`number` is the signal that asks to stop, 0 while there is none."""

    number = 0

    def anywhere(self, ranks: Ranks, device: torch.device) -> bool:
        """Whether any rank was asked to stop; then all of them are."""
        asked = ranks.any(bool(self.number), device)
        if asked and not self.number:
            self.number = signal.SIGTERM
        return asked

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The handler: the first signal is remembered, a second one stops at once."""
        if self.number:
            raise KeyboardInterrupt
        self.number = number


def leave(stop: Stop, says: bool) -> None:
    """End the process as its signal would have, after saying so, if there was one."""
    if stop.number:
        if says:
            name = signal.Signals(stop.number).name
            print(f"{name}: stopped and saved; --resume goes on", file=sys.stderr)
        raise SystemExit(128 + stop.number)


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """SIGINT and SIGTERM set the Stop, for as long as this lasts."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def held_back() -> Iterator[None]:
    """No such signal arrives here, and none ever in a process that starts here.

    A scheduler sends its SIGTERM to all processes of a job, and reading goes on until the step is
    done.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*SIGNALS, *WARNINGS))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
