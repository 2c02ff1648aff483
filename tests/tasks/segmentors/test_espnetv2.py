"""ESPNetv2: the published files, the authors' figures."""

import pytest
import torch

import configs
from tasks import mm, segmentation
from tasks.classes import read_class_map, resolve_class_map
from tasks.evaluators import create_evaluator
from tasks.images import read_rgb
from tasks.models import ClassMapped, MMSegmentor, ModelInfo

FOLDER = configs.ROOT / "evaluators"
FILES = {
    "espnetv2_s2.py": ("espnetv2_s_2.0_city_1024x512.pth", 789_242),
    "espnetv2_s05.py": ("espnetv2_s_0.5_city_512x256.pth", 80_342),
}


def published(shared, name):
    path = shared / "reference/evaluators/espnetv2" / name
    return torch.load(path, map_location="cpu", weights_only=True)


@pytest.mark.parametrize("size", [(32, 48), (45, 61)])
def test_logits_have_the_images_size(size):
    model = mm.build_segmentor(FOLDER / "espnetv2_s05.py")
    with torch.inference_mode():
        features = model.backbone(torch.rand(1, 3, *size))
        assert [f.shape[1] for f in features] == [16, 32, 64, 128]
        for level, feature in enumerate(features, start=1):
            assert feature.shape[-2:] == tuple(-(-side // 2**level) for side in size)
        assert mm.segment(model, torch.rand(2, 3, *size)).shape == (2, 19, *size)


def test_it_trains():
    network = mm.build_segmentor(FOLDER / "espnetv2_s05.py").train()
    label = torch.randint(0, 19, (2, 64, 64))
    mm.segmentation_loss(network, torch.rand(2, 3, 64, 64), label).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_small_image_config_enlarges_and_reduces_by_nearest(monkeypatch):
    """Logits at 480×640 come back as every (4/3)-th of them, untouched."""
    own = FOLDER / "espnetv2_s2_640x480.py"
    state = mm.build_segmentor(own).state_dict()
    model = MMSegmentor(own, state, ModelInfo()).eval()
    at_input = torch.rand(1, 19, 480, 640)
    seen = []
    monkeypatch.setattr(mm, "segment", lambda _, image: seen.append(image) or at_input)
    logits = model(torch.full((1, 3, 360, 480), 0.3))
    # As an 8-bit image is: 0.3 of 255 rounds to 76 or 77.
    assert seen[0].shape == (1, 3, 480, 640)
    assert set((seen[0] * 255).round().unique().tolist()) <= {76.0, 77.0}
    torch.testing.assert_close(seen[0] * 255, (seen[0] * 255).round(), rtol=0, atol=1e-4)
    rows, columns = torch.arange(360) * 4 // 3, torch.arange(480) * 4 // 3
    assert torch.equal(logits, at_input[:, :, rows][..., columns])


@pytest.mark.shared
@pytest.mark.parametrize("config", FILES)
def test_published_files_load_whole(shared, config):
    file, parameters = FILES[config]
    state = published(shared, file)
    model = MMSegmentor(FOLDER / config, state, ModelInfo())
    assert model.num_outputs == 19
    # The twentieth output, and the activations that the strided units never reach.
    unused = sum(v.numel() for k, v in state.items() if "_0.eesp.module_act" in k) + 10 + 1
    assert sum(p.numel() for p in model.network.parameters()) == parameters - unused


@pytest.mark.shared
def test_dusk_agrees_with_the_authors_espnetv2(shared):
    """The shared notes: mIoU 52.51, pixel accuracy 81.88 on camvid/dusk without enhancement.

    Exactly these with Pillow's own resize; ours differs from it by a level here and there.
    """
    task = segmentation.folder(shared / "data/camvid/dusk")
    state = published(shared, "espnetv2_s_2.0_city_1024x512.pth")
    model = MMSegmentor(FOLDER / "espnetv2_s2_640x480.py", state, ModelInfo()).eval()
    path = FOLDER / "cityscapes_to_camvid.yaml"
    mapped = resolve_class_map(read_class_map(path), model.info.classes, task.classes, path.name)
    evaluator = create_evaluator(ClassMapped(model, mapped[1], mapped[0]), task)
    records = []
    with torch.inference_mode():
        for sample in task.samples:
            image = torch.from_numpy(read_rgb(sample.image).copy()).permute(2, 0, 1)[None] / 255
            records += evaluator.measure(image, [sample], [evaluator.read_target(sample)])
    scores = dict(evaluator.run(records))
    assert scores["dusk/mIoU"] == pytest.approx(52.51, abs=0.15)
    assert scores["dusk/pixel_accuracy"] == pytest.approx(81.88, abs=0.15)
