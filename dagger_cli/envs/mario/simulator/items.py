"""Mushroom and fire flower (docs/mario_rules.md, A.12)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import Body

RISING_TICKS = 9


@compiled
def rise(item: Body) -> bool:
    """Moves an item out of its block by a pixel; returns False once it is out."""
    if item.timer >= RISING_TICKS:
        return False
    item.y -= np.float32(1)
    item.timer += 1
    return True
