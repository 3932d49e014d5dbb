"""Runs whose aggregate is in compact rows: resumed, exported, and the same as with arrays."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from safetensors.numpy import load_file

from dagger_cli.core.row_forms import rows_in
from dagger_cli.data.read import read_episodes

from .running import dagger

BENCH = str(Path(__file__).parents[2] / "scripts" / "bench")
BRIEF = ("validation.episodes=1", "evaluation.episodes=1", "gif=false", "policy.gradient_steps=3")
RUNS = {
    "bits": ("env=handwriting", "env.data=synthetic", "steps_per_round=100"),
    "frames": (
        *("env=gym", "env.id=Moving-v0", "env.imports=moving", "env.max_episode_steps=15"),
        *("n_envs=4", "env.workers=0", "steps_per_round=80", "policy=cnn", "policy.threads=1"),
        *("expert=python", "expert.target=moving:expert", "expert.batched=true"),
    ),
}


def train(folder: Path, run: str, *words: str) -> Path:
    done = dagger("train", *words, cwd=folder)
    assert done.code == 0, done.err
    return folder / run / "checkpoints"


def policy(checkpoints: Path) -> bytes:
    return (checkpoints / "last" / "policy.safetensors").read_bytes()


def rows(checkpoints: Path) -> list[np.ndarray]:
    shards = sorted((checkpoints / "aggregate").iterdir())
    return [np.asarray(rows_in(load_file(shard))) for shard in shards]


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_the_same_as_with_arrays_resumed_and_exported(name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCH)
    words = (*RUNS[name], *BRIEF)
    whole = train(tmp_path, "whole", *words, "rounds=3", "hydra.run.dir=whole")
    first = load_file(whole / "aggregate" / "round_0001.safetensors")
    assert f"obs.{name}" in first and "obs" not in first
    two = ("rounds=2", "beta.over=3")
    with mock.patch("dagger_cli.config.build.form_of", lambda space, split: None):
        plain = train(tmp_path, "plain", *words, "rounds=3", "hydra.run.dir=plain")
        train(tmp_path, "old", *words, *two, "hydra.run.dir=old")
    assert "obs" in load_file(plain / "aggregate" / "round_0001.safetensors")
    trust = ("trust=[moving]",) if name == "frames" else ()
    train(tmp_path, "parts", *words, *two, "hydra.run.dir=parts")
    parts = train(tmp_path, "parts", "resume=parts", "rounds=3", *trust)
    old = train(tmp_path, "old", "resume=old", "rounds=3", *trust)
    assert "obs" not in load_file(old / "aggregate" / "round_0003.safetensors")
    for one in (plain, parts, old):
        assert policy(one) == policy(whole)
        for ours, theirs in zip(rows(one), rows(whole), strict=True):
            assert ours.tobytes() == theirs.tobytes() and ours.dtype == theirs.dtype
    exported = []
    for run in ("plain", "whole"):
        done = dagger(
            "data", "export", f"run={run}", "format=npz", f"path={run}.npz", *trust, cwd=tmp_path
        )
        assert done.code == 0, done.err
        exported.append(read_episodes(str(tmp_path / f"{run}.npz")))
    for column in exported[0].columns:
        assert np.array_equal(*(one.columns[column] for one in exported)), column
