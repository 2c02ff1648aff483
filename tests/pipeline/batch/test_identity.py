"""Identities. The pinned ones may change only together with a version in `versions.py`.

Whoever has finished batches would have to measure all of them again.
"""

from dataclasses import replace

import pytest

from pipeline.batch import versions
from pipeline.batch.cells import Cell, TaskSpec
from pipeline.batch.evidence import config_digest
from pipeline.batch.identity import changes, digest, identity_of
from pipeline.batch.plan import Planned, plan
from pipeline.errors import PipelineError
from pipeline.names import parse_enhancer

from ..conftest import NIGHT, NIGHT_GT

PINNED = {
    "identity": "8b5ec0b5c7909c72573a5c76a2b32328a55955880d3650f384c241fad81d9351",
    "gamma@0.5": "4dad9c61475dea98e0017f5f692f56b1e42ab6e3dd5a22dae106cac09c1ab0fb",
    "clahe": "cebc43142120a9f6496bf6be059ce0fc557683c50c88834cc42477bdb97a5a7f",
    "enlightengan@FILE": "d4f7e3ba67b40587f6d94ec33bd309706bf17c09f1d5cb972e08f13a999760c2",
    "lednet@FILE": "3ea5d82e1c0a58c8da838bec2574ecbe700deb55b9d223a0d93abe26fc2ba135",
    "ruas@FILE": "a7f93fe0a70d9156e34d1947a933e7bfe237af5e7af7d8c63c94fd469130dbc6",
    "sci@FILE": "70b7e8aebe95a23a3c34caf5ab88778260fd4225e46b2dcbb76b0f4ae9d9ae4e",
    "sci+lfpv@FILE": "587b68c6f7486f72cc0147ab2027eee3f06d815396e5644560c91ddb0d7fa36f",
    "uretinex@FILE": "728e4f392ab61b9373e17eab8af24f27ad0d452bcd84badb361207c993e4cb3a",
    "zerodcepp@FILE": "f3838fa8f1142ef0dac90de4584eb1975559cb97e2de542abf620caafede7c80",
    "zerodcepp+lfpv@FILE": "c17067649762f0b87dabb39d007eb3034e112fbbef015146a8bc99269346505b",
}
PINNED_CONFIGS = {
    "cgnet_street19.py": "954dbfe821833b5775e9e3c678624589b51791d3f5c14683471bc237f7ddad1f",
    "refinenet_r101.py": "6e2358203819b04002b157396108ce078972363423d843dbfb9c2afd22723075",
    "espnetv2_s2.py": "f33f8f2d84412cc1f4c72fd0d32e68351345e5ab9fabe8ebe8a1e78db6ecc174",
}


@pytest.fixture
def night(tmp_path):
    """Dark Zurich's layout, and weights, as files of known bytes, which nobody decodes."""
    root = tmp_path / "dz"
    (tmp_path / "weights.pt").write_bytes(b"weights")
    for frame in (1, 2):
        for name in (NIGHT, NIGHT_GT):
            path = root / name.format(frame)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes([frame]))
    return root


@pytest.fixture
def planned(night, tmp_path):
    weights = str(tmp_path / "weights.pt")
    model = {"evaluator": "cgnet_street19.py", "evaluator_weights": weights}

    def one(name, protocol="mmseg", **changes):
        task = TaskSpec("darkzurich", str(night), protocol=protocol, **model)
        enhancer = parse_enhancer(name.replace("FILE", weights))
        (found,) = plan([Cell(enhancer, task, **changes)], tmp_path / "out")
        assert isinstance(found, Planned), found
        return found

    return one


@pytest.mark.parametrize("name", PINNED)
def test_pinned(planned, name):
    assert digest(planned(name).identity) == PINNED[name]


@pytest.mark.parametrize("name", PINNED_CONFIGS)
def test_pinned_evaluator_configs(name):
    assert config_digest(name) == PINNED_CONFIGS[name]


def test_what_changes_it_is_named(planned, night, monkeypatch):
    before = planned("sci@FILE").identity

    def differing(name="sci@FILE", **options):
        return [line.split(":")[0] for line in changes(before, planned(name, **options).identity)]

    assert differing() == []
    assert differing(amp=True, chunk=4) == ["numerics.amp", "numerics.chunk"]
    assert differing(options={"layers": 3}) == ["enhancer.options.layers"]
    assert "protocol.size" in differing(protocol="similarity-minmax")
    assert differing("zerodcepp@FILE") == ["enhancer.name"]
    monkeypatch.setitem(versions.CODE, "sci", 2)
    assert differing() == ["enhancer.code"]
    monkeypatch.undo()
    (night / NIGHT.format(1)).write_bytes(b"another")
    assert differing() == ["dataset.sha256"]
    (night.parent / "weights.pt").write_bytes(b"others")
    assert sorted(differing()) == ["dataset.sha256", "enhancer.weights", "evaluator.weights"]


def test_a_file_that_moved_is_the_same(planned, night, tmp_path):
    before = planned("identity").identity
    night.rename(tmp_path / "moved")
    (tmp_path / "dz").symlink_to(tmp_path / "moved")
    assert planned("identity").identity == before


def test_a_dry_run_downloads_nothing(night, tmp_path):
    cell = Cell(parse_enhancer("sci@medium"), TaskSpec("darkzurich", str(night)))
    (found,) = plan([cell], tmp_path / "out", fetch=False)
    assert "'pspnet-r50' are not here yet; a run downloads them" in str(found.task)
    assert "'sci@medium' are not here yet; a run downloads them" in str(found.weights)


def test_two_settings_of_one_cell_are_refused(night, planned, tmp_path):
    cell = planned("identity").cell
    with pytest.raises(PipelineError, match="identity on darkzurich is there twice"):
        plan([cell, replace(cell, chunk=7)], tmp_path / "out")


def test_order_of_keys_does_not_matter():
    one = identity_of({"a": 1, "b": (2,)}, {"protocol": 1, "evaluator": 2}, False, 1)
    other = identity_of({"b": [2], "a": 1}, {"evaluator": 2, "protocol": 1}, False, 1)
    assert digest(one) == digest(other)


def test_changes_tells_both_values():
    old, new = {"a": {"b": 1, "c": "x" * 64}}, {"a": {"b": 2, "d": None}, "e": True}
    assert list(changes(old, new)) == [
        "a.b: 2, was 1",
        f"a.c: null, was {'x' * 12}…",
        "e: true, was null",
    ]
