"""Speed of the Mario simulator: `python scripts/bench_mario.py [--games 64] [--seconds 2]`.

Every number is the best of five repeats with a policy that runs right and jumps at random, on the
stages of seeds 0, 1, ... at difficulty 1; the time of restarting ended games is not counted. A step
has three ticks and includes the observation; labels and unsafe actions are the planner's, in the
states of that policy.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np

REPEATS = 5
RIGHT_SPEED, RIGHT_SPEED_JUMP = 10, 26
PLANNER = {"nodes": 1000, "horizon": 220, "greed": 0.9, "damage": 1000, "caution": 6}
GAME = {
    "id": "mario", "start_mode": "small", "difficulty": 1, "stage_type": "overground",
    "length": 320, "time_limit": 60, "ticks_per_action": 3, "failure": "unfinished", "workers": 0,
}  # fmt: skip


def best(work: Callable[[], int], seconds: float, before: Callable[[], None]) -> float:
    """Returns the highest number of units of work per second of the repeats."""
    rates = []
    for _ in range(REPEATS):
        done, spent = 0, 0.0
        while spent < seconds / REPEATS:
            before()
            begin = time.perf_counter()
            done += work()
            spent += time.perf_counter() - begin
        rates.append(done / spent)
    return max(rates)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()

    from dagger_cli.envs.mario.batch import Batch
    from dagger_cli.envs.mario.rules import PAPER
    from dagger_cli.envs.mario.simulator.state import GAME_BYTES, RUNNING
    from dagger_cli.envs.mario.source import mario
    from dagger_cli.envs.mario.warmup import is_compiled, warm_up
    from dagger_cli.experts.mario_planner.source import MarioPlanner

    print(f"machine code on disk: {is_compiled()}; made ready in {warm_up():.1f} s")
    n, rng = given.games, np.random.default_rng(0)
    slots, grids = np.arange(n), np.empty((n, 22, 22), np.int8)
    batch = Batch(n, PAPER)
    batch.start(slots, slots)

    def restart() -> None:
        over = slots[batch.games["status"] != RUNNING]
        if len(over):
            batch.start(over, rng.integers(0, 1000, len(over)))

    def play(ticks: int, zoom: int | None) -> int:
        before = batch.games["tick"].copy()
        batch.advance(slots, rng.choice([RIGHT_SPEED, RIGHT_SPEED_JUMP], n), ticks)
        if zoom is not None:
            batch.grids(slots, zoom, 0, grids)
        return int((batch.games["tick"] - before).sum())

    def stages() -> int:
        batch.start(slots, rng.integers(0, 1000, n))
        return n

    rows = {
        "ticks/s, one core, 3 ticks per call": best(lambda: play(3, None), given.seconds, restart),
        "ticks/s, one core, 30 ticks per call": best(
            lambda: play(30, None), given.seconds, restart
        ),
        "ticks/s, one core, 300 ticks per call": best(
            lambda: play(300, None), given.seconds, restart
        ),
        "ticks/s, one core, a grid every tick": best(lambda: play(1, 1), given.seconds, restart),
        "ticks/s, one core, a grid every 3": best(lambda: play(3, 1), given.seconds, restart),
        "stages/s, one core": best(stages, given.seconds, lambda: None),
    }
    source = mario(**GAME, observation="features")
    env = source.open(n)
    env.reset(slots, slots)

    def again() -> None:
        over = slots[env.batch.games["status"] != RUNNING]
        if len(over):
            env.reset(over, rng.integers(0, 1000, len(over)))

    def steps() -> int:
        pressed = np.tile(np.int8([0, 1, 0, 1]), (n, 1))
        pressed[:, 2] = rng.integers(0, 2, n)
        env.step(slots, pressed)
        return n

    planner = MarioPlanner(ticks_per_action=3, **PLANNER)
    expert = planner.load("mario", source.observation_space, source.action_space)

    def labels() -> int:
        expert.act(env.observation[slots], rng)
        return n

    def unsafe() -> int:
        expert.unsafe_actions(env.observation[slots])
        return n

    def onwards() -> None:
        again()
        steps()
        again()

    expert.act(env.observation[slots], rng)  # compiles, as the next line does
    expert.unsafe_actions(env.observation[slots])
    rows["steps/s, one core, the paper's features"] = best(steps, given.seconds, again)
    rows["labels/s, cores of this process"] = best(labels, given.seconds, onwards)
    rows["unsafe actions/s, cores of this process"] = best(unsafe, given.seconds, onwards)
    batch.threads = os.cpu_count() or 1
    restart()
    # Fewer ticks are not worth handing over to a thread, see envs/mario/batch.py.
    label = f"ticks/s, {batch.threads} threads, 300 ticks per call"
    rows[label] = best(lambda: play(300, None), given.seconds, restart)
    for name, rate in rows.items():
        print(f"{name:40s} {rate:12,.0f}")
    print(f"sprites besides Mario: {batch.games['n_sprites'].mean() - 1:.1f} on average")
    print(f"one game: {GAME_BYTES} bytes")


if __name__ == "__main__":
    main()
