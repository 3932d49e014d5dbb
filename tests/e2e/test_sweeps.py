"""Sweeps: results and errors come from files of the jobs, whatever launches them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from dagger_cli.cli.jobs import Job, Task, recorded, records, sum_up
from dagger_cli.core.errors import ConfigError

from .running import TINY, dagger

# Runs every job in a forked process, as joblib and submitit do, and then looks at the objective.
LAUNCHER = """
import os, pickle
from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.config_store import ConfigStore

class Apart(BasicLauncher):
    def launch(self, job_overrides, initial_job_idx):
        runs = []
        for i, overrides in enumerate(job_overrides):
            read, write = os.pipe()
            if os.fork() == 0:
                (done,) = super().launch([overrides], initial_job_idx + i)
                with os.fdopen(write, "wb") as pipe:
                    pickle.dump(done.return_value, pipe)
                os._exit(0)
            os.close(write)
            with os.fdopen(read, "rb") as pipe:
                print("objective", pickle.load(pipe))
            os.wait()
        return runs

target = "hydra_plugins.apart.Apart"
ConfigStore.instance().store(group="hydra/launcher", name="apart", node={"_target_": target})
"""
ONE = (*TINY, "rounds=1")


def test_another_launcher_keeps_results_failures_and_objectives(tmp_path):
    (tmp_path / "hydra_plugins").mkdir()
    (tmp_path / "hydra_plugins" / "apart.py").write_text(LAUNCHER)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    words = ("train", "-m", *ONE, "hydra/launcher=apart", "n_envs=0,1,2")
    done = subprocess.run(
        [sys.executable, "-m", "dagger_cli", *words],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "dagger: job n_envs=0 failed: n_envs must be at least 1, got 0\n"
    assert re.findall(r"^n_envs=(\d) ", done.stdout, re.M) == ["1", "2"]
    runs = sorted((tmp_path / "outputs" / "cartpole" / "dagger").iterdir())
    best = [json.loads((run / "summary.json").read_text())["best"] for run in runs]
    objectives = re.findall(r"^objective (.*)$", done.stdout, re.M)
    assert objectives == ["None", *(str(one["validation_mean"]) for one in best)]
    assert not [*(tmp_path / "outputs").glob(".jobs_*")]


def test_jobs_started_together_get_a_folder_beside(tmp_path):
    """As in two sweeps of the same second, both jobs have the same folder."""
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    option = "# @package _global_\nhydra:\n  sweep:\n    subdir: same\n"
    (tmp_path / "mine" / "experiment" / "one.yaml").write_text(option)
    words = ("train", "-m", *ONE, "seed=0,1")
    done = dagger(*words, "--config-dir", "mine", "experiment=one", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    runs = [path.parent.name for path in (tmp_path / "outputs").rglob("summary.json")]
    assert sorted(runs) == ["same", "same_2"]
    chosen = dagger(*words, "hydra.sweep.subdir=same", cwd=tmp_path)
    assert chosen.code == 2 and "outputs/same already holds a run" in chosen.err


def test_a_note_is_shown_once_a_sweep(tmp_path):
    words = ("train", "-m", *ONE, "trainer=sup", "beta.over=5", "seed=0,1")
    done = dagger(*words, cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("note: 'beta_schedule.over=5' has no effect") == 1


def test_a_bug_in_a_job_is_shown_with_its_traceback(tmp_path, monkeypatch):
    from dagger_cli.commands import train as command

    monkeypatch.setattr(command, "versions", lambda: 1 / 0)
    with pytest.raises(RuntimeError, match=r"(?s)job seed=0 failed:.*ZeroDivisionError"):
        dagger("train", "-m", *TINY, "seed=0,1", cwd=tmp_path)


@pytest.mark.parametrize("n", [1, 2])
def test_one_job_of_a_sweep_needs_no_name(n, tmp_path):
    jobs = [Job(i, ("a=1", f"b={i}"), error="no") for i in range(n)]
    with pytest.raises(ConfigError, match="^no$" if n == 1 else "^job b=0 failed: no$"):
        sum_up(jobs)


def test_the_same_values_twice_are_two_rows(capsys):
    score = {"mean": 1.0, "std": 0.0, "min": 1.0, "max": 1.0, "failures": 0, "episodes": 2}
    sum_up([Job(i, ("lr=1",), score | {"per_step": 1.0}) for i in range(2)])
    assert re.findall(r"^(#\d|lr=1 #\d| ?#\d)", capsys.readouterr().out, re.M)


def test_records_leave_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with records(tmp_path / "outputs") as folder:
        assert not folder.exists() and recorded(folder) == []
        folder.mkdir(parents=True)
        (folder / "0.json").write_text(json.dumps(Job(0, ("a=1",))._asdict()))
        assert recorded(folder) == [Job(0, ("a=1",))]
    assert not [*tmp_path.iterdir()]


def test_the_task_of_a_sweep_can_be_sent_to_other_processes():
    import pickle
    from pathlib import Path

    task = Task("train", Path("x"))
    assert pickle.loads(pickle.dumps(task)) == task


def test_optuna_maximizes_returns(tmp_path):
    from dagger_cli.cli.command_line import parse
    from dagger_cli.cli.hydra_app import completed_line

    line = completed_line(parse("train", ["-m", "hydra/sweeper=optuna", "env=cartpole"]))
    assert line.text_of("hydra.sweeper.direction") == "maximize"
    own = completed_line(parse("train", ["hydra/sweeper=optuna", "hydra.sweeper.direction=min"]))
    assert own.text_of("hydra.sweeper.direction") == "min"


def test_a_sweep_of_evaluations_reads_the_files_too(tmp_path):
    assert dagger("train", *ONE, "hydra.run.dir=run", cwd=tmp_path).code == 0
    before = sorted(tmp_path.iterdir())
    done = dagger("eval", "-m", "checkpoint=run", "episodes=1,0,2", cwd=tmp_path)
    assert done.code == 2 and "job episodes=0 failed: episodes must be at least 1" in done.err
    assert re.findall(r"^episodes=(\d)", done.out, re.M) == ["1", "2"]
    assert sorted(tmp_path.iterdir()) == before
    config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert config["best"] == "return" and config["evaluation"]["expert"] is True
