"""Choice of the backend in a run; runs with EnvPool repeat and resume bit for bit."""

import json
import sys

import pytest
import yaml

from .running import dagger, differences, train

pytest.importorskip("envpool", reason="EnvPool is not installed")

WALKER = (
    *("env=bipedal", "n_envs=3", "steps_per_round=120", "env.max_episode_steps=70"),
    *("validation.episodes=2", "evaluation.episodes=2", "beta=exponential"),
)


def backend(run):
    return yaml.safe_load((run / "config.yaml").read_text())["env"]["backend"]


def test_threads_change_nothing_and_resumed_equals_uninterrupted(tmp_path):
    whole = train(*WALKER, "env.workers=0", cwd=tmp_path, run="whole")
    half = train(*WALKER, "env.workers=2", "rounds=2", cwd=tmp_path, run="half")
    assert dagger("train", "resume=half", "rounds=3", cwd=tmp_path).code == 0
    assert differences(whole, half) == []
    assert backend(whole) == backend(half) == "envpool"
    assert "envpool" in json.loads((whole / "versions.json").read_text())["packages"]


def test_backends_are_different_runs_of_the_same_size(tmp_path):
    a, b = (
        train(f"env.backend={name}", cwd=tmp_path, run=name) for name in ("gymnasium", "envpool")
    )
    assert (backend(a), backend(b)) == ("gymnasium", "envpool")
    assert "aggregate" in differences(a, b)
    usage = [json.loads((run / "summary.json").read_text())["spent"] for run in (a, b)]
    assert usage[0] == usage[1]


def test_where_envpool_is_missing_runs_evaluate_but_do_not_resume(tmp_path, monkeypatch):
    run = train(cwd=tmp_path)
    student = json.loads((run / "summary.json").read_text())["student"]
    for name in [name for name in sys.modules if name.partition(".")[0] == "envpool"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "envpool", None)
    assert dagger("eval", "checkpoint=run", "json=s.json", cwd=tmp_path).code == 0
    # The final table is played in Gymnasium, whoever trained: the scores are the same to the bit.
    assert json.loads((tmp_path / "s.json").read_text())["mean"] == student["mean"]
    exported = dagger("export", "checkpoint=run", "format=sb3", "path=a.zip", cwd=tmp_path)
    assert (exported.code, exported.err) == (0, "")
    done = dagger("train", "resume=run", "rounds=4", cwd=tmp_path)
    assert done.code == 2 and "EnvPool cannot be loaded" in done.err
