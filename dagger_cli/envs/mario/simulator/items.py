"""Mushroom and fire flower (A.12, B.7)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import Body

RISING_TICKS = 9


@compiled
def rise(item: Body) -> bool:
    """An item comes out of its block, a pixel a tick; False once it is out."""
    if item.timer >= RISING_TICKS:
        return False
    item.y -= np.float32(1)
    item.timer += 1
    return True
