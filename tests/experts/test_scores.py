"""Every real agent reaches its published score in its environment.

The table of hub/README.md in DAGGER_SHARED: stable-baselines3 itself, the same seeds.
"""

from __future__ import annotations

import re
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.path import Path as FromPath
from dagger_cli.loop.evaluate import evaluate

SEEDS = range(1000, 1020)
PUBLISHED = {
    "a2c-BipedalWalker-v3": (301.4, 0.8), "ppo-BipedalWalker-v3": (245.2, 108.0),
    "ppo-CartPole-v1": (500.0, 0.0), "dqn-CartPole-v1": (500.0, 0.0),
    "ppo-LunarLander-v2": (239.9, 28.2), "ddpg-Pendulum-v1": (-155.6, 88.1),
    "sac-Pendulum-v1": (-153.1, 78.1), "tqc-Pendulum-v1": (-149.6, 79.7),
    "ppo-MountainCarContinuous-v0": (88.1, 2.6),
}  # fmt: skip


def test_every_agent_is_in_the_table(hub_folder: Path) -> None:
    here = {path.name for path in hub_folder.iterdir()}
    other_worlds = re.compile(
        "-(Ant|HalfCheetah|Hopper|Walker2d|FetchReach|BipedalWalkerHardcore)-"
    )
    assert {name for name in here if not other_worlds.search(name)} == set(PUBLISHED)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PUBLISHED)
def test_scores_are_within_the_published_spread(name: str, hub_folder: Path) -> None:
    env_id = name.split("-", 1)[1].replace("LunarLander-v2", "LunarLander-v3")
    source = GymSource(
        id=env_id, imports=None, kwargs={}, max_episode_steps=None,
        fresh_simulator=env_id.startswith("Bipedal"), workers=0, backend="gymnasium",
        failure="none",
    )  # fmt: skip
    found = FromPath(path=str(hub_folder / name), algo=None, deterministic=True)
    expert = found.load(env_id, source.observation_space, source.action_space)
    with closing(source.open(10)) as env:
        score = evaluate(env, expert, SEEDS, np.random.default_rng(0))
    mean, std = PUBLISHED[name]
    assert abs(score.mean - mean) <= std + 0.05  # the table has one decimal
    assert "gym" not in sys.modules
