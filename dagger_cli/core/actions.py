"""Enumeration of a finite action space."""

from __future__ import annotations

from itertools import product

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space

MOST = 32


def all_actions(space: Space, *, instead: str) -> Array:
    """Returns every action, (K, *action_shape); the last component changes fastest.

    Raises ConfigError, ending with the advice `instead`, where there are more than `MOST`.
    """
    count = int(np.prod(space.sizes))
    if count > MOST:
        raise ConfigError(
            f"this environment has {count} actions, too many to evaluate all in every state "
            f"(at most {MOST}); {instead}"
        )
    choices = [range(space.start, space.start + size) for size in space.sizes]
    return np.array(list(product(*choices)), space.dtype).reshape(count, *space.shape)
