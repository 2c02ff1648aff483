"""Configs: what they expand to, and everything that can be wrong in one."""

import pytest

from pipeline.batch.config import read_batch
from pipeline.batch.source import PACKAGED, ConfigErrors
from pipeline.cli import main
from pipeline.errors import PipelineError

GOOD = """
enhancers: [identity, gamma@0.5, sci@medium]
tasks: [darkzurich, {task: codan, evaluator: resnet18, evaluator_weights: w.pt}]
"""


@pytest.fixture
def config(tmp_path):
    """config(text): the cells of a file; config.file is it."""

    def read(text):
        read.file.write_text(text)
        return read_batch(read.file).cells

    read.file = tmp_path / "batch.yaml"
    return read


@pytest.fixture
def problems(config):
    """problems(text): what is wrong, as `line: text`."""

    def read(text):
        with pytest.raises(ConfigErrors) as caught:
            config(text)
        return [one.removeprefix(f"{config.file}:") for one in caught.value.problems]

    return read


def test_every_enhancer_meets_every_task(config):
    cells = config(GOOD)
    assert [str(cell) for cell in cells] == [
        f"{name} on {task}"
        for name in ("identity", "gamma@0.5", "sci@medium")
        for task in ("darkzurich", "codan")
    ]
    assert cells[1].task.evaluator == "resnet18"


def test_lists_of_protocols_and_seeds_are_multiplied_out(config):
    cells = config(
        "seeds: [0, 1]\nenhancers: [identity, 'sci+lfpv@runs/{seed}.safetensors']\n"
        "tasks: [{task: darkzurich, protocol: [mmseg, similarity-minmax]}]\n"
    )
    assert [(str(cell.enhancer), cell.task.protocol) for cell in cells] == [
        (name, protocol)
        for name in ("identity", *(f"sci+lfpv@runs/{seed}.safetensors" for seed in (0, 1)))
        for protocol in ("mmseg", "similarity-minmax")
    ]


def test_exclude_and_overrides(config):
    cells = config(
        GOOD + "amp: true\nchunk: 4\nexclude: [{enhancer: gamma*, task: codan}]\n"
        "overrides:\n- {enhancer: sci@*, task: darkzurich, weights: difficult, amp: false}\n"
        "- {task: codan, chunk: 8}\n- {enhancer: sci@difficult, options: {}}\n"
    )
    found = {str(cell): (cell.amp, cell.chunk) for cell in cells}
    assert found == {
        "identity on darkzurich": (True, 4),
        "identity on codan": (True, 8),
        "gamma@0.5 on darkzurich": (True, 4),
        "sci@difficult on darkzurich": (False, 4),
        "sci@medium on codan": (True, 8),
    }


def test_an_include_is_replaced_key_by_key(config, tmp_path):
    (tmp_path / "base.yaml").write_text(GOOD + "chunk: 7\n")
    cells = config("include: base.yaml\nenhancers: [identity]\n")
    assert [(str(cell), cell.chunk) for cell in cells] == [
        ("identity on darkzurich", 7),
        ("identity on codan", 7),
    ]


def test_a_problem_of_an_include_names_its_file(config, tmp_path):
    (tmp_path / "base.yaml").write_text("\ntasks: [darkzuric]\n")
    with pytest.raises(ConfigErrors) as caught:
        config("include: base.yaml\nenhancers: [identiti]\n")
    first, second = caught.value.problems
    assert first.startswith(f"{tmp_path}/base.yaml:2: tasks[0].task: unknown task 'darkzuric'")
    assert second.startswith(f"{config.file}:2: enhancers[0]: unknown enhancer 'identiti'")


def test_variables(config, problems, monkeypatch):
    text = "enhancers: [identity]\ntasks:\n- task: darkzurich\n  root: ${NIGHT}/dz\n"
    monkeypatch.delenv("NIGHT", raising=False)
    (problem,) = problems(text)
    assert problem.startswith("4: tasks[0].root: the environment variable NIGHT is not set")
    monkeypatch.setenv("NIGHT", "/data")
    assert config(text)[0].task.root == "/data/dz"


