"""`dagger bench`: the sets in conf/bench/, the sweeps that they start, and wrong words."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest
import yaml

from dagger_cli.config.bench import bench_names, read_bench
from dagger_cli.config.options import options
from tests.e2e.running import dagger

from .fake_runs import make_sweep

SMALL = """\
# Two tasks.
trainers: [sup, dagger]
seeds: [0, 1]
tasks:
  one: [env=cartpole, rounds=2]
  two: [env=pendulum]
"""


@pytest.mark.parametrize("name", bench_names())
@pytest.mark.slow
def test_trainers_of_a_set_exist_and_its_tasks_compose(name, tmp_path):
    bench = read_bench(name)
    assert set(bench.trainers) <= set(options()["trainer"]) and len(bench.seeds) == 5
    for task, words in bench.tasks.items():
        done = dagger("train", *words, "--cfg", "job", cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), task
        config = yaml.safe_load(done.out)
        labels = config["labels"] or config["rounds"] * config["steps_per_round"]
        assert 64_000 >= labels > 0 and config["rounds"] <= 20


@pytest.fixture
def started(tmp_path, monkeypatch):
    """The command lines of the sweeps, which are not run but leave runs."""
    (tmp_path / "small.yaml").write_text(SMALL)
    lines = []

    def run(command, **_):
        lines.append(command[3:])
        folder = tmp_path / command[-1].partition("=")[2]
        if "bad=1" in command or "failing=1" in command:
            make_sweep(folder, {"sup": [1]}) if "failing=1" in command else None
            return SimpleNamespace(returncode=2)
        if not folder.exists():
            make_sweep(folder, {"sup": [97, 98], "dagger": [99, 95]}, env=folder.name)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("dagger_cli.commands.report.report", lambda *_: lines.append("report"))
    return lines


def test_a_task_is_a_sweep_in_a_folder_of_its_own(tmp_path, started):
    words = ("add=mine,sup", "policy.sizes=[8]", "--config-dir", "conf")
    assert dagger("bench", "small.yaml", *words, cwd=tmp_path).code == 0
    more = ["trainer=sup,dagger,mine", "seed=0,1", "policy.sizes=[8]", "--config-dir", "conf"]
    one, two = ([f"hydra.sweep.dir=outputs/bench/small/{name}"] for name in ("one", "two"))
    assert started == [
        ["train", "-m", "env=cartpole", "rounds=2", *more, *one],
        ["train", "-m", "env=pendulum", *more, *two],
        "report",
    ]


def test_a_part_of_a_set(tmp_path, started):
    words = ("tasks=two", "trainers=lols", "seeds=7")
    assert dagger("bench", "small.yaml", *words, cwd=tmp_path).code == 0
    assert [line[2:5] for line in started[:-1]] == [["env=pendulum", "trainer=lols", "seed=7"]]


def test_failed_jobs_set_the_exit_code_and_do_not_stop_the_tasks(tmp_path, started):
    assert dagger("bench", "small.yaml", "failing=1", cwd=tmp_path).code == 2
    assert len(started) == 3 and started[-1] == "report"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("small.yaml bad=1", "one was not started, see above"),
        ("small.yaml tasks=three", "there is no task 'three' (one, two)"),
        ("nope", "there is no set nope of tasks (all, views, or the path of a .yaml file)"),
        ("none.yaml", "there is no set none.yaml of tasks"),
        ("broken.yaml", "broken.yaml must have lists `trainers` and `seeds`, and `tasks`"),
        ("folder.yaml", "the task '../x' cannot be the name of a folder"),
    ],
)
def test_bad_words_end_in_a_sentence(tmp_path, started, words, sentence):
    (tmp_path / "broken.yaml").write_text("trainers: sup\n")
    (tmp_path / "folder.yaml").write_text(SMALL.replace("two:", "../x:"))
    done = dagger("bench", *words.split(), cwd=tmp_path)
    assert done.code == 2 and sentence in done.err and len(done.err.splitlines()) == 1
    assert "report" not in started


@pytest.mark.slow
def test_a_bench_that_is_given_again_repeats_no_job(tmp_path):
    pytest.importorskip("matplotlib", reason="the extra report is not installed")
    words = ("tasks=cartpole", "trainers=sup,dagger", "seeds=0", "rounds=2", "labels=200")
    first = dagger("bench", *words, cwd=tmp_path)
    assert first.code == 0
    page = tmp_path / "outputs/bench/all/report/report.md"
    assert "2 runs: 2 finished." in page.read_text()
    job = tmp_path / "outputs/bench/all/cartpole/0_sup_seed0/job.json"
    before = job.stat().st_mtime_ns, json.loads(job.read_text())
    assert dagger("bench", *words, "add=smile", cwd=tmp_path).code == 0
    assert (job.stat().st_mtime_ns, json.loads(job.read_text())) == before
    assert "3 runs: 3 finished." in page.read_text()
