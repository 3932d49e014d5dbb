"""All actions of a countable space, for those who weigh each of them in every state."""

from __future__ import annotations

from itertools import product

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space

MOST = 32


def all_actions(space: Space, *, instead: str) -> Array:
    """(K, *action_shape) every action, the last component changing fastest.

    Raises ConfigError where there are too many, with `instead` as its advice.
    """
    count = int(np.prod(space.sizes))
    if count > MOST:
        raise ConfigError(
            f"this environment has {count} actions, too many to weigh each of them in every state "
            f"(at most {MOST}); {instead}"
        )
    choices = [range(space.start, space.start + size) for size in space.sizes]
    return np.array(list(product(*choices)), space.dtype).reshape(count, *space.shape)
