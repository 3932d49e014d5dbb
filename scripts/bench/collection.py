"""Collection speed: steps per second with actor and expert, relative to the bare backend.

    python scripts/bench/collection.py [backend=envpool] [n_envs=16] [repeats=5] [expert=bundled]

Collects a DAgger round at beta = 0.5 (expert and learner both act, and the expert labels the
learner's states) with the default networks. Then repeats the same actions in the same episodes with
the backend alone: EnvPool's own `step`, or Gymnasium's environments one by one. The two alternate,
so that other load on the machine affects both; prints the median of the ratios.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
from jobs import job_of, options

STEPS = 16_000


def main(words: list[str]) -> dict[str, Any]:
    given = options(words, backend="envpool", n_envs="16", repeats="5", expert="bundled")
    n_envs, ours, bare = int(given["n_envs"]), [], []
    for repeat in range(int(given["repeats"])):
        job = job_of(
            "env=bipedal",
            f"expert={given['expert']}",
            f"env.backend={given['backend']}",
            f"n_envs={n_envs}",
            f"seed={repeat}",
            "policy.gradient_steps=300",
            "env.workers=auto",
        )
        seconds, seeds, actions = collect(job, n_envs)
        ours.append(STEPS / seconds)
        bare.append(STEPS / play_again(given["backend"], n_envs, seeds, actions))
        job.kit.close()
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    result = {
        "backend": given["backend"],
        "n_envs": n_envs,
        "ours_per_second": [round(x) for x in ours],
        "bare_per_second": [round(x) for x in bare],
        "ratio_median": round(float(np.median(ratios)), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
    }
    print(json.dumps(result))
    return result


def collect(job: Any, n_envs: int) -> tuple[float, list[Any], list[Any]]:
    """Collects and labels one round; returns the seconds, resets and actions."""
    from dagger_cli.core.dataset import aggregate
    from dagger_cli.core.policies import Mixture
    from dagger_cli.loop.rollout import begin, label, rollout

    kit = job.kit
    begin(kit)
    first = label(kit, rollout(kit, kit.expert, 4000))
    student, _ = kit.fit(aggregate(None, first), None)
    kit.env.reset(np.arange(n_envs), np.arange(n_envs) + 2**25)
    seeds: list[Any] = [(0, np.arange(n_envs), np.arange(n_envs) + 2**25)]
    actions: list[Any] = []
    env = Noting(kit.env, seeds, actions)
    object.__setattr__(kit, "env", env)
    actor = Mixture((kit.expert, student), (0.5, 0.5))
    begun = time.perf_counter()
    label(kit, rollout(kit, actor, STEPS))
    return time.perf_counter() - begun, seeds, actions


class Noting:
    """Env that records its resets and actions."""

    def __init__(self, env: Any, seeds: list[Any], actions: list[Any]) -> None:
        self._env, self._seeds, self._actions = env, seeds, actions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def reset(self, slots: Any, seeds: Any) -> None:
        """Records the step, then resets."""
        self._seeds.append((len(self._actions), slots.copy(), np.array(seeds)))
        self._env.reset(slots, seeds)

    def step(self, slots: Any, actions: Any) -> Any:
        """Records the actions in the environment's type, then steps."""
        self._actions.append(np.clip(actions, -1, 1))
        return self._env.step(slots, actions)


def play_again(backend: str, n_envs: int, resets: list[Any], actions: list[Any]) -> float:
    """Returns the seconds of the backend for the same actions in the same episodes."""
    return (again_envpool if backend == "envpool" else again_gymnasium)(n_envs, resets, actions)


def again_envpool(n_envs: int, resets: list[Any], actions: list[Any]) -> float:
    """Times one pool with EnvPool's automatic resets: its fastest use, but with other seeds."""
    import os
    import warnings

    import envpool

    warnings.simplefilter("ignore")
    env = envpool.make_gymnasium(
        "BipedalWalker-v3",
        num_envs=n_envs,
        seed=resets[0][2].tolist(),
        num_threads=min(n_envs, len(os.sched_getaffinity(0))),
    )
    env.reset()
    begun = time.perf_counter()
    for rows in actions:
        env.step(rows)
    return time.perf_counter() - begun


def again_gymnasium(n_envs: int, resets: list[Any], actions: list[Any]) -> float:
    import gymnasium

    envs = [
        gymnasium.make("BipedalWalker-v3", disable_env_checker=True).unwrapped
        for _ in range(n_envs)
    ]
    by_step = {at: (slots, seeds) for at, slots, seeds in resets}
    begun = time.perf_counter()
    for t, rows in enumerate(actions):
        for slot, seed in zip(*by_step.get(t, ((), ())), strict=True):
            envs[slot].reset(seed=int(seed))
        for env, action in zip(envs, rows, strict=True):
            env.step(action)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(sys.argv[1:])
