"""One input feature per choice of Discrete and MultiDiscrete observations, as SB3 encodes them.

The number of a choice is a name: a network that gets it as one number cannot tell neighbours apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space

KINDS = ("discrete", "multi_discrete")
MAX_FEATURES = 100_000


def encodes(space: Space, one_hot: bool) -> bool:
    """Returns whether observations are encoded; `one_hot` is the policy's key.

    Raises ConfigError where there are too many choices.
    """
    if not one_hot or space.kind not in KINDS:
        return False
    if sum(space.sizes) > MAX_FEATURES:
        raise ConfigError(
            f"observations of {sum(space.sizes):,} choices are too many for one input each: "
            "policy.one_hot=false feeds them as numbers"
        )
    return True


class OneHotRows:
    """Function from observations (n, *obs_shape) to 0 and 1, (n, sum of sizes)."""

    def __init__(self, space: Space, dtype: Any) -> None:
        self._dtype = dtype
        sizes = np.array(space.sizes)
        self.component = np.repeat(np.arange(len(sizes)), sizes)
        self.choice = np.concatenate([np.arange(n) for n in sizes]) + space.start

    def __call__(self, obs: Array) -> Array:
        """Returns the encoded rows, one column per choice of each component in turn."""
        flat = obs.reshape(len(obs), -1)
        return np.asarray(flat[:, self.component] == self.choice, self._dtype)
