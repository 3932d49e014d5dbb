"""Small data sets: episodes whose every number is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from dagger_cli.core.types import Space
from dagger_cli.data.episodes import About, Episodes

LENGTHS = (3, 1, 4)
OBSERVATIONS = Space("box", (2,), "float32", (-1.0, -np.inf), (1.0, np.inf))
ACTIONS = Space("discrete", (), "int64", sizes=(3,))
TORQUES = Space("box", (2,), "float32", (-1.0, -1.0), (1.0, 1.0))


def episodes(**changed: Any) -> Episodes:
    """Three episodes of 3, 1 and 4 steps; of the last one the end is not known."""
    n = sum(LENGTHS)
    rng = np.random.default_rng(0)
    over = np.zeros(n, bool)
    over[[2, 3]] = True
    columns = {
        "observation": rng.uniform(-1, 1, (n, 2)).astype(np.float32),
        "expert_action": np.arange(n) % 3,
        "episode": np.repeat([0, 1, 2], LENGTHS),
        "step": np.concatenate([np.arange(k) for k in LENGTHS]),
        "action": (np.arange(n) + 1) % 3,
        "from_expert": np.arange(n) % 2 == 0,
        "reward": np.arange(n) / 4,
        "terminated": over,
        "truncated": np.zeros(n, bool),
        "failed": over & (np.arange(n) == 3),
        "round": np.repeat([1, 2], (4, 4)),
        "beta": np.repeat([1.0, 0.5], (4, 4)),
        "policy": np.repeat(["", "0123456789abcdef"], (4, 4)).astype("U16"),
    }
    final = rng.uniform(-1, 1, (2, 2)).astype(np.float32)
    about = About("Toy-v0", "toy", "full", 25, OBSERVATIONS, ACTIONS)
    return Episodes({**columns, **changed}, about, final, np.array([0, 1]))


def differing(one: Episodes, other: Episodes) -> list[str]:
    """Names of columns that are not equal, bit for bit and in type."""
    names = one.columns.keys() | other.columns.keys()
    return sorted(
        name
        for name in names
        if name not in one.columns
        or name not in other.columns
        or one.columns[name].dtype != other.columns[name].dtype
        or not np.array_equal(one.columns[name], other.columns[name])
    )
