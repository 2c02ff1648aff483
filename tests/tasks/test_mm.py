import importlib.util

import mmengine.utils.dl_utils
import pytest
import torch

import configs
from tasks import mm, segmentation
from tasks.errors import TaskError
from tasks.evaluators import create_evaluator
from tasks.images import read_rgb
from tasks.models import MMSegmentor, ModelInfo

CONFIG = configs.ROOT / "evaluators" / "cgnet_camvid11.py"


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)  # made before the test's own
    return mm.build_segmentor(CONFIG)


def test_logits_have_the_images_size(model):
    with torch.inference_mode():
        assert mm.segment(model, torch.rand(2, 3, 45, 61)).shape == (2, 11, 45, 61)


def test_weights_that_slow_a_cpu_down_are_zero(model):
    state = model.state_dict()
    key = next(key for key in state if key.endswith("conv.weight"))
    state[key] = torch.full_like(state[key], 1e-40)
    state[key].view(-1)[0] = 1e-30
    loaded = MMSegmentor(CONFIG, state, ModelInfo(None)).state_dict()
    (found,) = (loaded[name] for name in loaded if name.endswith(key))
    assert found.view(-1)[0] == torch.tensor(1e-30)
    assert found.count_nonzero() == 1


def test_the_models_own_normalisation_is_used(model):
    image = torch.rand(1, 3, 32, 32)
    mean = torch.tensor([105.65772519, 103.32976184, 99.62539586]).view(1, 3, 1, 1)
    with torch.inference_mode():
        expected = model.decode_head(model.backbone(image * 255 - mean))
        expected = torch.nn.functional.interpolate(expected, (32, 32), mode="bilinear")
        torch.testing.assert_close(mm.segment(model, image), expected, rtol=1e-4, atol=1e-4)


def test_training_loss_ignores_void(model):
    image, label = torch.rand(2, 3, 32, 32), torch.randint(0, 11, (2, 32, 32))
    label[:, :16] = 255
    loss = mm.segmentation_loss(model, image, label)
    assert loss.requires_grad
    assert torch.isfinite(loss)
    assert mm.segmentation_loss(model, image, torch.full_like(label, 255)) == 0


@pytest.mark.skipif(
    importlib.util.find_spec("mmcv._ext") is not None, reason="the full mmcv is installed here"
)
def test_a_compiled_operation_says_so_when_it_runs(model):
    from mmcv.ops import softmax_focal_loss

    assert mmengine.utils.dl_utils.mmcv_full_available() is False
    with pytest.raises(NotImplementedError, match="full mmcv"):
        softmax_focal_loss(torch.rand(2, 3), torch.tensor([0, 1]))


def test_bad_configs_are_explained(tmp_path):
    with pytest.raises(TaskError, match="no such mmsegmentation config"):
        mm.build_segmentor(tmp_path / "none.py")
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(TaskError, match="has no `model`"):
        mm.build_segmentor(tmp_path / "empty.py")
    (tmp_path / "odd.py").write_text(
        "model = dict(type='NoSuchSegmentor', data_preprocessor=dict(type='SegDataPreProcessor'))\n"
    )
    with pytest.raises(TaskError, match="cannot build it .*NoSuchSegmentor"):
        mm.build_segmentor(tmp_path / "odd.py")


def test_no_config_makes_a_download(tmp_path):
    text = CONFIG.read_text().replace(
        '"in_channels": 3,', '"in_channels": 3, "pretrained": "https://nowhere.invalid/x.pth",'
    )
    (tmp_path / "downloads.py").write_text(text)
    model = mm.build_segmentor(tmp_path / "downloads.py")
    assert not [m for m in model.modules() if "Pretrained" in str(getattr(m, "init_cfg", ""))]


@pytest.mark.parametrize(
    ("modules", "doors"),
    [
        (("mmcv", "mmseg"), ["tasks/mm.py"]),
        (("mmengine",), ["pipeline/training/engine.py", "tasks/mm.py"]),
    ],
)
def test_they_are_imported_nowhere_else(modules, doors):
    starts = tuple(f"{word} {module}" for word in ("import", "from") for module in modules)
    root = configs.ROOT.parent
    importing = [
        path.relative_to(root).as_posix()
        for package in ("pipeline", "enhancers", "tasks")
        for path in (root / package).rglob("*.py")
        if any(line.strip().startswith(starts) for line in path.read_text().splitlines())
    ]
    assert sorted(importing) == doors


@pytest.mark.shared
def test_dusk_agrees_with_the_authors_cgnet(shared):
    """The shared notes: CGNet on camvid/dusk, mIoU 66.54 and pixel accuracy 90.02."""
    path = shared / "reference/evaluators/cgnet_camvid11_mmseg.pth"
    content = torch.load(path, map_location="cpu", weights_only=True)
    classes = tuple(content["meta"]["dataset_meta"]["classes"])
    model = MMSegmentor(CONFIG, content["state_dict"], ModelInfo(classes)).eval()
    evaluator = create_evaluator(model, segmentation.folder(shared / "data/camvid/dusk"))
    records = []
    with torch.inference_mode():
        for sample in evaluator.task.samples:
            image = torch.from_numpy(read_rgb(sample.image).copy()).permute(2, 0, 1)[None] / 255
            records += evaluator.measure(image, [sample], [evaluator.read_target(sample)])
    scores = dict(evaluator.run(records))
    assert scores["dusk/mIoU"] == pytest.approx(66.54, abs=0.02)
    assert scores["dusk/pixel_accuracy"] == pytest.approx(90.02, abs=0.02)
