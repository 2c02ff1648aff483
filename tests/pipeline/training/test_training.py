"""What `pipeline train` does besides going on: phases, validation, header, broken steps."""

import json

import pytest
import torch

from enhancers.errors import EnhancerError
from enhancers.losses import Paired
from enhancers.losses.enlightengan import EnlightenGANObjective
from pipeline import create_enhancer
from pipeline.checkpoints import read_checkpoint
from pipeline.errors import PipelineError
from pipeline.training import checkpoint
from pipeline.training.data import identity
from pipeline.training.validation import Validation
from tasks.training_sets import training_set


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


PHASES = {"ruas": 3, "uretinex": 3}


@pytest.mark.parametrize(
    ("supervision", "lfpv"), [("own", ""), ("own", "+lfpv"), ("paired", "+lfpv")]
)
@pytest.mark.parametrize("base", ["sci", "zerodcepp", "ruas", "uretinex", "enlightengan", "lednet"])
def test_every_network_trains(train, base, supervision, lfpv):
    small = {"crop": 16 if base == "uretinex" else 32, "batch": 1}
    steps = PHASES.get(base, 1)
    folder = train(f"{base}{lfpv}", steps=steps, supervision=supervision, data=small)
    path = folder.with_suffix(".safetensors")
    model = create_enhancer(f"{base}{lfpv}", pretrained=path)
    image = torch.rand(1, 3, 33, 47)
    with torch.inference_mode():
        assert model(image).shape == image.shape
    state = read_checkpoint(path).state
    assert not [key for key in state if "updater" in key or "discriminator" in key]
    assert all(value.isfinite().all() for value in state.values())


def test_the_header_says_how_it_was_made(train):
    folder = train("sci+lfpv", steps=3, seed=5, training={"ema": 0.5})
    header = read_checkpoint(folder.with_suffix(".safetensors")).header
    assert header["enhancer"] == "sci+lfpv"
    assert (header["seed"], header["steps"], header["ranks"]) == (5, 3, 1)
    assert header["recipe"]["phases"][0]["steps"] == 3
    assert header["recipe"]["training"]["ema"] == 0.5
    assert header["data"]["name"] == "lol"
    assert (header["data"]["low"], header["data"]["held_out"]) == (4, 1)
    assert header["lfpv"]["nodes"] == 16
    assert header["environment"]["packages"]["torch"]


def test_phases_train_their_parts_and_hand_on_what_they_learnt(train):
    folder = train("uretinex", steps=4, data={"crop": 16, "batch": 1},
                   training={"save_every": 1, "keep": 9})  # fmt: skip
    content = [checkpoint.read(path) for path in checkpoint.checkpoints(folder)]
    assert [c["phase"] for c in content] == [0, 1, 1, 2]
    first, second, _, third = (c["model"] for c in content)
    assert moved(first, second) == {"model_R", "model_L"}
    assert moved(content[2]["model"], third) == {"model_A"}
    # The decomposition of normal light goes on, frozen, into the later phases.
    for one in content[1:]:
        for key, value in content[0]["objective"].items():
            assert torch.equal(one["objective"][key], value)


def moved(before, after):
    """The parts of a network whose weights differ."""
    return {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}


def test_nodes_learn_only_where_the_phase_says_so(train):
    folder = train("uretinex+lfpv", steps=4, data={"crop": 16, "batch": 1},
                   training={"save_every": 1, "keep": 9})  # fmt: skip
    saved = [checkpoint.read(path)["model"] for path in checkpoint.checkpoints(folder)]
    updates = [state["store.updates"].item() for state in saved]
    assert updates == [0, 1, 2, 2]
    assert torch.equal(saved[2]["store.vectors"], saved[3]["store.vectors"])
    nodes = [key for key in saved[2] if key.startswith(("store.", "updaters."))]
    assert all(torch.equal(saved[2][key], saved[3][key]) for key in nodes)
    assert not torch.equal(saved[2]["network.model_A.conv1.weight"],
                           saved[3]["network.model_A.conv1.weight"])  # fmt: skip


def test_the_discriminators_learn_along(train, last):
    first, second = (last(train("enlightengan", str(n), n)) for n in (1, 2))
    weights = [key for key in first["objective"] if key.endswith("weight")]
    assert {key.split(".")[1] for key in weights} == {"global", "local"}
    assert not any(torch.equal(first["objective"][k], second["objective"][k]) for k in weights)
    assert set(first["engine"]["updates"]) == {"model", "discriminators"}


def test_held_out_pairs_choose_the_best(train, monkeypatch):
    real, better = Validation.__call__, iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(
        Validation, "__call__", lambda self, model: real(self, model) | {"lfpv.psnr": next(better)}
    )
    folder = train("sci+lfpv", steps=3, training={"validate_every": 1})
    assert read_checkpoint(folder / "best.safetensors").header["steps"] == 2
    held_out = [entry for entry in log(folder) if "held_out.plain.psnr" in entry]
    assert [entry["step"] for entry in held_out] == [1, 2, 3]
    assert {"held_out.lfpv.psnr", "held_out.lfpv.ssim", "held_out.plain.ssim"} <= held_out[0].keys()


