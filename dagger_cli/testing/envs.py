"""Checks of environments."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array, Env
from dagger_cli.testing.drawing import draw

SLOTS = np.arange(3)


def check_env(open_env: Callable[[int], Env], n_steps: int = 60) -> None:
    """Checks the environment that `open_env(n_envs)` returns, such as `source.open`.

    `n_steps` random steps must contain the end of an episode. Seeds must determine episodes, slots
    must be independent, and a snapshot must restore every slot bit for bit.
    """
    with closing(open_env(len(SLOTS))) as env, closing(open_env(len(SLOTS))) as other:
        _check_shapes(env)
        _check_slots(env)
        _check_seeds(env, n_steps)
        _check_snapshots(env, other)
        env.close()  # may be called twice


def _check_shapes(env: Env) -> None:
    env.reset(SLOTS, SLOTS)
    seen, space = env.observation, env.observation_space
    assert env.n_envs == len(seen) == len(SLOTS), "n_envs must be what open was called with"
    wanted = (len(SLOTS), *space.shape)
    assert seen.obs.shape == wanted, f"observations have shape {seen.obs.shape}, not {wanted}"
    assert seen.obs.dtype == space.dtype, f"observations are {seen.obs.dtype}, not {space.dtype}"
    assert seen.t.tolist() == [0, 0, 0], "observation.t must be 0 after reset"


def _check_slots(env: Env) -> None:
    env.reset(SLOTS, SLOTS)
    before = env.observation.obs.copy()
    step = env.step(np.array([0, 2]), draw(env.action_space, 2))
    assert [len(column) for column in step] == [2] * 4, (
        "step must return one row per slot that it steps"
    )
    dtypes = [column.dtype for column in step]
    assert dtypes == [np.float64, bool, bool, bool], f"columns of a step have dtypes {dtypes}"
    assert env.observation.t.tolist() == [1, 0, 1], "t must count the steps of each slot"
    still = np.array_equal(env.observation.obs[1], before[1])
    assert still, "a slot that was not stepped has changed"


def _check_seeds(env: Env, n_steps: int) -> None:
    runs = []
    for _ in range(2):
        env.reset(SLOTS, SLOTS)
        runs.append(_played(env, n_steps, np.random.default_rng(0)))
    assert _equal(*runs), "the same seeds and actions give other episodes"
    ended = runs[0][2] | runs[0][3]
    assert ended.any(), f"no episode ended within {n_steps} steps: give a larger n_steps"
    assert not (runs[0][4] & ~ended).any(), "failed is True where an episode continues"


def _check_snapshots(env: Env, other: Env) -> None:
    env.reset(SLOTS, SLOTS)
    _played(env, 8, np.random.default_rng(0))
    snapshot = {name: array.copy() for name, array in env.snapshot().items()}
    t, first = env.observation.t.copy(), _played(env, 40, np.random.default_rng(1))
    for restored in (env, other):
        restored.restore(snapshot)
        assert np.array_equal(restored.observation.t, t), "restore does not restore observation.t"
        again = _played(restored, 40, np.random.default_rng(1))
        assert _equal(first, again), "episodes go on differently after restore"


def _played(env: Env, n_steps: int, rng: Generator) -> list[Array]:
    """Returns observations and the columns of `Step`, (n_steps, slots, ...) each."""
    rows = []
    for _ in range(n_steps):
        before = env.observation.obs.copy()
        step = env.step(SLOTS, draw(env.action_space, len(SLOTS), int(rng.integers(2**30))))
        rows.append((before, *(column.copy() for column in step)))
        over = np.flatnonzero(step.ended)
        if over.size:
            env.reset(over, rng.integers(2**30, size=over.size))
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _equal(one: list[Array], other: list[Array]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
