"""A signal in the middle of a training."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def signal_in(run: type, step: int, number: int = signal.SIGTERM) -> Iterator[None]:
    """Send this process a signal while a training by `run` is in that step."""
    after_step = run._after_step

    def sending(self, *given):
        if self.session.total + 1 == step:
            os.kill(os.getpid(), number)
        return after_step(self, *given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(run, "_after_step", sending)
        yield
