"""Ceiling of closed stages and borders of the ground (docs/mario_rules.md, C.2, C.3)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import ROWS, Array, Stage
from dagger_cli.envs.mario.simulator.tiles import GROUND
from dagger_cli.envs.mario.stages.java_random import below

SHIFT = (0, 12, 8)  # added to the tile numbers, by kind of stage
KEEP = 0
# The tile by its corners inside the ground: bits top left, top right, bottom left and bottom
# right, from 8 to 1.
TRIMMED = np.array(
    [KEEP, 128, 130, 129, 160, 144, 145, 131, 162, 145, 146, 147, 161, 179, 163, 145], np.uint8
)


@compiled
def put_ceiling(stage: Stage, random: Array) -> None:
    """Puts ground along the top, of random thickness, and a wall at the left border."""
    thickness, left = 0, 0
    for x in range(stage.columns):
        left -= 1
        if left < 0 and x > 4:
            thickness = below(random, 4)
            left = below(random, 4) + 4
        rows = ROWS if x == 0 else (thickness + 1 if x > 4 else 0)
        for y in range(rows):
            stage.tiles[x, y] = GROUND


@compiled
def trim_ground(stage: Stage, kind: int) -> None:
    """Turns raw ground into ground with borders, which alone are solid."""
    shift = SHIFT[kind]
    raw_before, raw = _raw(stage, 0), _raw(stage, 0)
    for x in range(stage.columns):
        raw_after = _raw(stage, min(x + 1, stage.columns - 1))
        left, right = _corners(raw_before & raw), _corners(raw & raw_after)
        for y in range(ROWS):
            corners = ((left >> y) & 1) << 3 | ((right >> y) & 1) << 2
            corners |= ((left >> (y + 1)) & 1) << 1 | ((right >> (y + 1)) & 1)
            if TRIMMED[corners] != KEEP:
                stage.tiles[x, y] = TRIMMED[corners] + shift
        raw_before, raw = raw, raw_after


@compiled
def _raw(stage: Stage, x: int) -> int:
    """Returns a mask: bit y is set if cell (x, y) is raw ground."""
    rows = 0
    for y in range(ROWS):
        if stage.tiles[x, y] == GROUND:
            rows |= 1 << y
    return rows


@compiled
def _corners(both: int) -> int:
    """Returns a mask: bit y is set if the corner above row y is inside; border rows repeat."""
    below_corner = both | ((both >> (ROWS - 1)) & 1) << ROWS
    above_corner = both << 1 | (both & 1)
    return below_corner & above_corner
