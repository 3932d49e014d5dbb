"""Evaluation of a policy on fixed seeds, in environments of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array, Env, Policy, Score
from dagger_cli.loop.rollout import check_finite


def evaluate(
    env: Env,
    policy: Policy,
    seeds: Sequence[int],
    rng: Generator,
    progress: Callable[[int], None] = lambda episodes_done: None,
) -> Score:
    """Runs one whole episode per seed; calls `progress` with the number finished after each.

    Every slot takes the next seed as soon as its episode ends, so all slots stay busy.
    """
    order = np.asarray(seeds, np.int64)
    returns, lengths = np.zeros(len(order)), np.zeros(len(order), np.int64)
    failed = np.zeros(len(order), bool)
    slots: Array = np.arange(min(env.n_envs, len(order)))
    playing = np.arange(len(slots))  # index of the episode of each busy slot
    env.reset(slots, order[playing])
    started, finished = len(slots), 0
    while slots.size:
        acts = policy.act(env.observation[slots], rng)
        step = env.step(slots, acts.actions)
        returns[playing] += step.rewards
        lengths[playing] += 1
        failed[playing] = step.failed
        if not step.ended.any():
            continue
        finished += int(step.ended.sum())
        progress(finished)
        free = np.flatnonzero(step.ended)[: len(order) - started]
        if free.size:
            playing[free] = np.arange(started, started + len(free))
            env.reset(slots[free], order[playing[free]])
            started += len(free)
        idle = np.flatnonzero(step.ended)[len(free) :]
        slots, playing = np.delete(slots, idle), np.delete(playing, idle)
    check_finite("a reward", returns)
    return Score(order, returns, lengths, failed)
