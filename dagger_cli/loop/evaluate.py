"""Evaluation of a policy on fixed seeds, in environments of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Env, Policy, Score
from dagger_cli.loop.rollout import check_finite

MOST_STEPS = 1_000_000  # of one episode: the longest known ones have a tenth
Progress = Callable[[int, int], None]  # episodes finished and env steps taken so far


def evaluate(
    env: Env,
    policy: Policy,
    seeds: Sequence[int],
    rng: Generator,
    progress: Progress = lambda episodes, steps: None,
) -> Score:
    """Runs one whole episode per seed; calls `progress` after every step.

    Every slot takes the next seed as soon as its episode ends, so all slots stay busy. Raises
    EnvError where no episode ends in MOST_STEPS steps.
    """
    order = np.asarray(seeds, np.int64)
    returns, lengths = np.zeros(len(order)), np.zeros(len(order), np.int64)
    failed = np.zeros(len(order), bool)
    slots: Array = np.arange(min(env.n_envs, len(order)))
    playing = np.arange(len(slots))  # index of the episode of each busy slot
    env.reset(slots, order[playing])
    started, finished, steps, since = len(slots), 0, 0, 0
    while slots.size:
        acts = policy.act(env.observation[slots], rng)
        step = env.step(slots, acts.actions)
        returns[playing] += step.rewards
        lengths[playing] += 1
        failed[playing] = step.failed
        ended = step.ended
        steps, since = steps + len(slots), since + 1
        finished += int(ended.sum())
        progress(finished, steps)
        if not ended.any():
            if since == MOST_STEPS:
                raise EnvError(
                    f"no episode has ended in {since:,} steps: set env.max_episode_steps, such as "
                    "1000"
                )
            continue
        since = 0
        free = np.flatnonzero(ended)[: len(order) - started]
        if free.size:
            playing[free] = np.arange(started, started + len(free))
            env.reset(slots[free], order[playing[free]])
            started += len(free)
        idle = np.flatnonzero(ended)[len(free) :]
        slots, playing = np.delete(slots, idle), np.delete(playing, idle)
    check_finite("a reward", returns)
    return Score(order, returns, lengths, failed)
