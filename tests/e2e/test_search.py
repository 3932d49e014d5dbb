"""Search with Optuna: objectives, the search space, pruning, resuming."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from dagger_cli.commands.objective import objective_of
from dagger_cli.core.errors import ConfigError
from dagger_cli.hydra_plugins.search_space import parsed
from dagger_cli.report.measures import area
from dagger_cli.sweeps.job_file import FINISHED, PRUNED, jobs_in

from .running import TINY, dagger, differences, metrics

pytestmark = pytest.mark.slow  # each search trains several runs

SEARCH = (
    "train", "-m", *(word for word in TINY if not word.startswith("policy")), "rounds=6",
    "steps_per_round=60", "hydra/sweeper=optuna", "policy.sizes=[16],[8,8]",
    "policy.learning_rate=tag(log,interval(1e-5,1e-2))", "policy.gradient_steps=range(2,40,2)",
)  # fmt: skip


def sweep_in(cwd: Path) -> Path:
    (found,) = cwd.glob("outputs/*/*/sweep.yaml")
    return found.parent


def tried(sweep: Path) -> list[tuple[tuple[str, ...], str, float | None]]:
    return [(tuple(sorted(job.words)), job.status, job.objective) for job in jobs_in(sweep)]


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Path:
    cwd = tmp_path_factory.mktemp("search")
    words = ("hydra.sweeper.n_trials=7", "objective=labels_to_95", "hydra/sweeper/pruner=median")
    done = dagger(*SEARCH, *words, "hydra.sweeper.pruner.n_startup_trials=2", cwd=cwd)
    assert (done.code, done.err) == (0, ""), done.err
    assert "\nbest   policy.sizes=" in done.out
    return sweep_in(cwd)


def test_the_best_trial_has_the_lowest_objective(searched):
    found = yaml.safe_load((searched / "optimization_results.yaml").read_text())
    ended = [job for job in jobs_in(searched) if job.status == FINISHED]
    best = min(ended, key=lambda job: job.objective)
    assert found["best_value"] == best.objective
    assert {f"{key}={value}" for key, value in found["best_params"].items()} <= set(best.words)


def test_the_objective_is_where_the_validation_reaches_the_expert(searched):
    for job in jobs_in(searched):
        rows = metrics(job.folder)
        reached = [row["train/labels"] for row in rows if row["eval/return_mean"] >= 0.95 * 60]
        if job.status == FINISHED and reached:
            assert job.objective == reached[0]
        elif job.status == FINISHED:
            top = max(row["eval/return_mean"] for row in rows)
            assert job.objective == pytest.approx(360 * (1 + 0.95 - top / 60))


def test_jobs_behind_the_others_end_early(searched):
    pruned = [job for job in jobs_in(searched) if job.status == PRUNED]
    assert pruned and all(len(metrics(job.folder)) < 6 for job in pruned)
    assert all("validation return" in job.error for job in pruned)


@pytest.mark.slow
def test_a_search_is_resumed(searched, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(searched, copy, symlinks=True)
    jobs = jobs_in(copy)
    for job in jobs[3:]:
        shutil.rmtree(job.folder)
    again = ("hydra.sweeper.pruner.n_startup_trials=2",)
    done = dagger("train", "-m", f"resume={copy}", *again, cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert tried(copy) == tried(searched)
    for job in jobs_in(searched):
        if job.status == FINISHED:
            assert differences(job.folder, copy / job.folder.name) == []


@pytest.mark.slow
def test_a_shared_storage(tmp_path):
    words = ("hydra.sweeper.storage=journal:///study.log", "hydra.sweeper.n_trials=2")
    for name in ("a", "b"):
        done = dagger(*SEARCH, *words, f"hydra.sweep.dir={name}", cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    lines = [json.loads(line) for line in (tmp_path / "study.log").read_text().splitlines()]
    assert sum("trial_id" in line and "values" in line for line in lines) == 4
    done = dagger("train", "-m", "resume=a", words[0], cwd=tmp_path)
    assert done.code == 0 and len(jobs_in(tmp_path / "a")) == 2  # nothing is left to run


@pytest.mark.slow
def test_a_search_named_in_conf(tmp_path):
    small = [w for w in TINY if not w.startswith(("env=", "policy", "expert"))]
    words = ("hparams_search=bipedal", *small, "rounds=1", "hydra.sweeper.n_trials=1")
    done = dagger("train", *words, "env.max_episode_steps=20", "expert=bundled", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    (job,) = jobs_in(sweep_in(tmp_path))
    assert {word.partition("=")[0] for word in job.words} >= {
        "policy.learning_rate", "policy.gradient_steps", "policy.sizes", "beta_schedule.over",
    }  # fmt: skip


def test_the_search_space():
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    words = [
        "a=1", "b=interval(0,1)", "b=interval(0.0,1)", "c=tag(log,interval(1e-4,1e-2))",
        "d=range(2,10,4)", "e=x,y", "f=[1],[2,3]", "a=2", "g=int(interval(1,8))",
    ]  # fmt: skip
    space, fixed = parsed(words)
    assert fixed == ["a=2"]
    assert dict(space) == {
        "b": FloatDistribution(0.0, 1.0),
        "c": FloatDistribution(1e-4, 1e-2, log=True),
        "d": IntDistribution(2, 6, step=4),
        "e": CategoricalDistribution(["x", "y"]),
        "f": CategoricalDistribution(["[1]", "[2,3]"]),
        "g": IntDistribution(1, 8),
    }
    with pytest.raises(ConfigError, match="searches over nothing"):
        parsed(["a=1"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("objective=speed",), "objective must be one of return, labels_to_95, auc; got"),
        (("objective=auc", "validation.episodes=0"), "set validation.episodes above 0"),
        (("objective=auc", "logger=console"), "add jsonl to logger"),
        (("hydra.sweeper.direction=up",), "direction must be minimize or maximize, got 'up'"),
        (("hydra/sweeper/sampler=random", "hydra.sweeper.sampler.seed=x"), "Optuna refuses"),
        (("hydra.sweeper.storage=nope://x",), "Optuna refuses hydra.sweeper"),
        (("hydra.sweeper.max_failure_rate=0.5", "n_envs=0"), "n_envs must be at least 1, got 0"),
    ],
)
def test_wrong_values(words, sentence, tmp_path):
    done = dagger(*SEARCH, "hydra.sweeper.n_trials=1", *words, cwd=tmp_path)
    assert done.code == 2 and sentence in done.err


def test_the_mean_return_over_the_labels(tmp_path):
    rows = [{"round": i, "train/labels": 10 * i, "eval/return_mean": float(i)} for i in (1, 2, 4)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    value = objective_of(SimpleNamespace(objective="auc"), tmp_path, best=4.0)
    assert value == area(np.array([10, 20, 40]), np.array([1.0, 2.0, 4.0])) == 2.5
