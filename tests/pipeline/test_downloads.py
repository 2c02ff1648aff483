"""Downloads from a local server that can do everything wrong that a server can."""

import hashlib
import os
import random
import resource
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline import downloads
from pipeline.downloads import download
from pipeline.errors import PipelineError
from pipeline.files import sha256

CONTENT = random.Random(0).randbytes(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
HALF = len(CONTENT) // 2
PAGE = b"\n<!DOCTYPE html><html>sign in</html>"


class Handler(BaseHTTPRequestHandler):
    """Answers as the first entry of the server's plan says, as a good server when it is empty."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.requests.append(wanted)
        self.close_connection = True
        plan = self.server.plan.pop(0) if self.server.plan else "good"
        start = int(wanted[len("bytes=") : -1]) if wanted else 0
        getattr(self, plan.replace(" ", "_"))(start)

    def good(self, start):
        self.from_byte(start) if start < len(CONTENT) else self.too_far(start)

    def without_ranges(self, _start):
        self.send(200, CONTENT)

    def other_range(self, _start):
        self.send(206, CONTENT[7:], {"Content-Range": "bytes 7-299999/300000"})

    def too_far(self, _start):
        self.send(416, b"", {"Content-Range": "bytes */300000"})

    def missing(self, _start):
        self.send(404, b"<html>no such page</html>")

    def page(self, _start):
        self.send(200, PAGE)

    def wrong(self, _start):
        self.send(200, CONTENT[::-1])

    def short(self, start):
        """Ends half-way, without any error."""
        self.from_byte(start, stop=(len(CONTENT) - start) // 2)

    def reset(self, _start):
        self.send(200, CONTENT, stop=HALF)
        self.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def stall(self, _start):
        self.send(200, CONTENT, stop=HALF)
        self.wfile.flush()
        self.server.released.wait(2)

    def unframed(self, _start):
        """Neither a length nor a last chunk: only the end of the connection."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)

    def broken_chunks(self, _start):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n" % len(CONTENT) + CONTENT[:HALF])

    def slow(self, _start):
        self.server.started.set()
        self.server.released.wait(5)
        self.send(200, CONTENT)

    def from_byte(self, start, stop=None):
        headers = {"Content-Range": f"bytes {start}-299999/300000"} if start else {}
        self.send(206 if start else 200, CONTENT[start:], headers, stop)

    def send(self, status, body, headers=(), stop=None):
        self.send_response(status)
        for key, value in dict(headers).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:stop])

    def log_message(self, *_):
        pass


