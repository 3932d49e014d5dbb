"""Choice of the number of worker processes, from the measured duration of a step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

ROUND_TRIP = 1e-4  # seconds to signal a worker, wake it and wait for it
LONGEST = 0.2  # seconds of measurement
MOST_STEPS = 200


def seconds_a_step(make: Callable[[], Any]) -> float:
    """Measures one environment with random actions, in a separate episode; includes resets."""
    env = make()
    try:
        env.action_space.seed(0)
        env.reset(seed=0)
        env.step(env.action_space.sample())  # the first one may load what later ones use
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
    """Returns the fastest number of workers, at most one per spare core; ties go to fewer.

    This process steps its share too, so the cost is that of the longest share and one signal per
    worker.
    """

    def cost(workers: int) -> float:
        return -(-n_envs // (workers + 1)) * seconds + workers * ROUND_TRIP

    return min(range(min(spare_cores, n_envs - 1) + 1), key=cost)
