"""What the search remembers: simulated positions, and children that still wait for their turn.

The queue is a heap of whole numbers, so it is the same everywhere and needs no records: the cost in
the highest bits, then the depth (the deeper of two equals first), then the number of the child
(the one that was opened first).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import Array, new_games, new_stages, words_of

MOST_CHILDREN = 10
COST_UNIT = 64.0  # the queue tells costs apart by 1/64 tick
_CHILD_BITS, _DEPTH_BITS = 24, 12
_CHILD_MASK = (1 << _CHILD_BITS) - 1
MOST_NODES = (1 << _CHILD_BITS) // MOST_CHILDREN - 1
_DEEPEST = (1 << _DEPTH_BITS) - 1


class Settings(NamedTuple):
    """How far and how eagerly to search; the units are those of `MarioPlanner`."""

    ticks_per_action: int
    nodes: int
    horizon: float
    greed: float
    damage: float
    caution: float


class Tree(NamedTuple):
    """Room for one search of at most `nodes` simulated positions; position 0 is where it begins."""

    games: Array  # (nodes + 1,)
    words: Array  # the same memory, for copying
    stages: Array  # (1,)
    lost: Array  # (nodes + 1,) float64: ticks lost to running right at full speed, with penalties
    risk: Array  # (nodes + 1,) float64: how near to being lost each position is, 0 to 1
    depth: Array  # (nodes + 1,) int64
    first: Array  # (nodes + 1,) int64: the buttons of the first step on the way there
    parent: Array  # (children,) int64: position
    keys: Array  # (children,) int64: buttons held on the way from the parent
    place: Array  # (children,) int64: position, 0 while it is only a guess


def new_tree(nodes: int) -> Tree:
    """Room for one search after the other."""
    games, children = new_games(nodes + 1), (nodes + 1) * MOST_CHILDREN
    whole = [np.zeros(n, np.int64) for n in (nodes + 1, nodes + 1, children, children, children)]
    return Tree(
        games, words_of(games), new_stages(1), np.zeros(nodes + 1), np.zeros(nodes + 1), *whole
    )


@compiled
def queue_key(cost: float, depth: int, child: int) -> int:
    """Smaller is better."""
    units = np.int64(np.floor(cost * COST_UNIT + 0.5))
    later = _DEEPEST - min(depth, _DEEPEST)
    return int((units << (_CHILD_BITS + _DEPTH_BITS)) | (later << _CHILD_BITS) | child)


@compiled
def child_of(key: int) -> int:
    """Which child a key of the queue stands for."""
    return key & _CHILD_MASK


Queue = Any  # list of int64
