"""Hits of shells and fireballs on other sprites (docs/mario_rules.md, A.13, B.8)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.deaths import drop_dead, knock_out, throw_back
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FIRE_FLOWER,
    FIREBALL,
    HEIGHT,
    MUSHROOM,
    SHELL,
    SPIKY,
    WINGED_SPIKY,
)
from dagger_cli.envs.mario.simulator.state import NO_SHELL, Body, Game

REACH = np.float32(16)


@compiled
def apply_hits(game: Game, kind: int) -> None:
    """Applies the hits of every shell, or every fireball, that moved in this tick.

    They are processed in the order of their moves: those of the list, then the new ones.
    """
    for slot in range(game.n_sprites - 1, 0, -1):
        _hit_all(game, slot, kind)
    for slot in range(game.n_sprites, game.n_sprites + game.n_added):
        _hit_all(game, slot, kind)


@compiled
def _hit_all(game: Game, slot: int, kind: int) -> None:
    hunter = game.sprites[slot]
    if hunter.kind != kind or not hunter.hunting:
        return
    hunter.hunting = 0
    for other in range(game.n_sprites - 1, 0, -1):
        if hunter.dead_time > 0:
            return
        if other != slot and _meet(hunter, game.sprites[other]):
            if kind == SHELL:
                _shell_hits(game, slot, other)
            else:
                _fireball_hits(game, hunter, game.sprites[other])


@compiled
def _meet(hunter: Body, victim: Body) -> bool:
    if victim.dead_time != 0 or victim.kind in (MUSHROOM, FIRE_FLOWER, FIREBALL):
        return False
    dx, dy = hunter.x - victim.x, hunter.y - victim.y
    above, below = -np.float32(HEIGHT[victim.kind]), np.float32(HEIGHT[hunter.kind])
    return dx > -REACH and dx < REACH and above < dy and dy < below


@compiled
def _shell_hits(game: Game, slot: int, other: int) -> None:
    """A shell survives, unless it hits another shell or is carried."""
    shell, victim = game.sprites[slot], game.sprites[other]
    if victim.kind == SHELL:
        if game.carried == slot or game.carried == other:
            game.carried = NO_SHELL
        throw_back(victim)
        throw_back(shell)
        return
    if victim.kind == BULLET:
        drop_dead(victim)
    else:
        knock_out(game, victim, shell.facing)
    if game.carried == slot:
        game.carried = NO_SHELL
        throw_back(shell)


@compiled
def _fireball_hits(game: Game, ball: Body, victim: Body) -> None:
    """The ball dies; spikies, bullets and moving shells survive."""
    kind = victim.kind
    if kind == SHELL:
        if victim.facing == 0:
            victim.xa = np.float32(2 * ball.facing)
            victim.ya = np.float32(-5)
            victim.dead_time = 100
    elif kind not in (SPIKY, WINGED_SPIKY, BULLET):
        knock_out(game, victim, ball.facing)
    throw_back(ball)
