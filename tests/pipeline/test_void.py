"""Void as an output, from the frozen model to the comparison: C×(C+1) confusions."""

import numpy as np
import pytest
import torch

from pipeline import create_task, run
from pipeline.cli import main
from pipeline.result import Result
from tasks.models import DownstreamModel, ModelInfo


class RandomWithVoid(DownstreamModel):
    """19 classes and void by fixed random directions of colour."""

    kind, num_outputs, void_output = "segmentation", 19, True

    def __init__(self):
        super().__init__(ModelInfo())
        weight = torch.randn(20, 3, generator=torch.Generator().manual_seed(5))
        self.register_buffer("weight", weight)

    def forward(self, image):
        return torch.einsum("kc,bchw->bkhw", self.weight, image - 0.1)


@pytest.fixture
def results(dark_zurich, tmp_path):
    task = create_task("darkzurich", dark_zurich, "mmseg")
    files = []
    for name in ("identity", "gamma@0.5"):
        files.append(tmp_path / f"{name}.json")
        run(name, task, evaluator=RandomWithVoid()).write(files[-1])
    return files


def test_predicted_void_is_stored_and_scored_as_a_miss(results):
    result = Result.read(results[0])
    counts = np.array([image["confusion"] for image in result.per_image])
    assert counts.shape == (3, 19, 20)
    total = counts.sum(0)
    assert total[:, 19].sum() > 0
    hits = total.diagonal()
    iou = hits / (total.sum(1) + total[:, :19].sum(0) - hits)
    assert result.headline[1].value == pytest.approx(100 * iou.mean())
    assert list(result.per_class["val"].values()) == pytest.approx(100 * iou)
    low, high = result.headline[1].interval
    assert low <= result.headline[1].value <= high


def test_such_results_are_compared(results, capsys):
    assert main(["compare", *map(str, results)]) == 0
    text = capsys.readouterr().out
    values = [Result.read(file).headline[1].value for file in results]
    assert f"{values[1] - values[0]:+.2f}" in text
