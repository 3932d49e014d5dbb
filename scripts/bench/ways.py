"""Ways to collect, tried on the smallest loop that acts: what a change of `dagger train` could win.

    python scripts/bench/ways.py [n_envs=16] [repeats=5]

The loop only acts (expert and student, each half of the rows) and steps EnvPool's walker:
- in turns: all slots act, then all step, as `dagger train` does it;
- halves: half of the slots act while the other half steps, by EnvPool's asynchronous send and
  receive, in an order that does not depend on which is ready first;
- a process a core: each acts for its share of the slots, with a pool of one thread.
Prints their steps per second over those of EnvPool's own `step` on all cores, in the same episodes
and with the actions of `in turns`; the measurements alternate.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from jobs import job_of, options

STEPS = 16_000
GO = b"\n"


def main(words: list[str]) -> None:
    given = options(words, n_envs="16", repeats="5", core="", slots="")
    n = int(given["n_envs"])
    if given["core"]:
        serve(n, int(given["core"]), int(given["slots"]))
    else:
        compare(n, int(given["repeats"]))


def compare(n: int, repeats: int) -> None:
    """Prints the ratios with n environments."""
    actor, cores = trained(n), sorted(os.sched_getaffinity(0))
    others = [_started(n // len(cores), core, n) for core in cores]
    ways = {
        "in turns": lambda: in_turns(n, actor, len(cores)),
        "halves": lambda: halves(n, actor, len(cores)),
        "a process a core": lambda: _together(others),
    }
    played: list[Any] = []

    def noted(obs: Any, t: Any) -> Any:
        played.append(actor(obs, t))
        return played[-1]

    in_turns(n, noted, len(cores))
    rates: dict[str, list[float]] = {name: [] for name in ("bare", *ways)}
    _together(others)  # until all have started
    for _ in range(repeats):
        rates["bare"].append(STEPS / bare(played, len(cores)))
        for name, way in ways.items():
            rates[name].append(STEPS / way())
    for process in others:
        process.communicate()
    ratios = {name: np.divide(rates[name], rates["bare"]) for name in ways}
    lines = {name: [round(float(np.median(r)), 3), *_range(r)] for name, r in ratios.items()}
    print(json.dumps({"n_envs": n, "bare_per_second": round(max(rates["bare"])), "ratios": lines}))


def _range(ratios: Any) -> list[float]:
    return [round(float(ratios.min()), 3), round(float(ratios.max()), 3)]


def trained(n_envs: int) -> Callable[[Any, Any], Any]:
    """Returns a function from observations and step counts to actions."""
    from dagger_cli.core.dataset import aggregate
    from dagger_cli.core.policies import Mixture
    from dagger_cli.core.types import Observation
    from dagger_cli.loop.rollout import begin, label, rollout

    words = ("env=bipedal", "expert=bundled", f"n_envs={n_envs}", "policy.gradient_steps=300")
    kit = job_of(*words, "env.backend=envpool").kit
    begin(kit)
    student, _ = kit.fit(aggregate(None, label(kit, rollout(kit, kit.expert, 4000))), None)
    actor, rng = Mixture((kit.expert, student), (0.5, 0.5)), np.random.default_rng(0)
    kit.close()
    return lambda obs, t: np.clip(actor.act(Observation(obs, t), rng).actions, -1, 1)


def bare(played: list[Any], threads: int) -> float:
    env = pool(len(played[0]), threads)
    begun = time.perf_counter()
    for actions in played:
        env.step(actions)
    return time.perf_counter() - begun


def in_turns(n: int, act: Callable[[Any, Any], Any], threads: int, steps: int = STEPS) -> float:
    env, obs, t = pool(n, threads), np.zeros((n, 24), np.float32), np.zeros(n, np.int64)
    places = np.arange(n, dtype=np.int32)
    begun = time.perf_counter()
    for _ in range(steps // n):
        env.send(act(obs, t), places)
        receive(env, obs, t)
    return time.perf_counter() - begun


def halves(n: int, act: Callable[[Any, Any], Any], threads: int) -> float:
    env, obs, t = pool(n, threads), np.zeros((n, 24), np.float32), np.zeros(n, np.int64)
    parts = [np.arange(k, n, 2, dtype=np.int32) for k in range(2)]

    def acted(k: int) -> Any:
        return act(obs[parts[k]], t[parts[k]])

    begun = time.perf_counter()
    env.send(acted(0), parts[0])
    ready = acted(1)
    receive(env, obs, t)
    for i in range(1, 2 * (STEPS // n)):
        env.send(ready, parts[i % 2])
        ready = acted(1 - i % 2)
        receive(env, obs, t)
    return time.perf_counter() - begun


def receive(env: Any, obs: Any, t: Any) -> None:
    seen, _, _, _, info = env.recv()
    obs[info["env_id"]] = seen
    t[info["env_id"]] += 1


def pool(n: int, threads: int) -> Any:
    import envpool

    warnings.simplefilter("ignore")
    env = envpool.make_gymnasium(
        "BipedalWalker-v3",
        num_envs=n,
        seed=list(range(n)),
        num_threads=threads,
        thread_affinity_offset=0 if threads > 1 else -1,
    )
    env.reset()
    return env


def serve(n: int, core: int, slots: int) -> None:
    """Collects the share of n of all slots on one core at each line; prints the seconds."""
    os.sched_setaffinity(0, {core})
    act, share = trained(n), STEPS * n // slots
    for _ in sys.stdin:
        print(in_turns(n, act, 1, share), flush=True)


def _started(n: int, core: int, slots: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, __file__, f"n_envs={n}", f"core={core}", f"slots={slots}"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _together(processes: list[subprocess.Popen[bytes]]) -> float:
    """Returns the seconds of the slowest."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(GO)
        process.stdin.flush()
    return max(float(p.stdout.readline()) for p in processes if p.stdout is not None)


if __name__ == "__main__":
    main(sys.argv[1:])
