"""Blocks bumped from below or by a shell (docs/mario_rules.md, A.14, B.7)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.deaths import knock_out
from dagger_cli.envs.mario.simulator.items import rise
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FIRE_FLOWER,
    FIREBALL,
    FLOWER,
    FLOWER_HALF_WIDTH,
    HALF_WIDTH,
    MUSHROOM,
    SHELL,
)
from dagger_cli.envs.mario.simulator.sprite_list import add
from dagger_cli.envs.mario.simulator.state import TILE, Body, Game, Stage
from dagger_cli.envs.mario.simulator.tiles import (
    BEHAVIOUR,
    BREAKABLE,
    BUMPABLE,
    PICKABLE,
    SPECIAL,
    cell,
    change_tile,
    tile_at,
)


@compiled
def take_coin(game: Game) -> None:
    """Adds a coin; every hundredth one is a life."""
    game.coins += 1
    if game.coins % 100 == 0:
        game.lives += 1


@compiled
def bump(game: Game, stage: Stage, x: int, y: int, can_break: bool) -> None:
    """Bumps a block: it releases its content, breaks, or stays."""
    behaviour = BEHAVIOUR[tile_at(game, stage, x, y)]
    if behaviour & BUMPABLE:
        _bump_above(game, stage, x, y - 1)
        change_tile(game, stage, x, y)
        if behaviour & SPECIAL:
            item = FIRE_FLOWER if game.large else MUSHROOM
            slot = add(game, item, np.float32(x * TILE + 8), np.float32(y * TILE + 8), 1)
            rise(game.sprites[slot])
        else:
            take_coin(game)
    if behaviour & BREAKABLE:
        _bump_above(game, stage, x, y - 1)
        if can_break:
            change_tile(game, stage, x, y)


@compiled
def _bump_above(game: Game, stage: Stage, x: int, y: int) -> None:
    """Collects the coin above a bumped block and bumps the sprites there."""
    if BEHAVIOUR[tile_at(game, stage, x, y)] & PICKABLE:
        take_coin(game)
        change_tile(game, stage, x, y)
    for slot in range(game.n_sprites - 1, 0, -1):
        sprite = game.sprites[slot]
        if _stands_on(sprite, x, y):
            _throw_up(game, sprite)


@compiled
def _stands_on(sprite: Body, x: int, y: int) -> bool:
    half = np.float32(FLOWER_HALF_WIDTH if sprite.kind == FLOWER else HALF_WIDTH)
    left, right = np.float32(x * TILE), np.float32(x * TILE + TILE)
    inside = sprite.x + half > left and sprite.x - half < right
    return bool(inside and y == cell(sprite.y - np.float32(1)))


@compiled
def _throw_up(game: Game, sprite: Body) -> None:
    """Bumps a sprite: shells and mushrooms jump away from Mario, enemies die."""
    kind = sprite.kind
    away = -game.sprites[0].facing
    if kind in (SHELL, MUSHROOM):
        sprite.facing = away
        sprite.ya = np.float32(-10)
    elif kind not in (BULLET, FIREBALL, FIRE_FLOWER) and sprite.dead_time == 0:
        knock_out(game, sprite, away)
