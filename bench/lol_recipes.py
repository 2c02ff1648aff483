"""The recipes of the table of docs/results.md that is trained on LOL, and of its ablations.

    python bench/lol_recipes.py FOLDER

One YAML file a variant, for `pipeline train --config FOLDER/FILE`: NETWORK.yaml (base and +lfpv),
NETWORK-control.yaml (base with two paths and no nodes); of those without references also
NETWORK-own.yaml and NETWORK-own-control.yaml (their own objective); NETWORK-a-ABLATION.yaml (half
the steps, 16 pairs held out; +lfpv with one option changed, base with NETWORK-a-chosen, its control
with NETWORK-a-control). Zero-DCE++ and URetinex-Net start from the authors' weights (`pipeline
weights download zerodcepp@Epoch99 uretinex@ckpt`): from nothing their f_d is not used, or not in
this time. LEDNet starts from a plain training of its own, lednet-start.yaml, and that from what
`python bench/lednet_start.py` draws; both files have to lie in the folder where it is trained.
"""

import argparse
import copy
from pathlib import Path
from typing import Any

import yaml

from pipeline.training.recipe import find_recipe

LFPV = {"centre": "both", "temperature": "sqrt", "gate": True, "partners": 4}
PAIRED: dict[str, dict[str, Any]] = {
    "sci": {
        "network": {},
        "lfpv": LFPV,
        "data": {"batch": 4, "crop": 96, "workers": 1},
        "phase": {"steps": 4000, "rate": 2e-3, "weight_decay": 3e-4, "clip_norm": 5.0},
    },
    "ruas": {
        "network": {"denoise": True},
        "lfpv": LFPV,
        "data": {"batch": 4, "crop": 96, "workers": 1},
        "phase": {"steps": 800, "rate": 2e-3, "clip_norm": 5.0},
    },
    "zerodcepp": {
        "network": {"scale_factor": 1},
        "lfpv": {**LFPV, "max_width": 64},
        "data": {"batch": 4, "crop": 64, "workers": 1},
        "phase": {"steps": 800, "rate": 1e-3, "weight_decay": 1e-4, "clip_norm": 1.0},
        "weights": {"": "Epoch99"},
    },
    "uretinex": {
        "network": {"ratio": 5.0},
        "lfpv": {**LFPV, "max_width": 64},
        "data": {"batch": 4, "crop": 48, "rotations": True, "workers": 1},
        "phase": {"steps": 400, "rate": 1e-4, "clip_norm": 1.0},
        "weights": {"": "ckpt"},
        "training": {"amp": True},
    },
    "enlightengan": {
        "network": {},
        "lfpv": {**LFPV, "max_width": 64},
        "data": {"batch": 4, "crop": 128, "workers": 1},
        "phase": {"steps": 1600, "rate": 1e-3, "clip_norm": 1.0},
        "training": {"amp": True, "save_every": 400},
    },
    # In these steps a gate that starts at 0 stays at 1e-4, and without one the image keeps a grid.
    "lednet": {
        "network": {},
        "lfpv": {**LFPV, "gate": 0.1, "max_width": 64},
        "data": {"batch": 4, "crop": 96, "workers": 1},
        "phase": {"steps": 400, "rate": 3e-4, "clip_norm": 1.0},
        "weights": {"": "lednet-start.safetensors"},
        "training": {"amp": True},
    },
}
# Only the last weights are scored: LOL's test split must choose nothing.
LAST_ONLY = {"validate_every": 100000, "save_every": 100000, "keep": 1, "log_every": 20}
OWN = ("sci", "ruas", "zerodcepp")
ABLATION_STEPS = {"sci": 2000, "ruas": 400}
HELD_OUT = 16
# None leaves an option out.
ABLATIONS: dict[str, dict[str, Any]] = {
    "chosen": {},
    "paper": dict.fromkeys(LFPV),
    "vectors": {"branches": "vectors"},
    "patches": {"branches": "patches"},
    "no-su": {"learn": "without_su"},
    "no-mu": {"learn": "without_mu", "partners": None},
    "direct": {"learn": "direct", "partners": None, "centre": "queries"},
    "sequential": {"rule": "sequential", "partners": None},
    "no-centre": {"centre": None},
    "l8": {"nodes": 8},
    "l32": {"nodes": 32},
    "k2": {"patch": 2},
    "k8": {"patch": 8},
    "positions4": {"positions": 4},
}


def paired(network: str) -> dict[str, Any]:
    """The recipe of base and +lfpv against the normal-light images."""
    given = PAIRED[network]
    rates = {key: given["phase"][key] for key in ("rate", "weight_decay") if key in given["phase"]}
    phase = {
        "objective": "paired",
        "steps": given["phase"]["steps"],
        "optimiser": rates,
        "schedule": {"kind": "cosine"},
        "clip_norm": given["phase"]["clip_norm"],
    }
    if "weights" in given:
        phase["weights"] = given["weights"]
    return {
        "network": given["network"],
        "lfpv": given["lfpv"],
        "supervision": "paired",
        "data": given["data"],
        "training": {**LAST_ONLY, **given.get("training", {})},
        "phases": {"paired": [phase]},
    }


def own(network: str) -> dict[str, Any]:
    """The packaged short recipe with the crops, the nodes and the start of the paired one."""
    phases = yaml.safe_load(find_recipe(network, "short").read_text())["phases"]["own"]
    if "weights" in PAIRED[network]:
        phases[0]["weights"] = PAIRED[network]["weights"]
    return {**paired(network), "supervision": "own", "phases": {"own": phases}}


def lednet_start() -> dict[str, Any]:
    """LEDNet's own objective without a perceptual network; from torch's weights it stays grey."""
    phase = {
        "objective": "lednet",
        "steps": 1600,
        "optimiser": {"rate": 3e-4, "betas": [0.9, 0.99]},
        "schedule": {"kind": "cosine"},
        "clip_norm": 1.0,
        "weights": {"": "lednet-drawn.safetensors"},
    }
    recipe = {**paired("lednet"), "supervision": "own", "perceptual": "none"}
    return {**recipe, "phases": {"own": [phase]}}


def ablated(network: str, changes: dict[str, Any]) -> dict[str, Any]:
    """The paired recipe, shorter, with other options of LFPV and pairs to choose by."""
    recipe = copy.deepcopy(paired(network))
    options = recipe["lfpv"] | changes
    recipe["lfpv"] = {name: value for name, value in options.items() if value is not None}
    recipe["data"]["validation"] = HELD_OUT
    recipe["phases"]["paired"][0]["steps"] = ABLATION_STEPS[network]
    return recipe


def main() -> None:
    """Write all of them."""
    parser = argparse.ArgumentParser(description="Write the recipes of docs/results.md's LOL table")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    recipes = {"lednet-start": lednet_start()}
    for network in PAIRED:
        recipes[network] = paired(network)
        recipes[f"{network}-control"] = {**paired(network), "control": "two_path"}
    for network in OWN:
        recipes[f"{network}-own"] = own(network)
        recipes[f"{network}-own-control"] = {**own(network), "control": "two_path"}
    for network in ABLATION_STEPS:
        for name, changes in ABLATIONS.items():
            recipes[f"{network}-a-{name}"] = ablated(network, changes)
        recipes[f"{network}-a-control"] = {**ablated(network, {}), "control": "two_path"}
    for name, recipe in recipes.items():
        # A copy has no anchors, which sharing would give the file.
        text = yaml.safe_dump(copy.deepcopy(recipe), sort_keys=False)
        (folder / f"{name}.yaml").write_text(text)


if __name__ == "__main__":
    main()
