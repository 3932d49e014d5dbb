"""Data of the search: simulated positions, and children that are not yet expanded.

The queue is a heap of integers, so its order is the same on every platform: the cost in the highest
bits, then the depth (deeper first among equals), then the number of the child (the one opened
first).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import Array, new_games, new_stages, words_of

MOST_CHILDREN = 10
COST_UNIT = 64.0  # costs are rounded to 1/64 tick
_CHILD_BITS, _DEPTH_BITS = 24, 12
_CHILD_MASK = (1 << _CHILD_BITS) - 1
MOST_NODES = (1 << _CHILD_BITS) // MOST_CHILDREN - 1
_DEEPEST = (1 << _DEPTH_BITS) - 1


class Settings(NamedTuple):
    """Settings of the search; the units are those of `MarioPlanner`."""

    ticks_per_action: int
    nodes: int
    horizon: float
    greed: float
    damage: float
    caution: float


class Tree(NamedTuple):
    """Memory for a search of at most `nodes` simulated positions; position 0 is the root."""

    games: Array  # (nodes + 1,)
    words: Array  # the same memory as int64, for copying
    stages: Array  # (1,)
    lost: Array  # (nodes + 1,) float64: ticks lost to running right at full speed, with penalties
    risk: Array  # (nodes + 1,) float64: `danger` of each position, 0 to 1
    depth: Array  # (nodes + 1,) int64
    first: Array  # (nodes + 1,) int64: buttons of the first move on the path
    parent: Array  # (children,) int64: position
    keys: Array  # (children,) int64: buttons held from the parent on
    place: Array  # (children,) int64: position, 0 before it is simulated


def new_tree(nodes: int) -> Tree:
    """Allocates a tree, to be reused by successive searches."""
    games, children = new_games(nodes + 1), (nodes + 1) * MOST_CHILDREN
    whole = [np.zeros(n, np.int64) for n in (nodes + 1, nodes + 1, children, children, children)]
    return Tree(
        games, words_of(games), new_stages(1), np.zeros(nodes + 1), np.zeros(nodes + 1), *whole
    )


@compiled
def queue_key(cost: float, depth: int, child: int) -> int:
    """Returns the key of a child in the queue; smaller is better."""
    units = np.int64(np.floor(cost * COST_UNIT + 0.5))
    later = _DEEPEST - min(depth, _DEEPEST)
    return int((units << (_CHILD_BITS + _DEPTH_BITS)) | (later << _CHILD_BITS) | child)


@compiled
def child_of(key: int) -> int:
    """Returns the child of a key."""
    return key & _CHILD_MASK


Queue = Any  # list of int64
