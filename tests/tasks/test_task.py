"""Tasks whose images are darkened."""

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.darken import Darkening
from tasks.errors import TaskError
from tasks.protocol import Protocol
from tasks.task import Sample, Task


@pytest.fixture
def task():
    sample = Sample("day/1", "day", Path("1.png"), "stop")
    return Task("signs", "classification", (sample,), Protocol("whole", 1, "round"), ("stop",))


def test_a_darkened_task_says_so(task):
    darkened = task.darkened(Darkening(0.1))
    assert darkened == replace(task, darkening=Darkening(0.1))
    assert (task.data, darkened.data) == ("user", "darkened")


def test_splits_that_may_be_dark_are_not_darkened(task):
    both = replace(task, samples=(*task.samples, Sample("night/1", "night", Path("2.png"), "stop")))
    with pytest.raises(TaskError, match="signs has the splits day, night; darken"):
        both.darkened(Darkening(0.1))
    with pytest.raises(TaskError, match="signs has dark images already"):
        replace(task, kind="restoration").darkened(Darkening(0.1))
