"""Measures what a view costs: its CPU time by that of collection without it.

    python scripts/bench_views.py           # prints the table, writes docs/views_cost.json
    python scripts/bench_views.py out=here.json

Collection is a rollout of a network of 256 x 256 units in 8 slots. What a view adds is measured in
rollouts of an environment that does nothing, with and without the view. The least of interleaved
repeats, as other programs only add to it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.kit import Kit, RngStreams
from dagger_cli.core.types import Acts, Array, Observation, Policy, Space, Step
from dagger_cli.envs.gym import GymSource
from dagger_cli.loop.rollout import begin, rollout
from dagger_cli.policies.sources import mlp_learner
from dagger_cli.views.view import View

PAGE = Path(__file__).resolve().parents[1] / "docs" / "views_cost.json"
ENVS = ("Pendulum-v1", "BipedalWalker-v3")
STEPS, REPEATS, SLOTS = 2000, 40, 8
VIEWS = {
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
    "normalize": True,
}


@dataclass(frozen=True)
class Still:
    """Source, and environment, in which nothing happens."""

    observation_space: Space
    action_space: Space
    n_envs: int = SLOTS

    def open(self, n_envs: int) -> Still:
        """Returns itself."""
        return self

    @property
    def observation(self) -> Observation:
        """Zeros."""
        space = self.observation_space
        return Observation(np.zeros((SLOTS, *space.shape), space.dtype), np.zeros(SLOTS, np.int64))

    def reset(self, slots: Array, seeds: Array) -> None:
        """Does nothing."""

    def step(self, slots: Array, actions: Array) -> Step:
        """Returns no reward and no end."""
        never = np.zeros(len(slots), bool)
        return Step(np.zeros(len(slots)), never, never, never)


def fitted(source: GymSource) -> Policy:
    """Returns a network with random weights."""
    seen, acted = source.observation_space, source.action_space
    sizes: dict[str, Any] = {"sizes": [256, 256], "activation": "relu", "loss": "auto"}
    learner = mlp_learner(seen, acted, threads=1, **sizes, **FIT)
    rng = np.random.default_rng(0)
    obs = rng.standard_normal((128, *seen.shape)).astype(seen.dtype)
    labels = np.zeros((128, *acted.shape), acted.dtype)
    return learner.fit(Dataset(obs, np.zeros(128, np.int64), labels, (128,)), None, rng).policy


class Idle:
    """Policy of constant actions."""

    def __init__(self, space: Space) -> None:
        self._acts = Acts(np.zeros((SLOTS, *space.shape), space.dtype), np.zeros(SLOTS, bool))

    def act(self, observation: Observation, rng: Any) -> Acts:
        """Returns the actions."""
        return self._acts


def seconds(pairs: Sequence[tuple[Any, Any]]) -> list[float]:
    """Returns the least CPU time of a step of all slots, for each environment with its policy."""
    unused: Any = None
    kits = [
        (Kit(env, unused, unused, Budget(1, STEPS, None), RngStreams.spawn(0)), policy)
        for env, policy in pairs
    ]
    taken: list[list[float]] = [[] for _ in kits]
    for kit, _ in kits:
        begin(kit)
    for _ in range(REPEATS):
        for (kit, policy), times in zip(kits, taken, strict=True):
            start = time.process_time()
            rollout(kit, policy, STEPS)
            times.append((time.process_time() - start) * SLOTS / STEPS)
    return [min(times) for times in taken]


def measured(env_id: str) -> dict[str, Any]:
    """Returns the time of collection in microseconds a step, and what each view adds to it."""
    given: dict[str, Any] = {"kwargs": {}, "imports": None, "max_episode_steps": None}
    given |= {"fresh_simulator": "auto", "workers": 0, "backend": "auto", "failure": "none"}
    source = GymSource(id=env_id, **given)
    still, idle = Still(source.observation_space, source.action_space), Idle(source.action_space)
    with closing(source.open(SLOTS)) as env:
        (collection,) = seconds([(env, fitted(source))])
    views = [view.viewed(still).open(SLOTS) for view in VIEWS.values()]
    bare, *viewed = seconds([(still, idle), *((view, idle) for view in views)])
    added = {name: 1e6 * (one - bare) for name, one in zip(VIEWS, viewed, strict=True)}
    return {"collection_us": 1e6 * collection, "backend": source.chosen, "added_us": added}


def main() -> None:
    """Runs the command line of the module's docstring."""
    given = dict(word.partition("=")[::2] for word in sys.argv[1:])
    if set(given) - {"out"}:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    result = {env_id: measured(env_id) for env_id in ENVS}
    Path(given.get("out", PAGE)).write_text(json.dumps(result, indent=1) + "\n")
    heads = [f"{e} ({r['collection_us']:.0f} us a step)" for e, r in result.items()]
    print(f"| view | {' | '.join(heads)} |\n|---{'|---' * len(result)}|")
    for name in VIEWS:
        cells = [
            f"{r['added_us'][name]:.0f} us, {r['added_us'][name] / r['collection_us']:.0%}"
            for r in result.values()
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
