"""How often an image is timed, and what counts as an enhancer."""

import pytest
import torch

from enhancers.sci import SCI
from pipeline import zoo
from pipeline.benchmark.measure import FEWEST, MOST, measure, times
from pipeline.benchmark.subject import expand, load_subject
from pipeline.checkpoints import write_checkpoint
from pipeline.errors import PipelineError
from pipeline.names import parse_enhancer


def test_repeats_follow_the_budget():
    seen, image = [], torch.rand(1, 3, 16, 16)
    assert len(times(seen.append, image, budget=0)) == FEWEST
    assert len(seen) == FEWEST
    assert times(seen.append, image, budget=-1, fewest=0) == ()
    assert len(times(seen.append, image, budget=60)) == MOST


def test_all_are_the_registered_ones():
    assert {"identity", "gamma@0.6", "clahe", "sci", "lednet"} <= set(expand(["all"]))
    networks = expand(["sci+lfpv", "all+lfpv"])
    assert networks[0] == "sci+lfpv"
    assert len(networks) == len(set(networks)) == 6


def test_a_bare_name_has_our_weights_where_they_are(weights, monkeypatch):
    assert not load_subject(parse_enhancer("zerodcepp+lfpv")).untrained
    write_checkpoint(weights / "sci@ours-lol.safetensors", SCI().state_dict(), {"enhancer": "sci"})
    assert not load_subject(parse_enhancer("sci")).untrained
    (weights / "sci@ours-lol.safetensors").write_bytes(b"broken")
    with pytest.raises(PipelineError, match="sci@ours-lol"):
        load_subject(parse_enhancer("sci"))
    monkeypatch.setattr(zoo, "SHIPPED", "nowhere")
    assert load_subject(parse_enhancer("zerodcepp+lfpv")).untrained


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_memory_is_torchs():
    cost = measure("gamma@0.5", (512, 512), "cuda", False, 0.1)
    image = 4 * 3 * 512 * 512
    assert 2 * image <= cost.peak_bytes < 2 * image + 2**20
