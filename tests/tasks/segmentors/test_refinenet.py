"""RefineNet against a plain recount from the published keys, and its checkpoints."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import configs
from tasks import mm
from tasks.errors import TaskError
from tasks.models import MMSegmentor, ModelInfo
from tasks.segmentors.refinenet import RefineNetDecoder
from tasks.segmentors.released import from_released

R101 = configs.ROOT / "evaluators" / "refinenet_r101.py"
FIRST19 = configs.ROOT / "evaluators" / "refinenet_r101_first19.py"
VOID = configs.ROOT / "evaluators" / "refinenet_r101_void.py"
R18 = configs.ROOT / "evaluators" / "refinenet_r18.py"


def published_shapes(outputs, channels=(256, 512, 1024, 2048), width=256):
    """Decoder keys and shapes as DrSleep publishes them."""
    shapes = {"clf_conv.weight": (outputs, width, 3, 3), "clf_conv.bias": (outputs,)}
    for level, inputs in enumerate(reversed(channels), start=1):
        own = 2 * width if level == 1 else width
        shapes[f"p_ims1d2_outl{level}_dimred.weight"] = (own, inputs, 3, 3)
        for stage, units in ((f"adapt_stage{level}_b", 2), (f"mflow_conv_g{level}_b", 3)):
            for unit in range(1, units + 1):
                shapes[f"{stage}.0.{unit}_conv.weight"] = (own, own, 3, 3)
                shapes[f"{stage}.0.{unit}_conv.bias"] = (own,)
                shapes[f"{stage}.0.{unit}_conv_relu_varout_dimred.weight"] = (own, own, 3, 3)
        for unit in range(1, 5):
            shapes[f"mflow_conv_g{level}_pool.0.{unit}_outvar_dimred.weight"] = (own, own, 3, 3)
        if level > 1:
            shapes[f"adapt_stage{level}_b2_joint_varout_dimred.weight"] = (own, own, 3, 3)
        if level < 4:
            shapes[f"mflow_conv_g{level}_b3_joint_varout_dimred.weight"] = (width, own, 3, 3)
    return shapes


def random_state(shapes):
    """Weights that keep values near one through the depth, biases that are not zero."""
    return {
        key: torch.randn(shape) / (max(1, torch.Size(shape[1:]).numel()) ** 0.5) * 0.7
        for key, shape in shapes.items()
    }


def slow_refinenet(state, features, full_size):
    """Written out from the published keys, level by level."""

    def conv(key, x):
        return F.conv2d(x, state[f"{key}.weight"], state.get(f"{key}.bias"), padding=1)

    def units(stage, x, count):
        for unit in range(1, count + 1):
            inner = conv(f"{stage}.0.{unit}_conv", F.relu(x))
            x = conv(f"{stage}.0.{unit}_conv_relu_varout_dimred", F.relu(inner)) + x
        return x

    def enlarge(x, size):
        return F.interpolate(x, size, mode="bilinear", align_corners=True)

    above = None
    for level, feature in enumerate(reversed(features), start=1):
        x = conv(f"p_ims1d2_outl{level}_dimred", feature)
        x = units(f"adapt_stage{level}_b", x, 2)
        if above is not None:
            x = conv(f"adapt_stage{level}_b2_joint_varout_dimred", x)
            x = x + enlarge(above, x.shape[-2:])
        top = x = F.relu(x)
        for unit in range(1, 5):
            top = F.max_pool2d(top, 5, 1, 2)
            top = conv(f"mflow_conv_g{level}_pool.0.{unit}_outvar_dimred", top)
            x = x + top
        x = units(f"mflow_conv_g{level}_b", x, 3)
        above = conv(f"mflow_conv_g{level}_b3_joint_varout_dimred", x) if level < 4 else x
    if full_size:
        above = enlarge(above, (4 * above.shape[-2], 4 * above.shape[-1]))
    return conv("clf_conv", above)


@pytest.mark.parametrize("full_size", [True, False])
def test_decoder_equals_the_plain_recount(full_size):
    channels, width = (4, 6, 8, 10), 4
    state = random_state(published_shapes(3, channels, width))
    decoder = RefineNetDecoder(channels, 3, width, full_size).eval()
    prefix = "decode_head.decoder."
    decoder.load_state_dict(
        {key.removeprefix(prefix): value for key, value in from_released(state, "x").items()}
    )
    sizes = ((13, 18), (7, 9), (4, 5), (2, 3))
    features = [torch.randn(2, c, *size) for c, size in zip(channels, sizes, strict=True)]
    with torch.inference_mode():
        ours, plain = decoder(features), slow_refinenet(state, features, full_size)
    assert ours.shape == ((2, 3, 52, 72) if full_size else (2, 3, 13, 18))
    assert plain.std() > 0.1
    torch.testing.assert_close(ours, plain, rtol=1e-5, atol=1e-5)


@pytest.fixture(scope="module")
def released():
    """A state dict of the published names and shapes with 20 outputs; nothing is computed."""
    backbone = "backbone.timm_model."
    with torch.device("meta"):
        own = mm.build_segmentor(R101).state_dict()
        state = {k: torch.empty(s) for k, s in published_shapes(20).items()}
    state |= {k.removeprefix(backbone): v for k, v in own.items() if k.startswith(backbone)}
    assert state["layer3.22.conv3.weight"].shape == (1024, 256, 1, 1)
    assert state["layer1.0.downsample.0.weight"].shape == (256, 64, 1, 1)
    return state


def decoder_keys(state):
    return {key for key in state if not key.startswith(("conv1", "bn1", "layer"))}


def test_every_published_key_has_its_place(released):
    with torch.device("meta"):
        own = mm.build_segmentor(R101).state_dict()
    renamed = from_released(released, "x")
    assert renamed.keys() == own.keys()
    differing = {key for key in own if own[key].shape != renamed[key].shape}
    assert differing == {f"decode_head.decoder.classify.{part}" for part in ("weight", "bias")}


def test_the_night_benchmarks_release_keeps_its_backbone_apart(released):
    """There the backbone lies below `resnet.`, with an ImageNet classifier that nothing uses."""
    within = {k if k in decoder_keys(released) else f"resnet.{k}": v for k, v in released.items()}
    within |= {"resnet.fc.weight": torch.empty(0), "resnet.fc.bias": torch.empty(0)}
    assert from_released(within, "x").keys() == from_released(released, "x").keys()


def test_twenty_outputs_are_used_only_when_the_config_says_so(released):
    with torch.device("meta"):
        model = MMSegmentor(FIRST19, released, ModelInfo())
        assert model.num_outputs == 19 == len(model.info.classes)
        with pytest.raises(TaskError, match=r"classify.weight' is \(20, 256, 3, 3\) in the file"):
            MMSegmentor(R101, released, ModelInfo(file="rf.pth"))


def test_twenty_outputs_are_kept_where_void_is_scored(released):
    with torch.device("meta"):
        model = MMSegmentor(VOID, released, ModelInfo())
        assert model.void_output
        assert model.num_outputs == 19 == len(model.info.classes)
        assert model.network.out_channels == 20
        assert model.settings["void_output"] is True


def test_light_weight_refinenet_is_another_network(released):
    light = released | {"p_ims1d2_outl1_dimred.weight": torch.empty(512, 2048, 1, 1)}
    with pytest.raises(TaskError, match="rf_lw.pth: is Light-Weight RefineNet"):
        from_released(light, "rf_lw.pth")


def test_other_state_dicts_are_left_alone():
    state = {"backbone.conv.weight": torch.zeros(1)}
    assert from_released(state, "x") is state


def test_the_first_outputs_are_the_first():
    """On the light variant: a classifier with a twentieth output gives the same 19 logits."""
    torch.manual_seed(0)
    network = mm.build_segmentor(R18)
    state = network.state_dict()
    more = dict(state)
    for part in ("weight", "bias"):
        key = f"decode_head.decoder.classify.{part}"
        more[key] = torch.cat([state[key], torch.full_like(state[key][:1], 99)])
    with pytest.raises(TaskError, match="20"):
        MMSegmentor(R18, more, ModelInfo())
    config = Path("first.py")
    config.write_text(f"_base_ = [{str(R18)!r}]\nevaluator = {{'first_outputs': True}}\n")
    image = torch.rand(1, 3, 45, 61)
    with torch.inference_mode():
        plain = MMSegmentor(R18, state, ModelInfo()).eval()(image)
        cut = MMSegmentor(config, more, ModelInfo()).eval()(image)
    assert plain.shape == (1, 19, 45, 61)
    assert torch.equal(cut, plain)


def test_it_trains_under_mmsegmentation_with_void_left_out():
    network = mm.build_segmentor(R18).train()
    image, label = torch.rand(2, 3, 64, 64), torch.randint(0, 19, (2, 64, 64))
    label[:, :32] = 255
    mm.segmentation_loss(network, image, label).backward()
    assert all(p.grad is not None for p in network.parameters() if p.requires_grad)
    assert mm.segmentation_loss(network, image, torch.full_like(label, 255)) == 0


def test_mmsegmentations_own_tools_run_it(save):
    """`init_model` and `inference_model` know the networks by the config's custom_imports."""
    mm.prepare()
    from mmseg.apis import inference_model, init_model

    picture = torch.randint(0, 256, (40, 56, 3), dtype=torch.uint8).numpy()
    path = save(Path("a.png").resolve(), picture)
    model = init_model(str(R18), device="cpu")
    found = inference_model(model, str(path))
    assert found.pred_sem_seg.data.shape == (1, 40, 56)
    assert found.seg_logits.data.shape == (19, 40, 56)
