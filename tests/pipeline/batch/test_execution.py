"""Batches that run, fail, stop, are killed and go on."""

import json
import multiprocessing
import os
import random
import signal
import socket
import sqlite3

import pytest

from pipeline.batch import jobs
from pipeline.batch.session import Session
from pipeline.batch.state import locked
from pipeline.cli import main
from pipeline.result import Result

# Eight pictures: in either class three of one size, then one of another after the second.
CHUNKS = 4


def test_a_finished_batch_is_not_computed_again(yard, exits):
    out = exits(0, yard.run).out
    assert "3 of 3 cells done" in out
    assert "no figures are published of classification:signs" in out
    calls = yard.calls()
    before = {path: path.stat().st_mtime_ns for path in yard.root.rglob("out/**/*.json")}
    assert "3 of 3 cells done" in exits(0, yard.run).out
    assert yard.calls() == calls
    assert before == {path: path.stat().st_mtime_ns for path in yard.root.rglob("out/**/*.json")}


def test_it_is_what_run_measures(yard, signs, classifier, exits):
    exits(0, yard.run)
    model = ["--evaluator", "test_resnet", "--evaluator-weights", str(classifier)]
    where = ["--task", f"classification:{signs}", "--out", str(yard.root / "plain")]
    options = ["--batch-size", "2", "--workers", "0", "--device", "cpu"]
    name = f"python:{yard.module}:first"
    assert main(["run", "--enhancer", name, *where, *model, *options]) == 0
    (plain,) = (yard.root / "plain").rglob("result.json")
    plain = json.loads(plain.read_text())
    ours = next(iter(yard.results().values()))
    for key in ("scores", "per_class", "protocol", "notes", "task", "enhancer"):
        assert ours[key] == plain[key]
    pick = [(i["id"], i["mean_level"], i["label"], i["prediction"]) for i in plain["per_image"]]
    assert pick == [
        (i["id"], i["mean_level"], i["label"], i["prediction"]) for i in ours["per_image"]
    ]
    for key in ("cost", "seeds", "enhancer", "evaluator", "dataset", "packages", "hardware"):
        assert ours["provenance"][key] == plain["provenance"][key], key
    assert ours["provenance"]["given"]["task"]["evaluator"] == "test_resnet"
    assert ours["provenance"]["given"]["chunk"] == 2


def test_what_a_killed_writer_left_is_removed(yard, exits):
    exits(0, yard.run)
    result = next((yard.root / "out").rglob("result.json"))
    left = result.with_name(".result.json.x1")
    for path in (result, left):
        path.write_text("half")
    exits(0, yard.run)
    assert not left.exists()
    Result.read(result)


def test_killed_at_any_moment_it_ends_with_the_same_results(yard, exits):
    exits(0, yard.run, out="whole")
    whole, calls = yard.results("whole"), len(yard.calls())
    yard.log.unlink()
    yard.set(seconds=0.1)
    dice = random.Random(3)
    kills = 0
    for _ in range(12):
        process = yard.start()
        process.join(dice.uniform(0.05, 0.5))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join()
    assert kills > 3
    exits(0, yard.run)
    assert yard.results() == whole
    # A kill loses the chunk that was running, of one call for each size in it, and nothing else.
    assert calls <= len(yard.calls()) <= calls + 2 * kills
    assert not list(yard.root.rglob("out/**/.result.json.*"))


def test_two_processes_share_the_cells(yard, exits):
    exits(0, yard.run, out="whole")
    calls = sorted(yard.calls())
    yard.log.unlink()
    yard.set(seconds=0.05)
    both = [yard.start(), yard.start()]
    for process in both:
        process.join(60)
        assert process.exitcode in (0, 1)
    # Every cell once, none twice, whoever did it.
    assert sorted(yard.calls()) == calls
    exits(0, yard.run)
    assert sorted(yard.calls()) == calls
    assert yard.results() == yard.results("whole")


