import pytest
import yaml

from pipeline.errors import PipelineError
from pipeline.recipes import differing_key
from pipeline.registry import OBJECTIVES
from pipeline.training.recipe import FOLDER, Schedule, find_recipe, read_recipe

FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("supervision", ["own", "paired"])
def test_packaged_recipes(path, supervision):
    recipe = read_recipe(path, supervision)
    assert recipe.supervision == supervision
    assert {phase.objective for phase in recipe.phases} <= set(OBJECTIVES.names())
    assert any(phase.nodes == "learn" for phase in recipe.phases)
    assert recipe.plain()["phases"][0]["optimiser"]["rate"] > 0


def test_six_networks_two_recipes_each():
    bases = {"sci", "zerodcepp", "ruas", "uretinex", "enlightengan", "lednet"}
    assert {path.stem for path in FILES} == bases | {f"{base}_short" for base in bases}
    for base in bases:
        assert find_recipe(base, None) == find_recipe(base, "published") == FOLDER / f"{base}.yaml"
        assert find_recipe(base, "short") == FOLDER / f"{base}_short.yaml"


def test_a_recipe_that_is_not_there(tmp_path):
    with pytest.raises(PipelineError, match="no recipe mine.yaml for 'sci'; --config is short"):
        find_recipe("sci", tmp_path / "mine.yaml")


def test_steps_are_shared_out():
    recipe = read_recipe(FOLDER / "uretinex_short.yaml")
    assert [phase.steps for phase in recipe.phases] == [1000, 1500, 500]
    fewer = recipe.changed(30, amp=True)
    assert [phase.steps for phase in fewer.phases] == [10, 15, 5]
    assert fewer.training.amp and not recipe.training.amp
    assert [phase.steps for phase in recipe.changed(3, amp=False).phases] == [1, 1, 1]
    assert recipe.changed(None, amp=False) == recipe
    with pytest.raises(PipelineError, match="--steps 2 are too few for 3 phases"):
        recipe.changed(2, amp=False)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (Schedule(), [1, 1, 1, 1, 1]),
        (Schedule("cosine"), [1, 0.8535534, 0.5, 0.1464466, 0]),
        (Schedule("cosine", end=0.5), [1, 0.9267767, 0.75, 0.5732233, 0.5]),
        (Schedule("linear", start=0.5), [1, 1, 1, 0.5, 0]),
        (Schedule("step", start=0.5, end=0.1), [1, 1, 0.1, 0.1, 0.1]),
    ],
)
def test_schedules(schedule, factors):
    assert [schedule.factor(step, 4) for step in range(5)] == pytest.approx(factors)


def changed(**changes):
    content = yaml.safe_load((FOLDER / "sci_short.yaml").read_text())
    for key, value in changes.items():
        if key == "phase":
            content["phases"]["own"][0].update(value)
        elif value is None:
            del content[key]
        else:
            content[key] = value
    return content


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surprise": 1}, "r.yaml: surprise is no known key"),
        ({"data": None}, "r.yaml: data is missing"),
        ({"phases": None}, "phases.own must be a list of phases"),
        ({"phases": {"own": []}}, "phases.own is empty"),
        ({"phases": {"own": [3]}}, "'phases.own[0]' must be a mapping"),
        ({"network": 3}, "network must be a mapping"),
        ({"supervision": "best"}, "phases.best must be a list"),
        ({"supervision": "best", "phases": {"best": [{"objective": "sci", "steps": 1,
          "optimiser": {"rate": 1}}]}}, "supervision must be own or paired"),
        ({"perceptual": "lpips"}, "perceptual must be vgg or vgg16 or none"),
        ({"data": {"batch": 0, "crop": 32}}, "batch >= 1"),
        ({"data": {"batch": 2, "crop": 64, "resize": 32}}, "r.yaml: data a crop of 64"),
        ({"data": {"batch": 2}}, "r.yaml: data.crop is missing"),
        ({"training": {"ema": 1.0}}, "0 <= ema < 1"),
        ({"training": {"keep": 0}}, "1 or more"),
        ({"training": {"amp": "yes"}}, "training.amp must be true or false"),
        ({"lfpv": {"gate": "on"}}, "lfpv.gate must be true or false or a number, not 'on'"),
        ({"lfpv": {"gate": 2}}, "gate must be true, false or a number between 0 and 1"),
        ({"phase": {"epochs": 3}}, "phases.own[0].epochs is no known key"),
        ({"phase": {"steps": 0}}, "phases.own[0] needs steps >= 1"),
        ({"phase": {"steps": 2.5}}, "phases.own[0].steps must be a whole number"),
        ({"phase": {"clip_norm": 0.0}}, "clip_norm > 0"),
        ({"phase": {"nodes": "off"}}, "nodes must be learn or fixed or none"),
        ({"phase": {"optimiser": {"rate": -1}}}, "phases.own[0].optimiser needs rate > 0"),
        ({"phase": {"optimiser": {"rate": float("inf")}}}, "needs rate > 0"),
        ({"phase": {"optimiser": {"rate": 1, "betas": [2, 3]}}}, "from 0 to below 1"),
        ({"phase": {"optimiser": {"rate": 1, "momentum": 5}}}, "from 0 to below 1"),
        ({"phase": {"optimiser": {"rate": "fast"}}}, "optimiser.rate must be a number"),
        ({"phase": {"optimiser": {"rate": 1, "betas": 3}}}, "betas must be a list of 2"),
        ({"phase": {"optimiser": {"rate": 1, "kind": "lion"}}}, "must be adam or adamw or sgd"),
        ({"phase": {"schedule": {"kind": "poly"}}}, "kind must be constant or linear"),
        ({"phase": {"schedule": {"start": 1.0}}}, "0 <= start < 1"),
    ],
)  # fmt: skip
def test_wrong_recipes(tmp_path, changes, message):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(changed(**changes)))
    with pytest.raises(PipelineError) as error:
        read_recipe(path)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize("gate", [True, False, 0.1])
def test_a_flag_or_a_number(tmp_path, gate):
    path = tmp_path / "r.yaml"
    path.write_text(yaml.safe_dump(changed(lfpv={"gate": gate})))
    read = read_recipe(path).lfpv.gate
    assert (type(read), read) == (type(gate), gate)


def test_the_key_that_differs():
    ours = {"a": {"b": [1, {"c": 2}]}}
    assert differing_key(ours, {"a": {"b": [1, {"c": 2}]}}) is None
    assert differing_key(ours, {"a": {"b": [1, {"c": 3}]}}) == "a.b.1.c is 2, it was 3"
    assert differing_key(ours, {"a": {"b": [1]}}) == "a.b.1 is {'c': 2}, it was None"
    assert differing_key({}, {"new": 1}) == "new is None, it was 1"
