"""Danger of a position: how soon Mario would be lost if he kept his speed.

A plan with a small margin is a poor label for a learner that imitates it inexactly, so positions
from which coasting leads into an enemy or a pit within `ALARM` ticks cost extra. The motion is
simplified: horizontal speeds are constant, gravity acts, floors carry, walls stop.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FLOWER,
    HEIGHT,
    SHELL,
    SPIKY,
    WINGED_SPIKY,
)
from dagger_cli.envs.mario.simulator.state import Body, Game, Stage
from dagger_cli.envs.mario.simulator.tiles import BEHAVIOUR, PLATFORM, SOLID, tile_at

ALARM = 12  # ticks ahead
NEAR = 16.0  # px of horizontal distance that count as contact; 12 in the rules, plus a margin
DEEP = 250.0  # px; below every floor
FLOOR = SOLID | PLATFORM
NOTHING, STOMPED, HURT = 0, 1, 2


@compiled
def danger(game: Game, stage: Stage) -> float:
    """Returns the danger from 0, safe for `ALARM` ticks, to 1, lost at once."""
    mario = game.sprites[0]
    x, y = np.float64(mario.x), np.float64(mario.y)
    xa, ya = np.float64(mario.xa), np.float64(mario.ya)
    stands = mario.on_ground != 0
    for tick in range(1, ALARM + 1):
        if at(stage, game, x + xa + (4.0 if xa > 0 else -4.0), y) & SOLID:
            xa = 0.0
        x += xa
        if stands:
            stands = (at(stage, game, x - 4, y + 1) | at(stage, game, x + 4, y + 1)) & FLOOR != 0
            if not stands:
                ya = 3.0
        else:
            y, ya, stands = fall(game, stage, x, y, ya)
        if y > DEEP:
            return 1 - tick / (ALARM + 1)
        met = meets(game, tick, x, y, ya, stands)
        if met == STOMPED:
            return 0.0
        if met == HURT:
            return 1 - tick / (ALARM + 1)
    return 0.0


@compiled
def at(stage: Stage, game: Game, x: float, y: float) -> int:
    """Returns the properties of the tile at a point."""
    if y < 0 or y >= 240 or x < 0:
        return 0
    return int(BEHAVIOUR[tile_at(game, stage, int(x) // 16, int(y) // 16)])


@compiled
def fall(game: Game, stage: Stage, x: float, y: float, ya: float) -> tuple[float, float, bool]:
    """Advances a fall by a tick; returns the new y, the new speed, and whether he stands."""
    if ya > 0:
        row = int(y) // 16 + 1
        while row * 16 <= y + ya + 1:
            edge = np.float64(row * 16)
            if (at(stage, game, x - 4, edge) | at(stage, game, x + 4, edge)) & FLOOR:
                return edge - 1, 3.0, True
            row += 1
    return y + ya, ya * 0.85 + 3, False


@compiled
def meets(game: Game, tick: int, x: float, y: float, ya: float, stands: bool) -> int:
    """Returns whether he touches an enemy after `tick` ticks: NOTHING, STOMPED or HURT."""
    for slot in range(1, game.n_sprites):
        enemy = game.sprites[slot]
        kind = enemy.kind
        if enemy.dead_time != 0 or enemy.carried or kind > SHELL:
            continue
        dx = x - (enemy.x + pace(enemy) * tick)
        if dx < -NEAR or dx > NEAR:
            continue
        dy = y - enemy.y
        slack = 24.0 if kind == FLOWER else (8.0 if enemy.winged else 2.0)
        if dy < -HEIGHT[kind] - slack or dy > game.height + slack:
            continue
        if kind == SHELL and enemy.facing == 0:
            continue
        soft = kind != FLOWER and kind != SPIKY and kind != WINGED_SPIKY
        if soft and not stands and ya > 0 and dy <= 0:
            return STOMPED
        return HURT
    return NOTHING


@compiled
def pace(enemy: Body) -> float:
    """Returns an enemy's horizontal speed in px per tick."""
    if enemy.kind == FLOWER:
        return 0.0
    speed = 4.0 if enemy.kind == BULLET else 11.0 if enemy.kind == SHELL else 1.75
    return float(enemy.facing * speed)
