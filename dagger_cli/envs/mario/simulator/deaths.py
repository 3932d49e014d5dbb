"""Sprites that die visibly: harmless bodies that fly off the screen (B.8)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import NO_HOME, Body, Game


@compiled
def never_return(game: Game, sprite: Body) -> None:
    """The template that made it stays dead."""
    if sprite.home != NO_HOME:
        column = sprite.home // 16
        game.killed[column] = game.killed[column] | (1 << (sprite.home % 16))


@compiled
def knock_out(game: Game, sprite: Body, facing: int) -> None:
    """A walker or pipe flower dies by shell, fireball or bump and flies off in that direction."""
    sprite.xa = np.float32(2 * facing)
    sprite.ya = np.float32(-5)
    sprite.fly_death = 1
    sprite.dead_time = 100
    sprite.winged = 0
    never_return(game, sprite)


@compiled
def throw_back(sprite: Body) -> None:
    """A shell or fireball dies and flies off backwards."""
    sprite.carried = 0
    sprite.xa = np.float32(-2 * sprite.facing)
    sprite.ya = np.float32(-5)
    sprite.dead_time = 100


@compiled
def drop_dead(sprite: Body) -> None:
    """A bullet loses its speed and falls."""
    sprite.xa = np.float32(0)
    sprite.ya = np.float32(1)
    sprite.dead_time = 100


@compiled
def count_down(sprite: Body) -> None:
    """A body lies about for `dead_time` ticks; the last one drops it from the list."""
    sprite.dead_time -= 1
    if sprite.dead_time == 0:
        sprite.dead_time = 1
        sprite.leaving = 1


@compiled
def fly(sprite: Body) -> None:
    """One tick of the flight; the original rounds this one product in double precision."""
    sprite.x += sprite.xa
    sprite.y += sprite.ya
    sprite.ya = np.float32(np.float64(sprite.ya) * 0.95)
    sprite.ya += np.float32(1)