def test_a_cell_of_another_process_is_left_alone(yard, exits):
    exits(0, yard.run)
    calls = yard.calls()
    (path,) = yard.root.rglob("out/**/*first*/status.json")
    path.write_text(path.read_text().replace('"done"', '"running"'))
    with locked(path.parent) as free:
        assert free
        printed = exits(1, yard.run).out
    assert "running: " in printed
    assert "2 of 3 cells done" in printed
    # The other one died: its chunks are there, and its lock is free.
    assert "was interrupted" in exits(0, yard.run).err
    assert yard.calls() == calls


def test_sigint_ends_after_the_chunk(yard, exits):
    yard.set(first=signal.SIGINT.value)
    process = yard.start()
    process.join(60)
    assert process.exitcode == 130
    assert yard.status("first")["state"] == "pending"
    (records,) = yard.root.rglob("out/**/records.sqlite")
    with sqlite3.connect(records) as connection:
        (chunks,) = connection.execute("SELECT count(*) FROM chunk").fetchone()
    assert 1 <= chunks < CHUNKS
    yard.set()
    exits(0, yard.run)
    calls = yard.calls()
    # Nothing was lost: as many calls as without the signal.
    assert len(calls) == len(set(calls))


def test_a_failure_is_the_cells_own(yard, exits):
    yard.set(broken="second")
    printed = exits(1, yard.run)
    assert "2 of 3 cells done" in printed.out
    assert "the sea is rough" in printed.err
    status = yard.status("second")
    assert status["state"] == "failed"
    assert "the sea is rough" in status["reason"]
    assert "\n" not in status["reason"]
    # Neither forgotten nor tried again unless asked for.
    yard.set()
    calls = yard.calls()
    printed = exits(1, yard.run).out
    assert "failed: " in printed and "--retry-failed" in printed
    assert yard.calls() == calls
    assert "3 of 3 cells done" in exits(0, yard.run, "--retry-failed").out
    assert yard.status("second")["state"] == "done"


def test_a_failure_leaves_no_reading_process(yard, exits):
    yard.set(broken="second")
    exits(1, yard.run, "--workers", "1")
    # The end of the command would wait for it for ever: it takes no signal.
    assert not multiprocessing.active_children()


def test_fail_fast(yard, exits):
    yard.set(broken="first")
    assert "0 of 3 cells done" in exits(1, yard.run, "--fail-fast").out
    assert not yard.calls()


def test_a_bug_keeps_its_traceback(yard, exits, monkeypatch):
    def bug(*_):
        raise KeyError("lost")

    monkeypatch.setattr("pipeline.batch.execution.summarise", bug)
    exits(1, yard.run)
    assert "KeyError" in yard.status("first")["reason"]
    (trace,) = yard.root.rglob("out/**/*first*/traceback.txt")
    assert "summarise" in trace.read_text()
    monkeypatch.undo()
    # The chunks are there: only the result was missing.
    calls = yard.calls()
    exits(0, yard.run, "--retry-failed")
    assert yard.calls() == calls
    assert not trace.exists()


def test_too_little_memory_halves_the_batch(yard, exits):
    exits(0, yard.run, out="whole")
    yard.set(memory=1)
    exits(0, yard.run)
    whole, ours = (next(iter(yard.results(out).values())) for out in ("whole", "out"))
    pick = [(image["id"], image["prediction"]) for image in ours["per_image"]]
    assert pick == [(image["id"], image["prediction"]) for image in whole["per_image"]]
    assert any("the memory was too short" in note for note in ours["notes"])
    assert not any("memory" in note for note in whole["notes"])


def test_not_even_one_image_fits(yard, exits):
    yard.set(memory=0)
    assert "out of memory" in exits(1, yard.run).err


