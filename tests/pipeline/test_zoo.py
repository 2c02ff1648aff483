"""Weights by name, with a local server for downloads."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline import zoo
from pipeline.errors import PipelineError

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server():
    """A local server: /good gives the content, /html a page, /cut breaks off half-way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b"<html>sign in</html>" if self.path == "/html" else CONTENT
            if self.path == "/missing":
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if self.path == "/cut" else body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def entry(**values):
    common = {"name": "x", "file": "x.pth", "published": "https://page", "licence": "MIT"}
    return zoo.Entry(**{**common, "trained_on": "y", "sha256": DIGEST, **values})


def test_download_lands_whole_and_verified(server, tmp_path):
    path = tmp_path / "new/x.pth"
    zoo.download(f"{server}/good", path, DIGEST[:8])
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("html", "not the published file"),
        ("cut", "not the published file|cannot be downloaded"),
        ("missing", "cannot be downloaded"),
    ],
)
def test_a_bad_download_leaves_nothing(server, tmp_path, page, message):
    with pytest.raises(PipelineError, match=message):
        zoo.download(f"{server}/{page}", tmp_path / "x.pth", DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_listed_file_is_verified(monkeypatch, tmp_path):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(tmp_path))
    with pytest.raises(PipelineError, match="are not here: get them from https://page"):
        zoo.locate(entry())
    (tmp_path / "x.pth").write_bytes(CONTENT)
    assert zoo.locate(entry()) == tmp_path / "x.pth"
    (tmp_path / "x.pth").write_bytes(b"other")
    with pytest.raises(PipelineError, match="is not the published 'x'"):
        zoo.locate(entry())


def test_a_listed_file_is_downloaded_when_it_has_an_address(server, monkeypatch, tmp_path):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(tmp_path))
    assert zoo.locate(entry(url=f"{server}/good")).read_bytes() == CONTENT


@pytest.mark.parametrize("section", ["enhancers", "evaluators"])
def test_packaged_weights_are_what_the_list_says(section):
    packaged = [e for e in zoo.entries(section).values() if e.published == "packaged"]
    assert packaged
    for item in packaged:
        assert zoo.locate(item) == zoo.configs.ROOT / "weights" / item.file


def test_a_bare_name_means_ours(monkeypatch, tmp_path):
    monkeypatch.setenv("PIPELINE_WEIGHTS", str(tmp_path))
    sample, _ = zoo.enhancer_weights("sci+lfpv", None, sample=True)
    assert sample.name == "sci+lfpv@ours-sample.safetensors"
    with pytest.raises(PipelineError, match=r"sci\+lfpv has no trained nodes here: train them"):
        zoo.enhancer_weights("sci+lfpv", None, sample=False)
    trained = tmp_path / "sci+lfpv@ours-lol.safetensors"
    trained.write_bytes(b"")
    assert zoo.enhancer_weights("sci+lfpv", None, sample=False) == (trained, {})


def test_unknown_weights_offer_the_nearest():
    with pytest.raises(PipelineError, match="did you mean sci@medium"):
        zoo.enhancer_weights("sci", "mediun", sample=False)
    with pytest.raises(PipelineError, match="'nothing' is neither a weights name nor a file"):
        zoo.enhancer_weights("sci", "nothing", sample=False)