def test_validation_can_leave_the_test_split_alone(train, lol):
    for path in (lol / "eval15").rglob("*.png"):
        path.write_bytes(b"is not read")
    folder = train("sci", steps=2, data={"validation": 2})
    data = read_checkpoint(folder / "best.safetensors").header["data"]
    assert (data["low"], data["held_out"]) == (2, 2)


def test_the_log_has_both_paths(train):
    folder = train("sci+lfpv", steps=2, training={"log_every": 1})
    entry = next(entry for entry in log(folder) if entry["step"] == 2)
    assert {"loss", "plain", "lfpv", "plain.psnr", "lfpv.psnr", "rate", "seconds"} <= entry.keys()
    assert entry["loss"] == pytest.approx(entry["plain"] + entry["lfpv"], rel=1e-5)
    assert 0 <= entry["waiting"] <= 1
    assert entry["nodes.vectors.norm_mean"] > 0 and entry["nodes.patches.norm_max"] > 0
    used = next(entry for entry in log(folder) if "nodes.vectors.entropy" in entry)
    assert 0 <= used["nodes.patches.entropy"] <= 1


def breaking(monkeypatch, *steps):
    """The paired loss is not a number in these of its calls."""
    real, calls = Paired.forward, iter(range(1, 1000))

    def forward(self, run, low, normal):
        loss, parts = real(self, run, low, normal)
        return loss * (float("nan") if next(calls) in steps else 1.0), parts

    monkeypatch.setattr(Paired, "forward", forward)


def test_a_loss_that_is_not_finite_ends_it(train, monkeypatch, tmp_path):
    breaking(monkeypatch, 3)
    with pytest.raises(PipelineError) as error:
        train("sci", steps=4, supervision="paired", training={"save_every": 1})
    assert "step 3 (paired): the loss is nan" in str(error.value)
    good = tmp_path / "w.training/step_00000002.pth"
    assert f"last good checkpoint is {good}" in str(error.value)
    state = checkpoint.read(good)["model"]
    assert all(value.isfinite().all() for value in state.values())


def test_broken_steps_can_be_left_out(train, monkeypatch, last):
    breaking(monkeypatch, 2, 3)
    folder = train("sci", steps=4, supervision="paired", training={"skip_nonfinite": 2})
    content = last(folder)
    assert content["engine"]["skipped"] == (2, {"model": 0})
    assert content["model"]["conv.1.num_batches_tracked"] == 2
    assert log(folder)[0]["skipped"] == 2
    breaking(monkeypatch, 2, 3)
    with pytest.raises(PipelineError, match="step 3 .*no checkpoint yet"):
        train("sci", "b", 4, supervision="paired", training={"skip_nonfinite": 1})


def test_a_broken_step_of_the_adversary_is_left_out_alone(train, monkeypatch, last):
    """By then the model has stepped, so what it has learnt stays, its nodes too."""
    real, calls = EnlightenGANObjective.discriminator_loss, iter(range(1, 9))

    def broken(self, *images):
        loss, parts = real(self, *images)
        return loss * (float("nan") if next(calls) == 2 else 1.0), parts

    options = {"steps": 2, "perceptual": "none", "training": {"skip_nonfinite": 1, "save_every": 1}}
    monkeypatch.setattr(EnlightenGANObjective, "discriminator_loss", broken)
    content = last(train("enlightengan+lfpv", **options))
    assert content["engine"]["skipped"] == (1, {"model": 0, "discriminators": 1})
    assert content["model"]["store.updates"] == 2


def test_the_adversary_learns_nothing_from_a_broken_step(train, monkeypatch, last):
    real, calls = EnlightenGANObjective.forward, iter(range(1, 9))

    def broken(self, run, low, normal):
        loss, parts = real(self, run, low, normal)
        return loss * (float("nan") if next(calls) == 2 else 1.0), parts

    monkeypatch.setattr(EnlightenGANObjective, "forward", broken)
    options = {"perceptual": "none", "training": {"skip_nonfinite": 1, "save_every": 1}}
    content = last(train("enlightengan", steps=3, **options))
    assert content["engine"]["skipped"] == (1, {"model": 0, "discriminators": 0})
    updates = content["engine"]["updates"]["discriminators"]["optimiser"]["state"]
    assert {float(state["step"]) for state in updates.values()} == {2.0}


def test_nodes_of_a_broken_step_are_put_back(train, monkeypatch, last):
    breaking(monkeypatch, 3, 4)  # both paths of step 2
    often = {"training": {"skip_nonfinite": 1, "save_every": 1, "keep": 9}}
    folder = train("sci+lfpv", steps=3, supervision="paired", **often)
    one, two, three = (checkpoint.read(p)["model"] for p in checkpoint.checkpoints(folder))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert three["store.updates"] == 2