def test_a_change_is_named_and_measured_again(yard, exits):
    exits(0, yard.run)
    count = len(yard.calls())
    assert "numerics.chunk: 3, was 2" in exits(0, yard.run, chunk=3).err
    assert len(yard.calls()) > count
    assert "numerics.chunk" not in exits(0, yard.run, chunk=3).err


def test_changed_data_are_named(yard, signs, exits, save, rng):
    exits(0, yard.run)
    save(signs / "stop" / "0.png", rng.integers(0, 90, (20, 20, 3), dtype="uint8"))
    assert "dataset.sha256" in exits(0, yard.run).err


def test_an_edited_result_is_written_again(yard, exits):
    exits(0, yard.run)
    before, calls = yard.results(), yard.calls()
    (path,) = yard.root.rglob("out/**/*first*/result.json")
    path.write_text(path.read_text().replace('"top1"', '"best"'))
    exits(0, yard.run)
    assert yard.results() == before
    assert yard.calls() == calls


def test_two_evaluators_share_one_enhancement(yard, exits, classifier):
    second = classifier.with_name("second.safetensors")
    second.write_bytes(classifier.read_bytes())
    (task,) = yard.config["tasks"]
    exits(0, yard.run, out="alone")
    alone = sorted(yard.calls())
    yard.log.unlink()
    both = [task, task | {"evaluator_weights": str(second)}]
    assert "6 of 6 cells done" in exits(0, yard.run, tasks=both).out
    assert sorted(yard.calls()) == alone


def test_one_of_two_evaluators_fails(yard, exits, classifier, monkeypatch):
    """The cells of a group stand or fall each by itself."""
    second = classifier.with_name("second.safetensors")
    second.write_bytes(classifier.read_bytes())
    (task,) = yard.config["tasks"]
    both = [task, task | {"evaluator_weights": str(second)}]
    bench = Session.bench

    def some(self, one):
        if "second" in one.cell.task.evaluator_weights:
            raise ValueError("no such luck")
        return bench(self, one)

    monkeypatch.setattr(Session, "bench", some)
    assert "3 of 6 cells done" in exits(1, yard.run, tasks=both).out


@pytest.mark.parametrize("size", [1, 2, 3])
def test_ranks_give_what_one_process_gives(yard, exits, size):
    exits(0, yard.run, out="whole")
    calls = sorted(yard.calls())
    yard.log.unlink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ranks = [yard.start(env={**shared, "RANK": str(r), "LOCAL_RANK": str(r)}) for r in range(size)]
    for process in ranks:
        process.join(60)
        assert process.exitcode == 0
    assert yard.results() == yard.results("whole")
    assert sorted(yard.calls()) == calls


def test_a_rank_that_fails_fails_the_cell_on_both(yard, exits):
    yard.set(broken="second")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ranks = [yard.start(env={**shared, "RANK": str(r), "LOCAL_RANK": str(r)}) for r in range(2)]
    for process in ranks:
        process.join(60)
        assert process.exitcode == 1
    assert [yard.status(n)["state"] for n in ("first", "second", "third")] == [
        "done",
        "failed",
        "done",
    ]


@pytest.fixture
def forked(monkeypatch):
    """Jobs are forked and not spawned, which would import everything again."""
    context = jobs.multiprocessing.get_context("fork")
    monkeypatch.setattr(jobs.multiprocessing, "get_context", lambda kind: context)
    # As in the tests themselves: a result tells its threads.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_fail_fast_ends_the_other_jobs(yard, exits, forked):
    yard.set(broken="first", seconds=0.5)
    assert "0 of 3 cells done" in exits(1, yard.run, "--jobs", "2", "--fail-fast").out
    assert {call.split()[0] for call in yard.calls()} <= {"second"}


