"""Sweeps: results, errors and progress come from the jobs' folders, whatever launches them."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.sweeps.job_file import FAILED, FINISHED, Job, jobs_in, read_job, write_job
from dagger_cli.sweeps.results import sum_up
from dagger_cli.sweeps.sweep_file import safe

from .running import TINY, dagger, differences

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


def sweep_in(cwd: Path) -> Path:
    (found,) = cwd.glob("outputs/*/*/sweep.yaml")
    return found.parent


def statuses(sweep: Path) -> dict[str, str]:
    return {job.folder.name: job.status for job in jobs_in(sweep)}


def rows(sweep: Path) -> list[dict[str, str]]:
    with (sweep / "sweep.csv").open() as file:
        return [*csv.DictReader(file)]


@pytest.mark.slow
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
    assert re.findall(r"^job (\d)/3  n_envs=(\d)  (\w+)", done.stdout, re.M) == [
        ("1", "0", "failed"), ("2", "1", "return"), ("3", "2", "return"),
    ]  # fmt: skip
    sweep = sweep_in(tmp_path)
    best = [json.loads(p.read_text())["best"] for p in sorted(sweep.glob("*/summary.json"))]
    objectives = re.findall(r"^objective (.*)$", done.stdout, re.M)
    assert objectives == ["None", *(str(one["validation_mean"]) for one in best)]


def test_the_folder_of_a_sweep(tmp_path):
    words = ("trainer=sup,dagger", "n_envs=1,0", "regret=false", "policy.weight_decay=0.0")
    done = dagger("train", "-m", *ONE, *words, cwd=tmp_path)
    assert done.code == 2
    sweep = sweep_in(tmp_path)
    assert re.fullmatch(
        r"outputs/cartpole/[\d-]+_[\d-]+_trainer_n_envs", str(sweep)[len(str(tmp_path)) + 1 :]
    )
    assert statuses(sweep) == {
        "0_sup_seed0": FINISHED, "1_sup_seed0": FAILED,
        "2_dagger_seed0": FINISHED, "3_dagger_seed0": FAILED,
    }  # fmt: skip
    assert re.findall(r"^job 1/4  (.*?)  return", done.out, re.M) == ["trainer=sup n_envs=1"]
    table = rows(sweep)
    assert [*table[0]][:3] == ["job", "trainer", "n_envs"]
    assert [*table[0]][3] == "status"
    assert [(r["trainer"], r["n_envs"], r["status"]) for r in table] == [
        ("sup", "1", FINISHED), ("sup", "0", FAILED),
        ("dagger", "1", FINISHED), ("dagger", "0", FAILED),
    ]  # fmt: skip
    mean = json.loads((sweep / "0_sup_seed0" / "summary.json").read_text())["student"]["mean"]
    assert float(table[0]["return"]) == mean and table[0]["labels"] == "100"
    assert table[1]["error"] == "n_envs must be at least 1, got 0"
    assert "round 1/1" in (sweep / "0_sup_seed0" / "console.log").read_text()


@pytest.mark.slow
def test_sweeps_of_the_same_second_have_folders_of_their_own(tmp_path):
    words = ("train", "-m", *ONE, "seed=0")
    option = tmp_path / "mine" / "experiment" / "one.yaml"
    option.parent.mkdir(parents=True)
    option.write_text("# @package _global_\nhydra:\n  sweep:\n    dir: outputs/same\n")
    for _ in range(2):
        assert dagger(*words, "--config-dir", "mine", "experiment=one", cwd=tmp_path).code == 0
    assert {path.name for path in (tmp_path / "outputs").iterdir()} == {"same", "same_2"}


@pytest.mark.slow
def test_jobs_with_one_folder_get_folders_beside(tmp_path):
    done = dagger("train", "-m", *ONE, "seed=0,1", "hydra.sweep.subdir=same", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert statuses(sweep_in(tmp_path)) == {"same": FINISHED, "same_2": FINISHED}


@pytest.mark.slow
def test_a_sweep_of_environments(tmp_path):
    words = [word for word in ONE if not word.startswith(("env", "expert"))]
    choices = ("env=cartpole,mountaincar", "expert=bundled,heuristic")
    done = dagger("train", "-m", *words, *choices, "evaluation.episodes=1", cwd=tmp_path)
    assert done.code == 2  # no bundled expert for one, no heuristic for another
    assert (tmp_path / "outputs" / "mixed").is_dir()


@pytest.mark.slow
def test_everything_in_a_group(tmp_path):
    done = dagger("train", "-m", *ONE, "trainer=glob(s*,exclude=se*)", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    names = {name.partition("_")[2] for name in statuses(sweep_in(tmp_path))}
    assert names == {"safe_dagger_seed0", "smile_seed0", "sup_seed0"}


# ---- resume


@pytest.mark.slow
def test_a_sweep_goes_on_where_it_was_killed(tmp_path):
    """kill -9 in the second job, then resumed: equal to one that was never interrupted."""
    words = ["train", "-m", *TINY, "rounds=12", "seed=0,1"]
    whole = dagger(*words, "hydra.sweep.dir=whole", cwd=tmp_path)
    assert whole.code == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "dagger_cli", *words], cwd=tmp_path, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    second = "outputs/cartpole/*/1_dagger_seed1/checkpoints/round_0003"
    deadline = time.monotonic() + 100
    while not [*tmp_path.glob(second)] and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    sweep = sweep_in(tmp_path)
    assert statuses(sweep) == {"0_dagger_seed0": FINISHED, "1_dagger_seed1": "running"}
    first = (sweep / "0_dagger_seed0" / "summary.json").stat().st_mtime_ns
    done = dagger("train", "-m", f"resume={sweep}", cwd=tmp_path)
    assert (done.code, done.err) == (0, "") and "1 jobs have ended before" in done.out
    assert (sweep / "0_dagger_seed0" / "summary.json").stat().st_mtime_ns == first
    assert whole.out.partition("\nreturn")[2] == done.out.partition("\nreturn")[2]
    for run in statuses(sweep):
        assert differences(sweep / run, tmp_path / "whole" / run) == []


@pytest.mark.slow
def test_what_failed_is_repeated_if_asked(tmp_path):
    words = ("train", "-m", *ONE, "expert=path", "expert.path=later", "seed=0,1")
    assert dagger(*words, cwd=tmp_path).code == 2
    sweep = sweep_in(tmp_path)
    made = dagger("expert", "convert", "env=cartpole", "expert=bundled", "out=later", cwd=tmp_path)
    assert made.code == 0, made.err
    again = dagger("train", f"resume={sweep}", cwd=tmp_path)
    assert again.code == 2 and set(statuses(sweep).values()) == {FAILED}
    done = dagger("train", "-m", f"resume={sweep}", "retry=true", cwd=tmp_path)
    assert (done.code, done.err) == (0, "") and set(statuses(sweep).values()) == {FINISHED}


@pytest.mark.slow
def test_a_resumed_sweep_can_be_extended(tmp_path):
    assert dagger("train", "-m", *ONE, "seed=0,1", cwd=tmp_path).code == 0
    sweep = sweep_in(tmp_path)
    done = dagger("train", "-m", f"resume={sweep}", "seed=2,1,0", cwd=tmp_path)
    assert done.code == 0 and re.findall(r"^job.* seed=(\d)", done.out, re.M) == ["2"]
    assert [row["seed"] for row in rows(sweep)] == ["0", "2", "1"]
    words = yaml.safe_load((sweep / "sweep.yaml").read_text())["words"]
    assert "seed=2,1,0" in words and "seed=0,1" not in words


@pytest.mark.slow
def test_equal_jobs_run_once(tmp_path):
    done = dagger("train", "-m", *ONE, "seed=0,0,1", cwd=tmp_path)
    assert done.code == 0 and len(statuses(sweep_in(tmp_path))) == 2


def test_the_folder_chooses_neither_code_nor_servers(tmp_path):
    assert dagger("train", "-m", *ONE, "seed=0,1", cwd=tmp_path).code == 0
    sweep = sweep_in(tmp_path)
    saved = yaml.safe_load((sweep / "sweep.yaml").read_text())
    evil = "+hydra.callbacks.a._target_=os.abort"
    (sweep / "sweep.yaml").write_text(yaml.safe_dump({**saved, "words": [*saved["words"], evil]}))
    done = dagger("train", "-m", f"resume={sweep}", cwd=tmp_path)
    assert done.code == 2 and f"was started with {evil}, which a folder must not choose" in done.err


@pytest.mark.parametrize(
    "word",
    [
        "trust=[x]", "logger=wandb", "+logger.a.b=1", "logger@hydra.callbacks.x=csv",
        "env._target_=a.B", "env.id=mod:Env-v0", "env.imports=x", "expert.target=a.b",
        "hydra.searchpath=[x]", "hydra.run.dir=/x", "hydra/launcher=own",
        "hydra.launcher.n_jobs=${oc.env:A}",
        "expert.repo_id=x/${oc.env:KEY}", "--config-dir=x", "hydra.sweeper.storage=postgres://x",
    ],
)  # fmt: skip
def test_words_that_must_be_typed_again(word):
    assert not safe(word)


@pytest.mark.parametrize(
    "word",
    ["env=cartpole", "env.id=CartPole-v1", "seed=0,1", "hydra/launcher=joblib", "~policy.x",
     "hydra.launcher.n_jobs=2", "hydra/sweeper=optuna", "hydra.sweeper.n_trials=3",
     "experiment=walker"],
)  # fmt: skip
def test_words_that_may_come_from_a_folder(word):
    assert safe(word)


def test_retry_needs_a_sweep(tmp_path):
    done = dagger("train", *ONE, "retry=true", cwd=tmp_path)
    assert done.code == 2 and "retry=true has no effect without resume=" in done.err
    run = dagger("train", *ONE, "hydra.run.dir=run", cwd=tmp_path)
    assert run.code == 0
    wrong = dagger("train", "-m", "resume=run", cwd=tmp_path)
    assert wrong.code == 2 and "run is one run: resume it without --multirun" in wrong.err


# ---- what is shown


@pytest.mark.slow
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
    jobs = [Job(i, ("a=1", f"b={i}"), tmp_path, FAILED, error="no") for i in range(n)]
    with pytest.raises(ConfigError, match="^no$" if n == 1 else "^job b=0 failed: no$"):
        sum_up(jobs)


def test_a_job_without_an_end_is_named(tmp_path):
    jobs = [Job(i, (f"b={i}",), tmp_path) for i in range(2)]
    with pytest.raises(ConfigError, match=r"^job b=0 failed: its process ended without a result"):
        sum_up(jobs)


def test_the_same_values_twice_are_two_rows(capsys, tmp_path):
    score = {"mean": 1.0, "std": 0.0, "min": 1.0, "max": 1.0, "failures": 0, "episodes": 2}
    sum_up([Job(i, ("lr=1",), tmp_path, FINISHED, score | {"per_step": 1.0}) for i in range(2)])
    assert re.findall(r"^(#\d)", capsys.readouterr().out, re.M) == ["#0", "#1"]


def test_what_a_job_writes_is_what_is_read(tmp_path):
    score = {"mean": 1.0, "std": 0.0, "min": 1.0, "max": 1.0, "failures": 0, "episodes": 2}
    job = Job(
        3, ("a=1", "b='x=y'"), tmp_path / "j", FINISHED, score | {"per_step": 1.0}, notes=("n",)
    )
    write_job(job)
    assert read_job(tmp_path / "j") == job and jobs_in(tmp_path) == [job]
    assert read_job(tmp_path) is None and job.does(["b='x=y'", "a=1"])


@pytest.mark.parametrize("text", ["", "[]", '{"number": 1}', "nan", "[" * 10000])
def test_a_damaged_job_file(text, tmp_path):
    (tmp_path / "job.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"job\.json cannot be read"):
        read_job(tmp_path)


def test_optuna_maximizes_returns(tmp_path):
    from dagger_cli.cli.command_line import parse
    from dagger_cli.cli.hydra_app import completed_line

    line = completed_line(parse("train", ["-m", "hydra/sweeper=optuna", "env=cartpole"]))
    assert line.text_of("hydra.sweeper.direction") == "maximize"
    own = completed_line(parse("train", ["hydra/sweeper=optuna", "hydra.sweeper.direction=min"]))
    assert own.text_of("hydra.sweeper.direction") == "min"


@pytest.mark.slow
def test_a_sweep_of_evaluations_reads_the_files_too(tmp_path):
    assert dagger("train", *ONE, "hydra.run.dir=run", cwd=tmp_path).code == 0
    before = sorted(tmp_path.iterdir())
    done = dagger("eval", "-m", "checkpoint=run", "episodes=1,0,2", cwd=tmp_path)
    assert done.code == 2 and "job episodes=0 failed: episodes must be at least 1" in done.err
    assert re.findall(r"^episodes=(\d)", done.out, re.M) == ["1", "2"]
    assert sorted(tmp_path.iterdir()) == before


def test_a_plugin_that_cannot_be_imported(tmp_path):
    (tmp_path / "hydra_plugins").mkdir()
    (tmp_path / "hydra_plugins" / "broken.py").write_text("raise ValueError('no default')")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "dagger_cli", "train", "-m", *ONE, "seed=0,1"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "dagger: the installed plug-in of Hydra hydra_plugins.broken cannot be imported "
        "(ValueError: no default): upgrade or uninstall it\n"
    )
