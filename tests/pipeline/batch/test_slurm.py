"""Batches as jobs, by submitit's executors for this machine and by its SLURM one."""

import os
import signal
from pathlib import Path

import pytest
import submitit

import pipeline
from pipeline.batch import slurm
from pipeline.batch.schema import SLURM


@pytest.fixture
def on(monkeypatch):
    """on(cluster): jobs run as submitit's "local" or "debug" has them."""

    def choose(cluster):
        def made(out, asked):
            executor = submitit.AutoExecutor(out / "slurm", cluster=cluster)
            # From two minutes, submitit's default, its signal of the end comes after 90 s.
            executor.update_parameters(timeout_min=30)
            return executor

        monkeypatch.setattr(slurm, "new_executor", made)
        monkeypatch.setenv("PYTHONPATH", str(Path(pipeline.__file__).parents[1]))
        # As in the tests themselves: a result tells its threads.
        monkeypatch.setenv("OMP_NUM_THREADS", "1")

    return choose


@pytest.fixture
def login_node(tmp_path, monkeypatch):
    """A folder in PATH with a `srun`, and a `sbatch` that keeps what it gets and refuses it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    refuse = f'cp "$1" {tmp_path}/submitted\necho "sbatch: error: invalid partition" >&2\nexit 1\n'
    for name, text in (("srun", ""), ("sbatch", refuse)):
        (folder / name).write_text("#!/bin/sh\n" + text)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def test_a_job_goes_on_after_a_kill_and_after_a_requeue(yard, exits, on):
    two = yard.config["enhancers"][:2]
    exits(0, yard.run, out="whole", enhancers=two[:1])
    calls = yard.calls()
    yard.log.unlink()
    on("local")
    yard.set(first=signal.SIGKILL.value, broken="second")
    printed = exits(1, yard.run, "--launcher", "slurm", enhancers=two)
    assert "2 jobs submitted" in printed.err
    assert "the sea is rough" in printed.err
    assert "0 of 2 cells done" in printed.out
    assert yard.status("first")["state"] == "running"  # as the dead process left it
    # By this one submitit has a job requeued. The cell that failed is no job again.
    yard.set(first=signal.SIGUSR2.value)
    assert "1 job submitted" in exits(1, yard.run, "--launcher", "slurm", enhancers=two).err
    assert yard.results() == yard.results("whole")
    # Either signal met a chunk at its first call; nothing was done twice.
    assert yard.calls() == calls


def test_fail_fast_cancels_the_other_jobs(yard, exits, on):
    on("debug")
    yard.set(broken="first")
    assert "0 of 3 cells done" in exits(1, yard.run, "--launcher", "slurm", "--fail-fast").out
    assert not yard.calls()


def test_cells_that_share_their_images_are_one_job(yard, exits, on, classifier):
    second = classifier.with_name("second.safetensors")
    second.write_bytes(classifier.read_bytes())
    (task,) = yard.config["tasks"]
    both = [task, task | {"evaluator_weights": str(second)}]
    on("debug")
    printed = exits(0, yard.run, "--launcher", "slurm", tasks=both)
    assert "6 of 6 cells done" in printed.out
    assert "3 jobs submitted" in printed.err


def test_what_sbatch_gets(yard, capsys, login_node):
    """Every key of `slurm`, and SLURM's word in one line where it refuses."""
    values = {"setup": ["module load cuda"], "additional_parameters": {"licenses": "matlab"}}
    asked = {
        key: values.get(key) or (f"a-{key}" if kind == "text" else 7) for key, kind in SLURM.items()
    }
    assert yard.run("--launcher", "slurm", slurm=asked) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "pipeline: error: sbatch refuses the jobs (sbatch: error: invalid partition)"
    script = (yard.root / "submitted").read_text()
    flags = {line.removeprefix("#SBATCH --") for line in script.splitlines() if "#SBATCH" in line}
    assert flags >= {
        *(f"{key}=a-{key}" for key in ("partition", "account", "qos", "constraint", "gres")),
        *("time=7", "gpus-per-node=7", "cpus-per-task=7", "mem=7GB", "nodes=7"),
        *("ntasks-per-node=7", "array=0-2%3", "licenses=matlab", "job-name=pipeline-out"),
    }
    assert "\nmodule load cuda\n" in script
    assert "srun" in script.splitlines()[-1] and "--cpus-per-task=7" in script.splitlines()[-1]


@pytest.mark.parametrize(
    ("more", "changes", "message"),
    [
        ([], {}, "needs `slurm` in the config, e.g. slurm: {partition: gpu"),
        (["--jobs", "2"], {"slurm": {"timeout_min": 5}}, "leave --jobs and torchrun out"),
    ],
)
def test_what_is_missing(yard, capsys, login_node, more, changes, message):
    assert yard.run("--launcher", "slurm", *more, **changes) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_no_sbatch(yard, capsys, login_node, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert yard.run("--launcher", "slurm", slurm={"timeout_min": 5}) == 2
    assert "no sbatch here" in capsys.readouterr().err


def test_no_submitit(yard, capsys, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "submitit", None)
    assert yard.run("--launcher", "slurm", slurm={"timeout_min": 5}) == 2
    assert "pip install 'llie-pipeline[slurm]'" in capsys.readouterr().err