class FileServer(ThreadingHTTPServer):
    """Serves CONTENT at any path below `url`.

    Attributes:
        plan: how the next requests are answered, names of Handler's methods.
        requests: the Range header of every request so far.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.plan, self.requests = [], []
        self.started, self.released = threading.Event(), threading.Event()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        pass


@pytest.fixture
def server():
    with FileServer() as running:
        yield running


@pytest.fixture
def file(tmp_path):
    return tmp_path / "new/x.pth"


@pytest.fixture
def part(file):
    """What an earlier attempt may have left."""
    file.parent.mkdir()
    return file.with_name("x.pth.part")


def fails(server, file, message, digest=DIGEST):
    """The download fails with one line, and no file appears."""
    with pytest.raises(PipelineError, match=message) as error:
        download(f"{server.url}/x.pth", file, digest)
    assert "\n" not in str(error.value)
    assert not file.exists()


@pytest.mark.parametrize("answer", ["good", "unframed"])
@pytest.mark.parametrize("digits", [8, 64])
def test_a_file_arrives_whole_and_nothing_beside_it(server, file, answer, digits, capsys):
    server.plan = [answer]
    download(f"{server.url}/x.pth", file, DIGEST[:digits])
    assert file.read_bytes() == CONTENT
    assert list(file.parent.iterdir()) == [file]
    assert file.stat().st_mode & 0o777 == 0o666 & ~_umask()
    size = "300.0 kB" if answer == "good" else "size not stated"
    assert capsys.readouterr().err == f"downloading x.pth ({size}) from {server.url}/x.pth\n"


def test_a_terminal_shows_a_bar(server, file, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    download(f"{server.url}/x.pth", file, DIGEST)
    assert "300.0/300.0 kB" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("short", "150.0 kB are missing"), ("stall", "timed out"), ("broken chunks", "Incomplete")],
)
def test_a_cut_connection_is_resumed(server, file, answer, reason, monkeypatch, capsys):
    monkeypatch.setattr(downloads, "SECONDS_WITHOUT_AN_ANSWER", 1)
    server.plan = [answer]
    fails(server, file, f"the connection was cut .{reason}.*; run it again to resume")
    here = file.with_name("x.pth.part").stat().st_size
    assert here > 0
    capsys.readouterr()
    download(f"{server.url}/x.pth", file, DIGEST)
    assert server.requests == [None, f"bytes={here}-"]
    assert file.read_bytes() == CONTENT
    assert f"the remaining {(len(CONTENT) - here) / 1000:.1f} kB" in capsys.readouterr().err


def test_each_attempt_adds_to_the_part(server, file, part):
    part.write_bytes(CONTENT[:1000])
    sizes = [1000]
    for server.plan in (["short"], ["short"]):
        fails(server, file, "the connection was cut")
        sizes.append(part.stat().st_size)
    download(f"{server.url}/x.pth", file, DIGEST)
    assert server.requests == [f"bytes={size}-" for size in sizes]
    assert sizes == sorted(set(sizes))
    assert file.read_bytes() == CONTENT


def test_a_reset_connection_is_one_line(server, file):
    server.plan = ["reset"]
    fails(server, file, "the connection was cut")
    download(f"{server.url}/x.pth", file, DIGEST)
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("plan", "requests"),
    [
        (["without ranges"], 1),
        (["other range", "good"], 2),
        (["too far", "good"], 2),
    ],
)
def test_what_cannot_be_resumed_starts_anew(server, file, part, plan, requests):
    part.write_bytes(CONTENT[:1000])
    server.plan = plan
    download(f"{server.url}/x.pth", file, DIGEST)
    assert file.read_bytes() == CONTENT
    assert server.requests == ["bytes=1000-", None][:requests]


def test_a_part_that_is_too_long_starts_anew(server, file, part):
    part.write_bytes(CONTENT + b"more")
    download(f"{server.url}/x.pth", file, DIGEST)
    assert file.read_bytes() == CONTENT
    assert server.requests == ["bytes=300004-", None]


def test_a_whole_part_and_a_whole_file_ask_for_nothing(server, file, part):
    part.write_bytes(CONTENT)
    for _ in range(2):
        download(f"{server.url}/x.pth", file, DIGEST)
        assert list(file.parent.iterdir()) == [file]
    assert file.read_bytes() == CONTENT
    assert server.requests == []


@pytest.mark.parametrize("left", [b"", b"of another file"])
def test_a_wrong_hash_keeps_nothing(server, file, part, left):
    part.write_bytes(left)
    server.plan = [] if left else ["wrong"]
    fails(server, file, f"not the published file .its sha256 is not {DIGEST[:12]}…")
    assert not part.exists()
    download(f"{server.url}/x.pth", file, DIGEST)
    assert file.read_bytes() == CONTENT


def test_a_hash_is_of_what_is_there_now(server, file):
    """Also where size, time and inode are those of what was there before."""
    download(f"{server.url}/x.pth", file, DIGEST)
    assert sha256(file) == DIGEST
    then = file.stat()
    with file.open("r+b") as there:
        there.write(b"other")
    os.utime(file, ns=(then.st_atime_ns, then.st_mtime_ns))
    download(f"{server.url}/x.pth", file, DIGEST)
    assert file.read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"", CONTENT[:1000]])
def test_a_web_page_replaces_nothing(server, file, part, left):
    part.write_bytes(left)
    server.plan = ["page"]
    fails(server, file, "the server sent a web page, not the file")
    assert part.read_bytes() == left


def test_an_http_error_is_one_line(server, file):
    server.plan = ["missing", "too far"]
    fails(server, file, "HTTP 404 Not Found")
    fails(server, file, "HTTP 416")
    assert not file.with_name("x.pth.part").exists()


def test_an_unreachable_server_is_one_line(file):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(PipelineError, match=f"{port}/x: not downloaded .*refused"):
        download(f"http://127.0.0.1:{port}/x", file, DIGEST)


@pytest.mark.parametrize("scheme", ["file", "ftp", "FILE", ""])
def test_other_schemes_are_refused(file, tmp_path, scheme):
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    with pytest.raises(PipelineError, match="only https:// and http://"):
        download(f"{scheme}://{source}", file, DIGEST)
    assert not file.exists()


def test_many_at_once_download_once(server, file, capsys):
    """Threads stand for processes: the lock is of the open file, not of the process."""
    server.plan = ["slow"]
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(download, f"{server.url}/x.pth", file, DIGEST) for _ in range(4)]
        server.started.wait(5)
        threading.Timer(0.1, server.released.set).start()
        for job in jobs:
            job.result()
    assert server.requests == [None]
    assert file.read_bytes() == CONTENT
    assert list(file.parent.iterdir()) == [file]
    assert "waiting for another process that downloads x.pth" in capsys.readouterr().err


def test_a_full_disk_is_one_line_and_resumed(server, file, part):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, hard))
    try:
        fails(server, file, "x.pth: cannot be written .File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    download(f"{server.url}/x.pth", file, DIGEST)
    assert file.read_bytes() == CONTENT
    assert server.requests == [None, f"bytes={HALF}-"]


def test_an_unwritable_folder_is_one_line(server, file):
    file.parent.write_text("a file in the way")
    fails(server, file, "x.pth: cannot be written")
    assert server.requests == []


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
