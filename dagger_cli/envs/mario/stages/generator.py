"""Stage generator of 2009 (docs/mario_rules.md, C.2): a sequence of zones.

The order of the random draws determines the stage, so draws that the original makes and does not
use are made here too. Difficulty 0 has no pits; cannons start at 3.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import ROWS, Array, Stage
from dagger_cli.envs.mario.simulator.tiles import CANNON_HEAD
from dagger_cli.envs.mario.stages.borders import put_ceiling, trim_ground
from dagger_cli.envs.mario.stages.java_random import below, seed_random
from dagger_cli.envs.mario.stages.zones import (
    cannons,
    draw_floor,
    ground,
    hills,
    jump,
    straight,
    tubes,
)

LAST_ZONES = 64  # columns at the end in which no zone starts


@compiled
def make_stage(stage: Stage, seed: int, difficulty: int, kind: int, columns: int) -> None:
    """Generates a stage into `stage`; kind 0 overground, 1 underground, 2 castle."""
    random = np.empty(1, np.int64)
    seed_random(random, seed)
    _clear(stage, columns)
    x = straight(stage, random, difficulty, 0, columns, True)
    while x < columns - LAST_ZONES:
        x += _zone(stage, random, difficulty, kind, x, columns - x)
    floor = draw_floor(random)
    stage.x_exit, stage.y_exit = x + 8, floor
    for column in range(x, columns):
        ground(stage, column, floor)
    if kind != 0:
        put_ceiling(stage, random)
    trim_ground(stage, kind)
    _find_cannons(stage)


@compiled
def _clear(stage: Stage, columns: int) -> None:
    stage.columns = columns
    stage.tiles[:] = 0
    stage.templates[:] = 0
    stage.template_rows[:] = 0
    stage.cannon_rows[:] = 0


@compiled
def _zone(stage: Stage, random: Array, difficulty: int, kind: int, x: int, longest: int) -> int:
    """Draws and builds one zone from column x on; returns its length."""
    straights, tubes_from = 20, 20 + (10 if kind == 0 else 0)
    jumps_from = tubes_from + max(2 + difficulty, 0)
    cannons_from = jumps_from + max(2 * difficulty, 0)
    drawn = below(random, cannons_from + max(5 * difficulty - 10, 0))
    if drawn >= cannons_from:
        return cannons(stage, random, x, longest)
    if drawn >= jumps_from:
        return jump(stage, random, x)
    if drawn >= tubes_from:
        return tubes(stage, random, difficulty, x, longest)
    if drawn >= straights:
        return hills(stage, random, difficulty, x, longest)
    return straight(stage, random, difficulty, x, longest, False)


@compiled
def _find_cannons(stage: Stage) -> None:
    for x in range(stage.columns):
        for y in range(ROWS):
            if stage.tiles[x, y] == CANNON_HEAD:
                stage.cannon_rows[x] = stage.cannon_rows[x] | (1 << y)
