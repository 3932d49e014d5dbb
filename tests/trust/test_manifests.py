"""Altered checkpoints whose hashes fit: nothing runs, nothing hangs, one sentence."""

from __future__ import annotations

import random
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .running import CANARY, TINY, Commands
from .runs import edit_arrays, edit_manifest, mutate

USES = (
    ("eval", "checkpoint=run", "episodes=1"),
    ("train", "resume=run", "rounds=3", "env.workers=0"),
    ("train", "resume=run", "rounds=3", "expert=bundled"),
    ("export", "checkpoint=run", "format=torchscript", "path=x.pt"),
    ("expert", "score", "env=cartpole", "expert=path", "expert.path=run", "episodes=1"),
)


@pytest.fixture(scope="module")
def run(commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Path:
    cwd = tmp_path_factory.mktemp("base")
    done = commands.run(["train", *TINY, "rounds=2", "hydra.run.dir=run"], cwd)
    assert done.code == 0, done.err
    return cwd / "run"


def altered(run: Path, folder: Path) -> Path:
    """Returns a copy of the run in a new folder of its own."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(run, folder / "run", symlinks=True)
    return folder / "run"


def test_altered_manifests(
    commands: Commands, run: Path, tmp_path: Path, seed: int, scale: float
) -> None:
    faults = []
    for number in range(int(20 * scale)):
        rng = random.Random(f"{seed} {number}")
        copy = altered(run, tmp_path / "here")
        edit_manifest((copy / "checkpoints/last").resolve(), partial(mutate, rng=rng))
        if rng.random() < 0.3:
            edit_manifest((copy / "checkpoints/best").resolve(), partial(mutate, rng=rng))
        done = commands.run(rng.choice(USES), copy.parent, timeout=20)
        # A long run that the config asks for is no fault; it is ended.
        slow = done.hung and "round" in done.out
        if not slow and done.fault is not None:
            faults.append((seed, number, done.words, done.fault))
        if (copy.parent / CANARY).exists() or done.peak_mb > 4000:
            faults.append((seed, number, done.words, "it ran", done.peak_mb))
    assert not faults, "\n".join(map(str, faults))


def other(array: np.ndarray[Any, Any], rng: random.Random) -> np.ndarray[Any, Any]:
    """Returns an array of other shape, type or values."""
    kind = rng.randrange(6)
    errstate = np.errstate(all="ignore")
    if kind == 0:
        return array[:0]
    if kind == 1:
        return np.concatenate([array.ravel()] * 2)
    if kind == 2:
        with errstate:
            return array.astype(rng.choice(["float16", "float64", "int8", "int64", "bool"]))
    if kind == 3:
        return np.zeros((), array.dtype)
    result = array.copy()
    if result.size:
        with errstate:
            extreme = np.array(rng.choice([np.nan, np.inf, -1, 1e30, 2**31, -(2**15)]))
            result.reshape(-1)[rng.randrange(result.size)] = extreme.astype(result.dtype)
    return result


def test_altered_arrays(
    commands: Commands, run: Path, tmp_path: Path, seed: int, scale: float
) -> None:
    faults = []
    for number in range(int(10 * scale)):
        rng = random.Random(f"{seed} {number}")
        copy = altered(run, tmp_path / "here")
        name = rng.choice(["policy.safetensors", "env.safetensors"])

        def edit(arrays: dict[str, np.ndarray[Any, Any]], rng: random.Random = rng) -> None:
            key = rng.choice(sorted(arrays))
            if rng.random() < 0.15:
                arrays[rng.choice(["x", "optimiser.0.step", "network.0.bias"])] = arrays.pop(key)
            else:
                arrays[key] = other(arrays[key], rng)

        edit_arrays((copy / "checkpoints/last").resolve(), name, edit)
        words = rng.choice([("eval", "checkpoint=run/last", "episodes=1"), USES[1]])
        done = commands.run(words, copy.parent, timeout=20)
        if done.fault is not None:
            faults.append((seed, number, name, done.fault))
    assert not faults, "\n".join(map(str, faults))
