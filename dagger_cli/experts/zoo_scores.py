"""The scores that rl-baselines3-zoo publishes of its agents, for comparison without a network.

Means and standard deviations of the return over 150,000 env steps (600,000 of Atari), of one agent
each, with deterministic actions except for Atari. zoo_scores.json names the table they are from.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from dagger_cli.experts.sb3.agent_folder import older_versions


@cache
def _table() -> dict[str, tuple[float, float]]:
    text = Path(__file__).with_suffix(".json").read_text(encoding="utf-8")
    return {name: (mean, std) for name, (mean, std) in json.loads(text)["agents"].items()}


def zoo_score(name: str) -> tuple[float, float] | None:
    """Returns (mean, standard deviation) of an agent such as `a2c-Hopper-v3`, None without one."""
    return _table().get(name)


def zoo_agents(env_id: str) -> list[str]:
    """Returns the agents for an environment or an older version of it, such as `a2c-Hopper-v3`."""
    versions = set(older_versions(env_id))
    return [name for name in _table() if name.partition("-")[2] in versions]


def zoo_names() -> list[str]:
    """Returns the names of all agents in the table."""
    return list(_table())
