"""`pipeline weights` as a user meets it."""

import hashlib

import pytest
import yaml

import configs
from pipeline.cli import main

from .test_downloads import CONTENT, DIGEST, FileServer

OTHER = hashlib.sha256(b"").hexdigest()


@pytest.fixture
def server():
    with FileServer() as running:
        yield running


@pytest.fixture
def short_list(server, weights, monkeypatch, tmp_path):
    """A list of four entries in place of the real one."""
    common = {"published": "https://page", "licence": "MIT", "trained_on": "LOL"}
    listed = {
        "net@one": {"file": "net/one.pth", "sha256": DIGEST, "url": f"{server.url}/one"},
        "net@set": {
            "folder": "net/set",
            "files": {"a.pth": DIGEST, "b.pth": DIGEST[:8]},
            "url": f"{server.url}/ckpt",
        },
        "net@page": {"file": "net/page.pth", "sha256": ""},
        "net@other": {"file": "net/other.pth", "sha256": OTHER, "url": f"{server.url}/other"},
    }
    listed = {name: values | common for name, values in listed.items()}
    (tmp_path / "weights.yaml").write_text(yaml.safe_dump({"enhancers": listed}, sort_keys=False))
    monkeypatch.setattr(configs, "ROOT", tmp_path)
    return weights


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def error_line(capsys):
    """The last line of stderr."""
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("pipeline: error: ")
    return line


def rows(capsys):
    """The first words of every line, by the line's first word."""
    lines = map(str.split, capsys.readouterr().out.splitlines())
    return {line[0]: line[1:] for line in lines if line}


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("action", [[], ["list"]])
def test_the_list_names_everything_at_any_width(weights, monkeypatch, capsys, columns, action):
    monkeypatch.setenv("COLUMNS", str(columns))
    content = yaml.safe_load((configs.ROOT / "weights.yaml").read_text())
    assert main(["weights", *action]) == 0
    out = capsys.readouterr().out
    assert "…" not in out
    words, squeezed = set(out.split()), "".join(out.split())
    for section, listed in content.items():
        assert section in words
        for name, entry in listed.items():
            assert name in words
            assert f"{entry['published']}, {entry['licence']}" in out
            assert "".join(entry["trained_on"].split()) in squeezed
    assert f"weights folder (PIPELINE_WEIGHTS): {weights}" in out


def test_the_list_says_what_is_here(short_list, capsys):
    put(short_list / "net/one.pth")
    put(short_list / "net/set/a.pth")
    assert main(["weights"]) == 0
    listed = rows(capsys)
    assert listed["enhancers"] == ["here", "size", "trained", "on"]
    assert listed["net@one"] == ["yes", "300.0", "kB", "LOL"]
    assert listed["net@set"] == ["1", "of", "2", "300.0", "kB", "LOL"]
    assert listed["net@page"] == ["no", "LOL"]


def test_packaged_weights_are_listed_as_such(weights, capsys):
    assert main(["weights"]) == 0
    listed = rows(capsys)
    assert listed["sci+lfpv@ours-sample"][0] == "packaged"
    assert listed["vgg19"] == ["no", "ImageNet"]


def test_verify_names_every_file_that_is_here(short_list, capsys):
    put(short_list / "net/one.pth")
    put(short_list / "net/set/b.pth")
    put(short_list / "net/page.pth")
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"net@one: {short_list}/net/one.pth: as published",
        f"net@set: {short_list}/net/set/b.pth: as published (its first 8 digits; no more are "
        "stated)",
        f"net@page: {short_list}/net/page.pth: no published hash is known; this file is sha256 "
        f"{DIGEST}",
    ]


def test_verify_fails_on_a_wrong_hash_after_all_lines(short_list, capsys):
    put(short_list / "net/one.pth", b"x")
    put(short_list / "net/page.pth")
    assert main(["weights", "verify"]) == 2
    printed = capsys.readouterr()
    wrong, unknown = printed.out.splitlines()
    assert wrong.startswith(f"net@one: {short_list}/net/one.pth: WRONG HASH, sha256 2d711642b726")
    assert unknown.startswith("net@page: ")
    assert "1 of 2 files are not here or not as published" in printed.err


def test_verify_of_names_wants_them_here(short_list, capsys):
    put(short_list / "net/one.pth")
    put(short_list / "net/other.pth", b"wrong, but not asked for")
    assert main(["weights", "verify", "net@one"]) == 0
    assert main(["weights", "verify", "net@one", "net@set"]) == 2
    assert f"net@set: {short_list}/net/set/a.pth: is not here" in capsys.readouterr().out
    assert main(["weights", "verify", "net@on"]) == 2
    assert "did you mean net@one?" in error_line(capsys)


def test_download(short_list, server, capsys):
    assert main(["weights", "download", "net@one", "net@set"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"net@one: {short_list}/net/one.pth",
        f"net@set: {short_list}/net/set",
    ]
    assert main(["weights", "verify", "net@one", "net@set"]) == 0
    assert len(server.requests) == 3
    capsys.readouterr()
    assert main(["weights", "download", "net@set"]) == 0
    assert capsys.readouterr().out == f"net@set: is here already: {short_list}/net/set\n"
    assert len(server.requests) == 3


def test_download_resumes(short_list, server, capsys):
    server.plan = ["short"]
    assert main(["weights", "download", "net@one"]) == 2
    assert "run it again to resume" in error_line(capsys)
    assert main(["weights", "download", "net@one"]) == 0
    assert server.requests == [None, "bytes=150000-"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("net@oen", "did you mean net@one?"),
        ("zzz", "`pipeline weights` lists them"),
        ("net@page", "get them from https://page and put them at {}/net/page.pth"),
    ],
)
def test_a_name_that_cannot_be_downloaded_is_said_first(short_list, server, capsys, name, message):
    assert main(["weights", "download", "net@one", name]) == 2
    assert message.format(short_list) in error_line(capsys)
    assert server.requests == []


def test_download_of_another_content(short_list, capsys):
    assert main(["weights", "download", "net@other"]) == 2
    assert "not the published file" in error_line(capsys)
    put(short_list / "net/other.pth")
    assert main(["weights", "download", "net@other"]) == 2
    assert "is not the published 'net@other'" in error_line(capsys)


@pytest.mark.shared
def test_the_shared_weights_verify(shared, monkeypatch, capsys):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(shared / "reference/weights"))
    assert main(["weights", "verify"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.endswith(": as published") for line in lines)
    assert sum(f"{shared}/reference/weights" in line for line in lines) == 14