def test_jobs(yard, exits, forked):
    exits(0, yard.run, out="whole")
    calls = sorted(yard.calls())
    yard.log.unlink()
    assert "3 of 3 cells done" in exits(0, yard.run, "--jobs", "2").out
    assert yard.results() == yard.results("whole")
    assert sorted(yard.calls()) == calls


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_jobs_take_turns_on_the_gpus(monkeypatch, wanted):
    monkeypatch.setattr(jobs.torch.cuda, "device_count", lambda: 2)
    assert jobs._devices(wanted, 3) == ["cuda:0", "cuda:1", "cuda:0"]
    assert jobs._devices("cpu", 2) == ["cpu", "cpu"]


def test_doctor_looks_at_every_cell(yard, exits):
    yard.command()
    assert "all 3 cells can run" in exits(0, main, ["doctor", str(yard.file)]).out
    assert not (yard.root / "out").exists()
    yard.set(broken="third")
    printed = exits(1, main, ["doctor", str(yard.file)]).out
    assert "the sea is rough" in printed
    assert "fails" in printed


def test_dry_run_tells_and_does_nothing(yard, exits, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    printed = exits(0, yard.run, "--dry-run").out
    assert "3 cells: 0 done, 3 to run" in printed
    assert not (yard.root / "out").exists()
    exits(0, yard.run)
    more = [*yard.config["enhancers"], "gamma@0.7", "lednet@ours-lol"]
    printed = exits(0, yard.run, "--dry-run", enhancers=more).out
    assert "5 cells: 3 done, 1 to run, 1 blocked" in printed
    assert "lednet has no trained weights here" in printed


def test_dry_run_tells_what_a_run_downloads(yard, exits):
    printed = exits(
        0, yard.run, "--dry-run", enhancers=["gamma@0.7", "sci@medium", "lednet@ours-lol"]
    ).out
    (row,) = [line for line in printed.splitlines() if "│ sci@medium" in line]
    assert "to download" in row and "pending" in row
    assert "3 cells: 0 done, 2 to run, 1 blocked" in printed
    assert "time unknown of 2 cells" in printed
    assert "to download, 1 cell: weights 'sci@medium' are not here yet" in printed


def test_an_out_that_cannot_be(yard, capsys):
    (yard.root / "taken").write_text("a file")
    assert yard.run(out="taken") == 2
    assert "Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("device", "message"), [("cuda:0", "leave --device cuda:0 out"), ("gpu", "cannot be used")]
)
def test_jobs_and_a_device_that_cannot_be(yard, capsys, device, message):
    assert yard.run("--jobs", "2", "--device", device) == 2
    assert message in capsys.readouterr().err


def test_a_cache_serves_another_evaluator(yard, exits, classifier, monkeypatch):
    monkeypatch.setattr("pipeline.cache.perf_counter", lambda: 0.0)  # writing costs nothing
    kept = ["--cache", str(yard.root / "kept")]
    second = classifier.with_name("second.safetensors")
    second.write_bytes(classifier.read_bytes())
    (task,) = yard.config["tasks"]
    other = [task | {"evaluator_weights": str(second)}]
    exits(0, yard.run, out="whole", tasks=other)
    exits(0, yard.run, *kept)
    before = yard.calls()
    exits(0, yard.run, *kept, out="cached", tasks=other)
    assert yard.calls() == before
    assert yard.results("cached") == yard.results("whole")
    # Their seconds are those of the enhancer, not of the disk.
    paths = (
        sorted(yard.root.rglob("out/**/result.json")),
        sorted(yard.root.rglob("cached/**/result.json")),
    )
    first, again = ([json.loads(p.read_text())["seconds"]["enhance"] for p in ps] for ps in paths)
    assert first == again
    # An entry has 8 bits: a protocol without them does not use it.
    exits(0, yard.run, *kept, out="float", tasks=[task | {"protocol": "whole-float"}])
    assert len(yard.calls()) > len(before)


def test_a_cache_that_cannot_be(yard, capsys):
    (yard.root / "taken").write_text("a file")
    assert yard.run("--cache", str(yard.root / "taken")) == 2
    assert "cannot be written" in capsys.readouterr().err