def test_anchors_and_merges(config):
    cells = config(
        "enhancers: [identity]\ntasks:\n- &dz {task: darkzurich, root: a}\n- {<<: *dz, root: b}\n"
    )
    assert [(cell.task.task, cell.task.root) for cell in cells] == [
        ("darkzurich", "a"),
        ("darkzurich", "b"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("enhancers: [", 1, "not valid YAML"),
        ("- a\n- b", 1, "must be a mapping"),
        ("enhancers: [identity]\ntasks: &a [*a]", 1, "holds itself"),
        ("include: nowhere.yaml\n" + GOOD, 1, "include: "),
        ("include: batch.yaml\n" + GOOD, 1, "includes itself"),
        ("include: [3]\n" + GOOD, 1, "must be a file or a list of files"),
        ("tasks: [darkzurich]", 1, "enhancers: names none"),
        ("enhancers: []\ntasks: [darkzurich]", 1, "enhancers: names none"),
        ("enhancers: sci\ntasks: [darkzurich]", 1, "enhancers: must be a list, not 'sci'"),
        (GOOD + "enhancer: [sci]", 4, "enhancer: is no known key; did you mean enhancers?"),
        (GOOD + "chunk: 1\nchunk: 2", 5, "chunk: is given twice"),
        (GOOD + "amp: maybe", 4, "amp: must be true or false, not 'maybe'"),
        (GOOD + "chunk: 1.5", 4, "chunk: must be a whole number above 0"),
        (GOOD + "seeds: [1]", 4, "seeds: no enhancer holds {seed}"),
        (GOOD + "seeds: [x]", 4, "seeds[0]: must be a whole number"),
        (GOOD + "exclude: [{enhancer: scii*}]", 4, "exclude[0].enhancer: matches none"),
        (GOOD + "exclude: [{enhancer: '*'}]", 4, "exclude: leaves no cell"),
        (GOOD + "exclude: [{}]", 4, "must say which `enhancer` or `task`"),
        (GOOD + "exclude: [codan]", 4, "must be a mapping with `enhancer`"),
        (GOOD + "overrides: [{task: codan}]", 4, "changes nothing"),
        (GOOD + "overrides: [{task: coda, amp: true}]", 4, "did you mean codan?"),
        (GOOD + "overrides: [{enhancer: sci*, weights: medum}]", 4, "did you mean sci@medium?"),
        (GOOD + "overrides: [{enhancer: sci*, options: {x: 1}}]", 4, "wrong option"),
        (GOOD + "overrides: [{enhancer: cl*, options: {x: 1}}]", 4, "matches none"),
        (GOOD + "slurm: gpu", 4, "slurm: must be a mapping"),
        (GOOD + "slurm: {partition: gpu}", 4, "slurm: has no `timeout_min`"),
        (GOOD + "slurm:\n  timeout_min: 5\n  partion: gpu", 6, "did you mean partition?"),
        (
            GOOD + "slurm: {timeout_min: 5, setup: [3]}",
            4,
            "slurm.setup[0]: must be a line of shell",
        ),
    ],
)
def test_what_can_be_wrong(problems, text, line, message):
    found = problems(text)
    assert any(one.startswith(f"{line}: ") and message in one for one in found), found


@pytest.mark.parametrize("text", ["enhancers: [", "include: nowhere.yaml"])
def test_what_could_not_be_read_is_not_missing(problems, text):
    assert len(problems(text)) == 1


