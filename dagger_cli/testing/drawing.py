"""Random elements of spaces."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array, Observation, Space

OPEN = 3.0  # replaces infinite bounds


def draw(space: Space, n: int, seed: int = 0) -> Array:
    """Returns n elements of a space, (n, *shape)."""
    rng = np.random.default_rng(seed)
    if space.kind == "box":
        low = np.maximum(space.low or -OPEN, -OPEN)
        high = np.array([OPEN if np.isinf(bound) else bound for bound in space.high or (OPEN,)])
        flat = rng.uniform(low, high, (n, space.size))
    else:
        flat = (rng.integers(0, space.sizes, (n, len(space.sizes))) + space.start).astype(float)
    return flat.reshape(n, *space.shape).astype(space.dtype)


def observations(space: Space, n: int, seed: int = 0) -> Observation:
    """Returns n observations, at the steps 0 to n - 1 of an episode."""
    return Observation(draw(space, n, seed), np.arange(n))


def inside(space: Space, actions: Array) -> bool:
    """Returns whether all actions (n, *shape) are elements of the space."""
    flat = actions.reshape(len(actions), -1)
    if space.kind == "box":
        low, high = np.array(space.low, space.dtype), np.array(space.high, space.dtype)
        return bool(((low <= flat) & (flat <= high)).all())
    top = np.array(space.sizes) + space.start
    return bool(((space.start <= flat) & (flat < top)).all())


def equal(one: dict[str, Array], other: dict[str, Array]) -> bool:
    """Returns whether two sets of named arrays have the same names and bits."""
    return one.keys() == other.keys() and all(
        a.dtype == other[name].dtype and np.array_equal(a, other[name]) for name, a in one.items()
    )
