"""How many worker processes pay, from how long a step takes here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

ROUND_TRIP = 1e-4  # seconds for a worker to be told, to wake, and to be waited for
LONGEST = 0.2  # seconds of measuring
MOST_STEPS = 200


def seconds_a_step(make: Callable[[], Any]) -> float:
    """Of one environment with random actions, in an episode of its own; resets count."""
    env = make()
    try:
        env.action_space.seed(0)
        env.reset(seed=0)
        env.step(env.action_space.sample())  # the first may load what later ones have
        steps, begun = 0, time.perf_counter()
        while steps < MOST_STEPS and time.perf_counter() - begun < LONGEST:
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            steps += 1
            if terminated or truncated:
                env.reset()
        return (time.perf_counter() - begun) / steps
    finally:
        env.close()


def workers_that_pay(n_envs: int, seconds: float, spare_cores: int) -> int:
    """How many, of at most one a spare core, step `n_envs` environments soonest; ties: fewer.

    This process steps its share too, so the longest share counts, and a signal a worker.
    """

    def cost(workers: int) -> float:
        return -(-n_envs // (workers + 1)) * seconds + workers * ROUND_TRIP

    return min(range(min(spare_cores, n_envs - 1) + 1), key=cost)