def test_results_are_not_of_darkened_images(config, problems, tmp_path):
    darkened = "{task: 'segmentation:x', evaluator: espnetv2-s2, darken: {exposure: [0.3, 0.1]}}"
    text = f"enhancers: [identity, 'images:{tmp_path}']\ntasks: [{darkened}]\n"
    (problem,) = problems(text)
    assert problem.startswith(f"1: enhancers: images:{tmp_path} holds results of other images")
    assert len(config(text + "exclude: [{enhancer: 'images:*'}]\n")) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scii", "did you mean sci?"),
        ("sci@medum", "did you mean sci@medium?"),
        ("sci+lfvp", "only addition to a base"),
        ("identity+lfpv", "no deep feature"),
        ("gamma", "e.g. gamma@0.6"),
        ("gamma@dark", "positive number"),
        ("sci:x", "nothing after a colon"),
        ("images", "needs its source after a colon"),
        ("sci@{seed}.pt", "there are no `seeds`"),
        ("7", "must be a name, not 7"),
    ],
)
def test_wrong_enhancers(problems, name, message):
    (problem,) = problems(f"enhancers:\n- identity\n- {name}\ntasks: [darkzurich]")
    assert problem.startswith("3: enhancers[1]: ")
    assert message in problem


@pytest.mark.parametrize(
    ("entry", "key", "message"),
    [
        ("{task: darkzuric}", ".task", "did you mean darkzurich?"),
        ("{tsk: darkzurich}", ".tsk", "did you mean task?"),
        ("{root: a}", "", "has no `task`"),
        ("{task: darkzurich, sample: 1}", ".sample", "must be true or false"),
        ("{task: darkzurich, sample: true, root: a}", ".sample", "brings its own data"),
        ("{task: lol, sample: true}", ".sample", "sample scenes of codan"),
        ("{task: 'segmentation:a', root: b}", ".root", "names its folder"),
        ("{task: darkzurich_test}", ".task", "no public labels"),
        ("{task: darkzurich, protocol: mmsek}", ".protocol", "did you mean mmseg?"),
        ("{task: darkzurich, protocol: [3]}", ".protocol", "a list of names, not 3"),
        ("{task: darkzurich, protocol: []}", ".protocol", "a list of names"),
        ("{task: darkzurich, protocol: ''}", ".protocol", "a list of names, not ''"),
        ("{task: darkzurich, root: ''}", ".root", "must be text, not ''"),
        ("{task: lol, evaluator: resnet18}", ".evaluator", "compares with the truth"),
        ("{task: codan}", ".evaluator", "codan needs one"),
        ("{task: codan, evaluator: resnet18}", ".evaluator", "needs `evaluator_weights`"),
        ("{task: codan, evaluator: resnet1x, evaluator_weights: a}", ".evaluator", "resnet18"),
        ("{task: codan, evaluator: refinet.py, evaluator_weights: a}", ".evaluator", "refinenet"),
        ("{task: codan, evaluator: 'onnx:a', evaluator_weights: a}", ".evaluator_weights", "out"),
        ("3", "", "must be a name or a mapping"),
        ("darkzurich", "", "the same as an entry above"),
    ],
)
def test_wrong_tasks(problems, entry, key, message):
    found = problems(f"enhancers: [identity]\ntasks:\n- darkzurich\n- {entry}\n")
    assert any(one.startswith(f"4: tasks[1]{key}: ") and message in one for one in found), found


def test_every_error_at_once(config, capsys):
    config.file.write_text("enhancers: [scii, gamma]\ntasks: [darkzuric]\nchunk: 0\n")
    assert main(["batch", str(config.file)]) == 2
    *lines, last = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "1", "2", "3"]
    assert last == f"pipeline: error: {config.file}: 4 errors; nothing was run"


def test_no_such_config():
    with pytest.raises(PipelineError, match="those that ship are paper, real, sample"):
        read_batch("papper")


def test_what_ships():
    assert len(read_batch("sample").cells) == 21
    cells = read_batch("paper").cells
    assert len(cells) == 39
    assert len({str(cell.enhancer) for cell in cells}) == 13
    assert {path.stem for path in PACKAGED.glob("*.yaml")} == {"paper", "real", "sample"}
