"""`run` and the chain, on tiny data with frozen models of random weights."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from enhancers.base import Enhancer
from pipeline import Result, create_enhancer, create_task, registry, run
from pipeline.chain import ChainOptions, measure
from pipeline.errors import PipelineError
from pipeline.evaluators import load_evaluator
from pipeline.runner import prepare
from tasks.errors import TaskError

from .conftest import NIGHT, NIGHT_GT, SEGMENTOR


class Brighten(Enhancer):
    def enhance(self, image):
        return image * 2.0


class Broken(Enhancer):
    def __init__(self, fault):
        super().__init__()
        self.fault = fault

    def enhance(self, image):
        return self.fault(image)


@pytest.fixture
def night(dark_zurich, segmentor):
    return {
        "task": create_task("darkzurich", dark_zurich, "mmseg"),
        "evaluator": SEGMENTOR,
        "evaluator_weights": segmentor,
    }


def test_result_is_complete(night):
    result = run("gamma@0.5", **night)
    assert isinstance(result, Result)
    assert result.headline[0] == "val/mIoU"
    score = result.headline[1]
    assert score.interval[0] <= score.value <= score.interval[1]
    assert score.images == 3
    assert len(result.per_class["val"]) == 19
    assert [len(image["confusion"]) for image in result.per_image] == [19] * 3
    assert result.provenance["dataset"]["images"] == 3
    assert len(result.provenance["evaluator"]["sha256"]) == 64
    assert result.provenance["cost"] == {
        "parameters": 0,
        "lfpv": None,
        "macs": 0,
        "size": (1080, 1920),
    }
    assert result.provenance["given"]["evaluator_weights"] == str(night["evaluator_weights"])
    assert result.provenance["given"]["batch_size"] is None
    assert result.provenance["config"]["batch_size"] == 1
    assert result.provenance["seeds"] == {"bootstrap": 0, "enhancer": None, "evaluator": None}
    for stage, median in result.seconds.items():
        each = [image["seconds"][stage] for image in result.per_image]
        assert median == pytest.approx(np.median(each), abs=1e-6)
        assert result.seconds_p90[stage] == pytest.approx(np.percentile(each, 90), abs=1e-6)
    in_turn = result.seconds["enhance"] + result.seconds["evaluate"]
    assert result.provenance["wall_seconds"] > in_turn
    assert "val: 3 images, the official split has 50" in result.notes


def test_mean_iou_is_recomputed_from_the_written_record(night):
    result = run(Brighten(), **night)
    total = np.sum([image["confusion"] for image in result.per_image], axis=0)
    union = total.sum(0) + total.sum(1) - total.diagonal()
    iou = total.diagonal()[union > 0] / union[union > 0]
    assert result.headline[1].value == pytest.approx(100 * iou.mean())


def test_the_chain_equals_doing_it_by_hand(night, dark_zurich):
    """Enhance, save as PNG, read back, predict: what the protocol stands for."""
    result = run(Brighten(), **night)
    task = night["task"]
    model = load_evaluator(SEGMENTOR, night["evaluator_weights"], task).model
    for index, sample in enumerate(task.samples):
        image = np.asarray(Image.open(sample.image)).astype(np.float32) / 255 * 2
        image = np.round(image.clip(0, 1) * 255) / 255
        batch = torch.from_numpy(image).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            guess = model(batch).argmax(1)[0].numpy()
        truth = task.read_target(sample)
        by_hand = np.zeros((19, 19), int)
        np.add.at(by_hand, (truth[truth < 19], guess[truth < 19]), 1)
        np.testing.assert_array_equal(result.per_image[index]["confusion"], by_hand)


def test_protocol_size_reduces_image_and_label(dark_zurich, segmentor):
    result = run(
        "identity",
        create_task("darkzurich", dark_zurich),
        evaluator=SEGMENTOR,
        evaluator_weights=segmentor,
    )
    counted = np.sum(result.per_image[0]["confusion"])
    assert result.protocol["name"] == "similarity-minmax"
    # 512x1024 pixels, of which one in twenty or so is void.
    assert 0.9 * 512 * 1024 < counted < 512 * 1024


def test_batch_size_and_workers_do_not_change_a_score(signs, classifier):
    arguments = {
        "task": f"classification:{signs}",
        "evaluator": "test_resnet",
        "evaluator_weights": classifier,
    }
    one = run("gamma@0.5", batch_size=1, **arguments)
    many = run("gamma@0.5", batch_size=4, **arguments)
    pick = [(image["id"], image["label"], image["prediction"]) for image in one.per_image]
    assert pick == [(i["id"], i["label"], i["prediction"]) for i in many.per_image]
    assert {label for _, label, _ in pick} == {0, 2}
    assert one.per_class["signs"]["limit"] is None


def test_amp_stays_close(night):
    plain, mixed = run(Brighten(), **night), run(Brighten(), amp=True, **night)
    assert mixed.provenance["config"]["amp"]
    assert mixed.headline[1].value == pytest.approx(plain.headline[1].value, abs=2)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda x: F.interpolate(x, scale_factor=0.5), "it must keep"),
        (lambda x: x * float("nan"), "must be finite and in"),
        (lambda x: x + 2, "must be finite and in"),
    ],
)
def test_an_enhancer_that_breaks_the_contract_is_stopped(night, fault, message):
    with pytest.raises(PipelineError, match=rf"frame_000001.*{message}"):
        run(Broken(fault), **night)


def test_a_module_keeps_its_modes_and_is_known_by_its_weights(night):
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.Dropout(), torch.nn.Sigmoid())
    model.train()[0].eval()
    first = run(model, **night)
    assert [part.training for part in model.modules()] == [True, False, True, True]
    model[0].weight.data.mul_(2)
    digests = [r.provenance["enhancer"]["sha256"] for r in (first, run(model, **night))]
    assert digests[0] != digests[1]


@pytest.mark.parametrize(
    ("enhancer", "options", "message"),
    [
        (lambda x: x, {}, "a name or a torch.nn.Module, not <function"),
        ("identity", {"batch_size": -1}, "batch_size must be a whole number above 0, not -1"),
        ("identity", {"batch_size": 2.5}, "batch_size must be a whole number above 0, not 2.5"),
        ("identity", {"protocol": ""}, "protocol is empty"),
    ],
)
def test_what_cannot_run_is_refused(night, enhancer, options, message):
    with pytest.raises(PipelineError, match=message):
        run(enhancer, **night, **options)


def test_images_of_different_size_share_a_run(night, dark_zurich, rng, save):
    save(dark_zurich / NIGHT.format(2), rng.integers(0, 60, (40, 72, 3), dtype=np.uint8))
    save(dark_zurich / NIGHT_GT.format(2), rng.integers(0, 19, (40, 72), dtype=np.uint8))
    result = run("identity", batch_size=3, **night)
    sizes = [np.sum(image["confusion"]) for image in result.per_image]
    assert sizes[1] == 40 * 72


def test_a_plugins_task_needs_no_card(night, monkeypatch):
    """A task from elsewhere: a function from a root and a protocol to a Task."""
    mine = replace(night["task"], name="mine", card=None)
    monkeypatch.setattr(registry.TASKS, "get", lambda name: lambda root, protocol: mine)
    model = {key: night[key] for key in ("evaluator", "evaluator_weights")}
    result = run("identity", "mine", root=".", **model)
    assert result.task == "mine"
    assert not result.notes


def test_arguments_that_would_be_ignored_are_refused(night):
    with pytest.raises(PipelineError, match="belong to a task's name"):
        run("identity", night["task"], protocol="mmseg")
    with pytest.raises(PipelineError, match="leave the options out"):
        create_enhancer("gamma@0.6", exponent=0.3)


def test_nothing_but_void_gives_no_score(night, dark_zurich, save):
    for frame in (1, 2, 3):
        save(dark_zurich / NIGHT_GT.format(frame), np.full((48, 64), 255, np.uint8))
    with pytest.raises(TaskError, match="every labelled pixel of 'val' is void"):
        run("identity", **night)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_image_is_named(night, dark_zurich, workers):
    (dark_zurich / NIGHT.format(2)).write_bytes(b"nothing")
    task = create_task("darkzurich", dark_zurich, "mmseg")
    evaluator = prepare(task, SEGMENTOR, night["evaluator_weights"]).evaluator
    options = ChainOptions(torch.device("cpu"), workers=workers)
    with pytest.raises(TaskError) as caught:
        list(measure(Brighten(), evaluator, options))
    assert str(caught.value).startswith(str(dark_zurich / NIGHT.format(2)))
    assert "\n" not in str(caught.value)


def test_unknown_device(night):
    with pytest.raises(PipelineError, match="device 'tpu9' cannot be used"):
        run("identity", device="tpu9", **night)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees_with_the_cpu(night):
    on_cpu, on_gpu = (run(Brighten(), device=device, **night) for device in ("cpu", "cuda"))
    assert on_gpu.headline[1].value == pytest.approx(on_cpu.headline[1].value, abs=0.1)
