"""Weights by name: single files and sets of files, packaged, here, or to be downloaded."""

import hashlib
from pathlib import Path

import pytest
import torch

from pipeline import create_enhancer, zoo
from pipeline.checkpoints import read_checkpoint
from pipeline.errors import PipelineError
from pipeline.registry import ENHANCERS

from .test_downloads import CONTENT, DIGEST, FileServer

ALL = [entry for listed in zoo.sections().values() for entry in listed.values()]
COMMON = {"published": "https://page", "licence": "MIT", "trained_on": "y"}


@pytest.fixture
def server():
    with FileServer() as running:
        yield running


def one(digest=DIGEST, url=""):
    file = zoo.WeightFile("net/x.pth", digest, url)
    return zoo.Entry("net@x", "net/x.pth", (file,), **COMMON)


def pair(url=""):
    files = [zoo.WeightFile(f"net/{name}", DIGEST, url and f"{url}/{name}") for name in "ab"]
    return zoo.Entry("net@pair", "net", tuple(files), **COMMON)


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_listed_file_is_verified(weights):
    assert zoo.find(one()) is None
    message = f"'net@x' are not here: get them from https://page and put them at {weights}/net/x"
    with pytest.raises(PipelineError, match=message):
        zoo.locate(one())
    path = put(weights / "net/x.pth")
    assert zoo.locate(one()) == zoo.find(one()) == zoo.locate(one(DIGEST[:8])) == path
    put(path, b"other")
    for look in (zoo.locate, zoo.find):
        with pytest.raises(PipelineError, match="is not the published 'net@x' .sha256 d9298a10d1b"):
            look(one())


def test_every_file_of_a_set_is_verified(weights):
    put(weights / "net/a")
    assert zoo.find(pair()) is None
    with pytest.raises(PipelineError, match=f"put them at {weights}/net/b"):
        zoo.locate(pair())
    put(weights / "net/b")
    assert zoo.locate(pair()) == zoo.find(pair()) == weights / "net"
    put(weights / "net/b", b"other")
    with pytest.raises(PipelineError, match="net/b: is not the published 'net@pair'"):
        zoo.locate(pair())


def test_a_set_lies_in_one_folder(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "PACKAGED", tmp_path / "packaged")
    for path in ("packaged/net/a", "weights/net/a", "weights/net/b"):
        put(tmp_path / path)
    assert zoo.find(pair()) == weights / "net"
    put(tmp_path / "packaged/net/b")
    assert zoo.find(pair()) == tmp_path / "packaged/net"


def test_absent_files_are_downloaded(server, weights, capsys):
    assert zoo.locate(one(url=f"{server.url}/x")).read_bytes() == CONTENT
    put(weights / "net/a")
    assert zoo.locate(pair(server.url)) == weights / "net"
    assert (weights / "net/b").read_bytes() == CONTENT
    assert server.requests == [None, None]
    err = capsys.readouterr().err.splitlines()
    assert err == [
        f"downloading x.pth (300.0 kB) from {server.url}/x",
        f"downloading b (300.0 kB) from {server.url}/b",
    ]


def test_a_wrong_file_is_not_replaced(server, weights):
    path = put(weights / "net/x.pth", b"the user's own")
    with pytest.raises(PipelineError, match="remove it"):
        zoo.locate(one(url=f"{server.url}/x"))
    assert path.read_bytes() == b"the user's own"


def test_without_a_known_hash_nothing_is_downloaded(server, weights):
    unknown = one(digest="", url=f"{server.url}/x")
    with pytest.raises(PipelineError, match="get them from https://page"):
        zoo.locate(unknown)
    assert server.requests == []
    path = put(weights / "net/x.pth", b"whatever")
    assert zoo.locate(unknown) == path


def test_a_bare_name_means_ours(weights):
    sample, _ = zoo.enhancer_weights("sci+lfpv", None, sample=True)
    assert sample.name == "sci+lfpv@ours-sample.safetensors"
    packaged, _ = zoo.enhancer_weights("sci+lfpv", None, sample=False)
    assert packaged == zoo.PACKAGED / "sci+lfpv@ours-lol162.safetensors"
    assert zoo.enhancer_weights("sci+lfpv", "ours-lol162", sample=False) == (packaged, {})
    trained = put(weights / "sci+lfpv@ours-lol.safetensors", b"")
    assert zoo.enhancer_weights("sci+lfpv", None, sample=False) == (trained, {})


def test_what_nobody_trained_is_not_replaced(weights):
    for bare, name in (("mine+lfpv", None), ("sci+lfpv", "ours-lol")):
        with pytest.raises(PipelineError, match=r"\+lfpv has no trained nodes here: train them"):
            zoo.enhancer_weights(bare, name, sample=False)
    assert zoo.has_ours("sci+lfpv") and not zoo.has_ours("mine+lfpv")


def test_the_sample_has_weights_of_its_own_alone(weights):
    with pytest.raises(PipelineError, match=r"--data sample\) or name some \(ruas@ours-lol162\)"):
        zoo.enhancer_weights("ruas", None, sample=True)


def test_a_state_dict_that_the_user_saved_is_ours(tmp_path):
    ours = create_enhancer("ruas@ours-lol162", denoise=False)
    torch.save(ours.state_dict(), tmp_path / "mine.pt")
    image = torch.rand(1, 3, 16, 16)
    assert torch.equal(create_enhancer(f"ruas@{tmp_path / 'mine.pt'}")(image), ours(image))


