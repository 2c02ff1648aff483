"""Freed memory is kept, unless the user's own settings decide."""

import os
import platform
import subprocess
import sys

import pytest

from pipeline.allocator import keep_freed_memory

FAULTS = """
import resource, sys
from pipeline.allocator import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
import torch
for step in range(9):
    torch.ones(4, 2**20)
    if step == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")


def faults(kind, environment):
    command = [sys.executable, "-c", FAULTS, kind]
    return int(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


@glibc
def test_a_tensor_made_again_faults_in_no_page(monkeypatch):
    for name in ("THP_MEM_ALLOC_ENABLE", "MALLOC_TRIM_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    assert faults("kept", os.environ.copy()) < 50
    assert faults("default", os.environ.copy()) > 1000


@glibc
def test_the_users_settings_decide(monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    assert not keep_freed_memory()


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert not keep_freed_memory()
