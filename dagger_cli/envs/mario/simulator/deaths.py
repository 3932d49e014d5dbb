"""Dying sprites: bodies without contacts that leave the screen (docs/mario_rules.md, B.8)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import NO_HOME, Body, Game


@compiled
def never_return(game: Game, sprite: Body) -> None:
    """Marks the sprite's template as dead."""
    if sprite.home != NO_HOME:
        column = sprite.home // 16
        game.killed[column] = game.killed[column] | (1 << (sprite.home % 16))


@compiled
def knock_out(game: Game, sprite: Body, facing: int) -> None:
    """Kills a walker or pipe flower by shell, fireball or bump; it flies off towards `facing`."""
    sprite.xa = np.float32(2 * facing)
    sprite.ya = np.float32(-5)
    sprite.fly_death = 1
    sprite.dead_time = 100
    sprite.winged = 0
    never_return(game, sprite)


@compiled
def throw_back(sprite: Body) -> None:
    """Kills a shell or fireball; it flies off backwards."""
    sprite.carried = 0
    sprite.xa = np.float32(-2 * sprite.facing)
    sprite.ya = np.float32(-5)
    sprite.dead_time = 100


@compiled
def drop_dead(sprite: Body) -> None:
    """Kills a bullet; it loses its speed and falls."""
    sprite.xa = np.float32(0)
    sprite.ya = np.float32(1)
    sprite.dead_time = 100


@compiled
def count_down(sprite: Body) -> None:
    """Counts `dead_time` down; the last tick removes the body."""
    sprite.dead_time -= 1
    if sprite.dead_time == 0:
        sprite.dead_time = 1
        sprite.leaving = 1


@compiled
def fly(sprite: Body) -> None:
    """Moves a dying body for one tick; the original computes one product in double precision."""
    sprite.x += sprite.xa
    sprite.y += sprite.ya
    sprite.ya = np.float32(np.float64(sprite.ya) * 0.95)
    sprite.ya += np.float32(1)