@pytest.mark.parametrize("base", ["sci", "ruas", "zerodcepp", "uretinex", "enlightengan", "lednet"])
def test_packaged_pairs_differ_in_lfpv_alone(base):
    headers = []
    for bare in (base, f"{base}+lfpv"):
        assert create_enhancer(f"{bare}@ours-lol162")(torch.rand(1, 3, 16, 16)).shape[1] == 3
        headers.append(read_checkpoint(zoo.PACKAGED / f"{bare}@ours-lol162.safetensors").header)
    plain, lfpv = headers
    assert plain["data"]["low"] == 162
    for key in ("recipe", "data", "seed", "steps", "options", "ranks"):
        assert plain[key] == lfpv[key], key


def test_a_name_comes_before_a_path(weights, tmp_path, monkeypatch):
    """Users have folders called `lol` and `ckpt`."""
    content = put(weights / "ruas/lol.pt", b"x")
    monkeypatch.setattr(zoo, "hash_difference", lambda *_: "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lol").mkdir()
    assert zoo.enhancer_weights("ruas", "lol", sample=False) == (content, {"denoise": True})
    given, options = zoo.enhancer_weights("ruas", "./lol", sample=False)
    assert (given.resolve(), options) == (tmp_path / "lol", {})
    assert zoo.enhancer_weights("ruas", str(content), sample=False) == (content, {})


def test_unknown_weights_offer_the_nearest():
    with pytest.raises(PipelineError, match="did you mean sci@medium"):
        zoo.enhancer_weights("sci", "mediun", sample=False)
    with pytest.raises(PipelineError, match="'nothing' is neither a weights name nor a file"):
        zoo.enhancer_weights("sci", "nothing", sample=False)


def test_the_list_keeps_its_rules():
    assert list(zoo.sections()) == ["enhancers", "evaluators", "parts", "backbones"]
    assert len({entry.name for entry in ALL}) == len(ALL)
    hashes = {}
    for file in (file for entry in ALL for file in entry.files):
        assert hashes.setdefault(file.path, file) == file
        assert len(file.sha256) in (0, 8, 64)
        assert not file.url or (file.sha256 and file.url.startswith("https://"))
        assert "/main/" not in file.url and "/master/" not in file.url
    assert {entry.published for entry in ALL if not entry.files[0].url} == {
        "packaged",
        "https://github.com/sczhou/LEDNet/releases",
        "https://github.com/VITA-Group/EnlightenGAN",
    }


def test_a_set_is_published_below_its_address():
    entry = zoo.entries("enhancers")["uretinex@ckpt"]
    assert entry.path == "uretinexnet"
    assert [file.path for file in entry.files] == [
        f"uretinexnet/{name}.pth" for name in ("init_low", "unfolding", "L_adjust")
    ]
    assert entry.files[0].url.endswith(
        "/026a34b3165807c9b3dbdbe625df2765a1ef312d/ckpt/init_low.pth"
    )


@pytest.mark.parametrize("entry", zoo.entries("enhancers").values(), ids=lambda entry: entry.name)
def test_an_enhancer_takes_its_options(entry):
    base = entry.name.partition("@")[0].removesuffix("+lfpv")
    network = ENHANCERS.get(base)(**entry.options)
    assert entry.options.items() <= network.options.items()


@pytest.mark.parametrize("section", ["enhancers", "evaluators"])
def test_packaged_weights_are_what_the_list_says(section):
    packaged = [e for e in zoo.entries(section).values() if e.published == "packaged"]
    assert packaged
    for item in packaged:
        assert zoo.find(item) == zoo.configs.ROOT / "weights" / item.path


@pytest.mark.shared
def test_the_shared_weights_are_all_found(shared, monkeypatch):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(shared / "reference/weights"))
    lines = (shared / "reference/weights.sha256").read_text().splitlines()
    published = {path.removeprefix("weights/"): digest for digest, path in map(str.split, lines)}
    listed = {file.path: file.sha256 for entry in ALL for file in entry.files}
    assert published.items() <= listed.items()
    found = [entry for entry in ALL if {file.path for file in entry.files} <= published.keys()]
    assert len(found) == 12
    for entry in found:
        assert zoo.locate(entry) == shared / "reference/weights" / entry.path


def test_the_digest_in_a_message_is_of_the_file(weights):
    path = put(weights / "net/x.pth", b"other")
    found = hashlib.sha256(b"other").hexdigest()
    assert zoo.hash_difference(path, one().files[0]) == (
        f"sha256 {found[:12]}…, expected {DIGEST[:12]}…"
    )


@pytest.mark.shared
def test_a_released_file_by_path_is_the_same_enhancer_as_by_name(shared, monkeypatch):
    folder = shared / "reference/weights"
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(folder))
    for name, file in (("ruas", "lol"), ("ruas", "upe"), ("sci", "easy")):
        by_path = create_enhancer(name, folder / name / f"{file}.pt")
        assert by_path.options == create_enhancer(name, file).options
    assert create_enhancer("ruas", "lol").options == {"denoise": True}
    plain = create_enhancer("ruas", folder / "ruas/lol.pt", denoise=False)
    assert plain.options == {"denoise": False}


def test_the_range_that_lednets_weights_work_in():
    listed = zoo.entries("enhancers")
    assert listed["lednet@lednet"].options == {}
    for name in ("lednet_retrain_500000", "lednetgan"):
        assert listed[f"lednet@{name}"].options == {"signed": True}
        assert zoo.options_of("lednet", Path(f"my/{name}.pth"), "0" * 64) == {"signed": True}
    assert zoo.options_of("lednet", Path("my/own.pth"), "0" * 64) == {}


@pytest.mark.parametrize(
    ("name", "pretrained"), [("sci@easy", "medium"), ("images:x", "y"), ("sci", "")]
)
def test_weights_are_named_once(name, pretrained):
    with pytest.raises(PipelineError, match="name the weights once"):
        create_enhancer(name, pretrained)
