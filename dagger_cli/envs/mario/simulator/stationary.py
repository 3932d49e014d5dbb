"""Sprites without tile collisions: pipe flower, bullet (docs/mario_rules.md, A.9, B.8)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.deaths import count_down, fly
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import TILE, Body, Game

BULLET_SPEED = np.float32(4)
EMERGE = np.float32(-8)
PATIENCE, SHY = 40, 24  # ticks of waiting; px of distance to Mario
LONGEST_WAIT = 32767  # maximum of its timer


@compiled
def flower_bed(home: int) -> int:
    """Returns the y at which the flower of a template waits."""
    return TILE * (home % TILE) + 24


@compiled
def update_flower(game: Game, flower: Body) -> None:
    """Updates a flower: it waits in its pipe, jumps out unless Mario is near, and sinks back."""
    if flower.dead_time > 0:
        count_down(flower)
        fly(flower)
        return
    bed = np.float32(flower_bed(flower.home))
    if flower.y >= bed:
        flower.y = bed
        flower.timer = min(flower.timer + 1, LONGEST_WAIT)
        distance = int(abs(game.sprites[0].x - flower.x))
        leaps = flower.timer > PATIENCE and distance > SHY
        flower.ya = EMERGE if leaps else np.float32(0)
    else:
        flower.timer = 0
    flower.y += flower.ya
    flower.ya = np.float32(np.float64(flower.ya) * 0.9)
    flower.ya += np.float32(0.1)


@compiled
def update_bullet(bullet: Body) -> None:
    """Updates a bullet, which flies through everything."""
    if bullet.dead_time > 0:
        count_down(bullet)
        fly(bullet)
        return
    bullet.xa = np.float32(bullet.facing) * BULLET_SPEED
    bullet.x += bullet.xa
