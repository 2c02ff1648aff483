"""Fresh models, their loss, and where they may start."""

import pytest
import timm
import torch
import torch.nn.functional as F

import configs
from tasks.errors import TaskError
from tasks.models import ModelInfo
from tasks.trainable import (
    TrainingLoss,
    imagenet_state,
    start_from,
    synchronised,
    untrained_classifier,
    untrained_segmentor,
)

CONFIGS = configs.ROOT / "evaluators"
INFO = ModelInfo(("a", "b", "c"))
CAMVID = ModelInfo(tuple("abcdefghijk"))


@pytest.fixture(scope="module")
def segmentor():
    torch.manual_seed(0)  # made before the test's own
    return untrained_segmentor(CONFIGS / "refinenet_r18_camvid11.py", CAMVID).train()


def test_a_classifiers_loss():
    model = untrained_classifier("test_resnet", INFO).eval()
    image = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    target = torch.tensor([0, 2, 1, 2])
    logits = model.network((image / 255 - model.mean) / model.std)
    expected = F.cross_entropy(logits, target)
    torch.testing.assert_close(TrainingLoss(model, None)(image, target), expected)
    assert logits.shape == (4, 3)


def test_a_segmentors_loss_leaves_void_out(segmentor):
    segmentor.eval()
    image = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    target = torch.randint(0, 11, (2, 64, 96)).to(torch.uint8)
    target[:, :40] = 255
    logits = segmentor(image / 255)
    chosen = (target != 255).flatten()
    expected = F.cross_entropy(
        logits.permute(0, 2, 3, 1).flatten(0, 2)[chosen], target.long().flatten()[chosen]
    )
    loss = TrainingLoss(segmentor, None)(image, target)
    # mmsegmentation up-samples by the head's align_corners, the frozen model as well.
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-4)


def test_reduced_precision_is_close(segmentor):
    segmentor.eval()
    image = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    target = torch.randint(0, 11, (1, 64, 64)).to(torch.uint8)
    whole = TrainingLoss(segmentor, None)(image, target)
    reduced = TrainingLoss(segmentor, torch.bfloat16)(image, target)
    assert whole != reduced
    torch.testing.assert_close(whole, reduced.float(), rtol=0.05, atol=0.05)


def test_a_backbone_starts_from_a_classifiers_file(segmentor):
    state = timm.create_model("resnet18").state_dict()
    before = segmentor.network.decode_head.decoder.classify.weight.clone()
    start_from(segmentor, state, "r18.pth")
    own = segmentor.network.backbone.timm_model.state_dict()
    assert all(torch.equal(value, state[key]) for key, value in own.items())
    assert torch.equal(before, segmentor.network.decode_head.decoder.classify.weight)
    with pytest.raises(TaskError, match="r34.pth: does not fit the backbone: 'layer1.0.conv3"):
        start_from(
            untrained_segmentor(CONFIGS / "refinenet_r101.py", ModelInfo(tuple(range(19)))),
            timm.create_model("resnet34").state_dict(),
            "r34.pth",
        )


def test_a_classifier_starts_but_for_its_head():
    state = timm.create_model("test_resnet", num_classes=7).state_dict()
    model = untrained_classifier("test_resnet", INFO)
    head = model.network.get_classifier().weight.clone()
    start_from(model, state, "x.pth")
    assert torch.equal(model.network.conv1[0].weight, state["conv1.0.weight"])
    assert torch.equal(model.network.get_classifier().weight, head)


def test_imagenet_weights_by_name(segmentor, monkeypatch):
    asked = []

    def create(name, pretrained):
        asked.append((name, pretrained))
        return torch.nn.Linear(1, 1)

    monkeypatch.setattr(timm, "create_model", create)
    assert set(imagenet_state(segmentor)) == {"weight", "bias"}
    assert asked == [("resnet18.tv_in1k", True)]


def test_imagenet_weights_that_cannot_be_had(segmentor, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no route to the host\nand more")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(TaskError) as error:
        imagenet_state(segmentor)
    assert str(error.value) == (
        "ImageNet weights of resnet18.tv_in1k cannot be had (no route to the host); "
        "write start: none, or start: FILE in the recipe"
    )
    other = untrained_segmentor(CONFIGS / "cgnet_camvid11.py", CAMVID)
    with pytest.raises(TaskError, match="for networks of timm"):
        imagenet_state(other)


def test_another_number_of_classes():
    with pytest.raises(TaskError, match="refinenet_r18.py has 19 classes, the data 3"):
        untrained_segmentor(CONFIGS / "refinenet_r18.py", INFO)


def test_synchronised_normalisation(segmentor):
    model = untrained_classifier("test_resnet", INFO)
    synchronised(model)
    kinds = {type(module).__name__ for module in model.modules() if "Norm" in type(module).__name__}
    assert kinds == {"SyncBatchNormAct"} or kinds == {"SyncBatchNorm"}