def test_averaged_weights_are_written(train, last):
    path = train("sci", steps=3, training={"ema": 0.5}).with_suffix(".safetensors")
    content, written = last(path.with_suffix(".training")), read_checkpoint(path).state
    key = "in_conv.0.weight"
    assert torch.equal(written[key], content["average"][key])
    assert not torch.equal(written[key], content["model"][key])
    buffer = "conv.1.running_mean"
    assert torch.equal(written[buffer], content["model"][buffer])


def test_mixed_precision(train, last):
    whole, mixed = (
        last(train("sci+lfpv", name, 3, training={"amp": amp}))
        for name, amp in (("whole", False), ("mixed", True))
    )
    key = "network.in_conv.0.weight"
    assert mixed["model"][key].dtype == torch.float32
    assert not torch.equal(whole["model"][key], mixed["model"][key])
    torch.testing.assert_close(whole["model"][key], mixed["model"][key], atol=3e-3, rtol=0)


def test_a_part_can_start_from_a_file(train, recipe, tmp_path):
    from enhancers.ruas import RUAS

    torch.manual_seed(3)
    denoiser = RUAS().denoise_net.state_dict()
    torch.save(denoiser, tmp_path / "denoise.pt")
    own = [{"objective": "ruas", "steps": 3, "optimiser": {"rate": 1e-3},
            "weights": {"denoise_net": str(tmp_path / "denoise.pt")}}]  # fmt: skip
    path = train("ruas", steps=1, phases={"own": own}).with_suffix(".safetensors")
    state = read_checkpoint(path).state
    assert all(torch.equal(state[f"denoise_net.{key}"], denoiser[key]) for key in denoiser)
    own[0]["weights"] = {"denoiser": "x.pt"}
    with pytest.raises(PipelineError, match="has no part 'denoiser'"):
        train("ruas", "b", 1, phases={"own": own})


def test_the_whole_network_can_start_from_the_authors_file(train, last, tmp_path):
    from enhancers.sci import SCI

    torch.manual_seed(3)
    state = SCI().state_dict()
    torch.save({f"enhance.{key}": value for key, value in state.items()}, tmp_path / "sci.pt")
    phase = {"objective": "paired", "steps": 1, "optimiser": {"rate": 1e-9}}
    phases = {"own": [phase | {"weights": {"": str(tmp_path / "sci.pt")}}]}
    trained = last(train("sci+lfpv", steps=1, phases=phases))["model"]
    for key in ("in_conv.0.weight", "out_conv.0.weight"):
        torch.testing.assert_close(trained[f"network.{key}"], state[key], atol=1e-8, rtol=0)
    phases["own"][0]["weights"] = {"": "hard"}
    with pytest.raises(PipelineError, match="'hard' is neither a weights name nor a file"):
        train("sci", "b", 1, phases=phases)


def test_the_control_has_two_paths_and_the_plain_networks_weights(train, last):
    control = {"control": "two_path", "training": {"ema": 0.5, "log_every": 1}}
    folder = train("sci", steps=2, **control)
    entry = log(folder)[0]
    assert {"plain", "lfpv"} <= entry.keys()
    assert entry["plain"] == pytest.approx(entry["lfpv"], rel=1e-4)
    path = folder.with_suffix(".safetensors")
    assert read_checkpoint(path).header["recipe"]["control"] == "two_path"
    assert create_enhancer("sci", pretrained=path)(torch.rand(1, 3, 20, 20)).isfinite().all()
    with pytest.raises(PipelineError, match="control: two_path is for a network without LFPV"):
        train("sci+lfpv", "b", 2, **control)


@pytest.mark.parametrize("kind", ["unpaired", "sice"])
def test_sets_without_partners(train, lol, kind):
    """Zero-reference and adversarial objectives need none; the others say so."""
    root = lol / "our485"
    if kind == "unpaired":
        (root / "high").rename(root / "normal")
        (root / "normal/0.png").unlink()
    else:
        root = root / "low"
    where = {"data_name": kind, "root": root}
    folder = train("zerodcepp+lfpv", steps=2, **where)
    assert not [entry for entry in log(folder) if "plain.psnr" in entry]
    for base in ("lednet", "uretinex"):
        with pytest.raises(EnhancerError, match="needs a normal-light image for every low one"):
            train(base, base, 3, **where)
    with pytest.raises(EnhancerError, match="needs a normal-light image for every low one"):
        train("sci", "paired", supervision="paired", **where)
    train("ruas", "ruas", 3, **where)
    if kind == "unpaired":
        train("enlightengan", "gan", 1, **where)


def test_what_identifies_a_set(lol):
    before = identity(training_set("lol", lol), "lol")
    assert (before["low"], before["normal"], before["held_out"]) == (4, 4, 1)
    assert identity(training_set("lol", lol), "lol") == before
    with (lol / "our485/high/2.png").open("ab") as file:
        file.write(b" ")
    assert identity(training_set("lol", lol), "lol")["sha256"] != before["sha256"]
