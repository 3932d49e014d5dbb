"""The share of an episode's steps that is left, as rl-zoo's TimeFeatureWrapper appends it."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array


def with_time_left(obs: Array, steps: Array, horizon: int) -> Array:
    """Returns float32 rows (n, d + 1): `obs` (n, d) and 1 - t/horizon after `steps` (n,)."""
    left = 1 - steps / horizon
    return np.concatenate([obs, left[:, None]], axis=1).astype(np.float32)
