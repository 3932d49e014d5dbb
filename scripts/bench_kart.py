"""Speed of env=kart on one core: `python scripts/bench_kart.py [--karts 64] [--steps 1000]`.

Frames per second of processor time, the best of five repeats: a step of every kart and its image
of 25 x 19 L*a*b* values (`lab`) or 84 x 64 RGB bytes (`pixels`); then labels of the controller. The
karts drive with the controller's steering, computed outside the measured time.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

REPEATS = 5
RULES = {
    "id": "kart", "track": 0, "throttle": False, "noise": 0.05, "max_steps": 10**9,
    "failure": "fall",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--karts", type=int, default=64)
    parser.add_argument("--steps", type=int, default=1000)
    given = parser.parse_args()
    print(f"{given.karts} karts, {given.steps} steps, the best of {REPEATS}")
    for observation in ("lab", "pixels"):
        frames, labels = measure(observation, given.karts, given.steps)
        print(f"{observation:7} {frames:>9,.0f} frames/s {labels:>11,.0f} labels/s")


def measure(observation: str, n: int, steps: int) -> tuple[float, float]:
    """Returns frames and labels per second of processor time."""
    from dagger_cli.envs.kart.source import kart
    from dagger_cli.experts.kart_controller import KartController

    source = kart(**RULES, observation=observation)
    spaces = source.observation_space, source.action_space
    expert = KartController(ahead=5.0, caution=0.8).load("kart", *spaces)
    env, slots, rng = source.open(n), np.arange(n), np.random.default_rng(0)
    rates = []
    for repeat in range(REPEATS + 1):  # the first compiles
        env.reset(slots, slots + repeat * n)
        stepped = labelled = 0.0
        for _ in range(steps if repeat else 2):
            start = time.process_time()
            acts = expert.act(env.observation, rng)
            middle = time.process_time()
            ended = env.step(slots, acts.actions).ended
            stepped += time.process_time() - middle
            labelled += middle - start
            if ended.any():
                env.reset(slots[ended], slots[ended] + 10**6)
        if repeat:
            rates.append((steps * n / stepped, steps * n / labelled))
    frames, labels = np.max(rates, axis=0).tolist()
    return frames, labels


if __name__ == "__main__":
    main()
