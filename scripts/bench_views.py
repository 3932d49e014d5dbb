"""Measures what a view costs: collection with it by collection without it.

    python scripts/bench_views.py           # prints the ratios, writes docs/views_cost.json
    python scripts/bench_views.py out=here.json

CPU time of rollouts of a network of 256 x 256 units in 8 slots, which acts in fixed observations,
so that its own time is the same with every view. The least of interleaved repeats, as other
programs only add to it.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from dagger_cli.core.budget import Budget
from dagger_cli.core.kit import Kit, RngStreams
from dagger_cli.core.types import Acts, Observation
from dagger_cli.envs.gym import GymSource
from dagger_cli.loop.rollout import begin, rollout
from dagger_cli.policies.sources import mlp_learner
from dagger_cli.policies.torch_policy import TorchPolicy
from dagger_cli.views.view import View

PAGE = Path(__file__).resolve().parents[1] / "docs" / "views_cost.json"
STEPS, REPEATS, SLOTS = 4000, 15, 8
VIEWS = {
    "full": View(),
    "keep": View(keep=[0, 1]),
    "stack": View(stack=4),
    "keep, stack": View(keep=[0, 1], stack=4),
    "stack, stack_actions": View(stack=4, stack_actions=True),
    "delay": View(delay=2),
    "noise": View(noise=0.1),
}
FIT: dict[str, Any] = {
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "batch_size": 128,
    "epochs": None,
    "gradient_steps": 1,
    "warm_start": False,
    "decay": True,
    "normalize": False,
}


class Blind:
    """Acts like a policy in fixed observations, whatever it is shown."""

    def __init__(self, policy: Any, fixed: Observation) -> None:
        self._policy, self._fixed = policy, fixed

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in the fixed observations."""
        acts: Acts = self._policy.act(self._fixed, rng)
        return acts


def source_of(env_id: str) -> GymSource:
    """Returns the source of an environment as `dagger train` creates it."""
    return GymSource(
        id=env_id,
        imports=None,
        kwargs={},
        max_episode_steps=None,
        fresh_simulator="auto",
        workers=0,
        backend="auto",
        failure="none",
    )


def ratios(env_id: str) -> dict[str, float]:
    """Returns the CPU time of each view relative to that of the full one."""
    source = source_of(env_id)
    seen = source.observation_space
    learner = mlp_learner(
        seen,
        source.action_space,
        sizes=[256, 256],
        activation="relu",
        loss="auto",
        threads=1,
        **FIT,
    )
    network = learner._network(None, np.random.default_rng(0))
    drawn = np.random.default_rng(0).standard_normal((SLOTS, *seen.shape))
    fixed = Observation(drawn.astype(seen.dtype), np.zeros(SLOTS, np.int64))
    actor = Blind(TorchPolicy(network.eval(), learner.head, ()), fixed)
    seconds: dict[str, list[float]] = {name: [] for name in VIEWS}
    kits = {}
    for name, view in VIEWS.items():
        env: Any = view.viewed(source).open(SLOTS)
        unused: Any = None
        kits[name] = Kit(env, unused, unused, Budget(1, STEPS, None), RngStreams.spawn(0))
        begin(kits[name])
        rollout(kits[name], actor, STEPS // 4)
    for _ in range(REPEATS):
        for name, kit in kits.items():
            start = time.process_time()
            rollout(kit, actor, STEPS)
            seconds[name].append(time.process_time() - start)
    for kit in kits.values():
        with closing(kit.env):
            pass
    return {name: min(taken) / min(seconds["full"]) for name, taken in seconds.items()}


def main() -> None:
    """Runs the command line of the module's docstring."""
    given = dict(word.partition("=")[::2] for word in sys.argv[1:])
    if set(given) - {"out"}:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    result = {env_id: ratios(env_id) for env_id in ("Pendulum-v1", "BipedalWalker-v3")}
    Path(given.get("out", PAGE)).write_text(json.dumps(result, indent=1) + "\n")
    print("| view | " + " | ".join(result) + " |\n|---" * 1 + "|---" * len(result) + "|")
    for name in VIEWS:
        print(f"| {name} | " + " | ".join(f"{r[name] - 1:+.0%}" for r in result.values()) + " |")


if __name__ == "__main__":
    main()
