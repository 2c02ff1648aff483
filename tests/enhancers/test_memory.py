"""What is free, and an image that would not fit."""

import pytest
import torch

from enhancers import EnhancerError, memory
from enhancers.base import Enhancer
from enhancers.lfpv import LFPVEnhancer
from enhancers.memory import free_memory
from enhancers.sci import SCI
from pipeline.errors import is_out_of_memory

KIB, GIB = 2**10, 2**30


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine with 3 GiB free, 1 GiB of it swap, and this process in the group job/step."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text(
        f"MemTotal: {9 * GIB // KIB} kB\nMemAvailable: {2 * GIB // KIB} kB\n"
        f"HugePages_Total: 0\nSwapFree: {GIB // KIB} kB\n"
    )
    own = tmp_path / "own"
    own.write_text("1:name=systemd:/\n0::/job/step\n")
    monkeypatch.setattr(memory, "MEMORY", meminfo)
    monkeypatch.setattr(memory, "OWN_GROUP", own)
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    (tmp_path / "groups/job/step").mkdir(parents=True)
    return tmp_path


def limit(folder, value, held=GIB, files=0):
    (folder / "memory.max").write_text(f"{value}\n")
    (folder / "memory.current").write_text(f"{held}\n")
    (folder / "memory.stat").write_text(f"anon {held - files}\ninactive_file {files}\n")


class Needy(Enhancer):
    bytes_per_pixel = 2**20

    def enhance(self, image):
        return image


def test_the_machine_decides_where_no_group_has_a_limit(system):
    limit(system / "groups/job", "max")
    assert free_memory() == 3 * GIB


def test_the_tightest_group_decides(system):
    limit(system / "groups/job/step", "max")
    limit(system / "groups/job", 2 * GIB, held=GIB, files=GIB // 4)
    assert free_memory() == GIB + GIB // 4
    limit(system / "groups", 4 * GIB, held=4 * GIB)
    assert free_memory() == 0


@pytest.mark.parametrize("missing", ["meminfo", "own"])
def test_another_system_tells_nothing_and_nothing_is_refused(system, missing):
    (system / missing).unlink()
    assert free_memory() is None
    Needy()(torch.zeros(1, 3, 64, 65))


def test_an_old_system_does_not_tell_what_is_available(system):
    (system / "meminfo").write_text("MemTotal: 8 kB\nMemFree: 4 kB\nSwapFree: 2 kB\n")
    assert free_memory() is None


def test_an_image_that_would_not_fit_is_refused_as_short_of_memory(system):
    fitting, larger = torch.zeros(1, 3, 64, 48), torch.zeros(2, 3, 64, 32)
    Needy()(fitting)
    with pytest.raises(EnhancerError, match=r"more than 4\.3 GB.*3\.2 are free.*--batch") as caught:
        Needy()(larger)
    assert is_out_of_memory(caught.value)


def test_lfpv_needs_what_its_network_needs():
    network = SCI()
    assert LFPVEnhancer(network.encode, network.decode, 3).bytes_per_pixel == SCI.bytes_per_pixel
