"""Additions to and removals from the list of sprites (docs/mario_rules.md, A.5)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import LOST, MAX_SPRITES, NO_HOME, Body, Float, Game
from dagger_cli.envs.mario.simulator.tiles import cell

BIN = MAX_SPRITES - 1


@compiled
def note_cell(sprite: Body) -> None:
    """Stores the cell before the move, which the grid observation shows (B.4 step 7)."""
    sprite.map_x, sprite.map_y = cell(sprite.x), cell(sprite.y)


@compiled
def add(game: Game, kind: int, x: Float, y: Float, facing: int) -> int:
    """Adds a sprite at rest behind the list, until the tick ends; the caller updates it once.

    Where the list is full it is written to the last slot and discarded.
    """
    slot = min(game.n_sprites + game.n_added, BIN)
    if slot < BIN:
        game.n_added += 1
    else:
        game.overflow = 1
    sprite = game.sprites[slot]
    sprite.kind, sprite.facing = kind, facing
    sprite.x, sprite.y = np.float32(x), np.float32(y)
    sprite.xa, sprite.ya = np.float32(0), np.float32(0)
    sprite.home, sprite.timer, sprite.dead_time = NO_HOME, 0, 0
    sprite.winged, sprite.on_ground, sprite.fly_death = 0, 0, 0
    sprite.carried, sprite.leaving, sprite.hunting = 0, 0, 0
    note_cell(sprite)
    return int(slot)


@compiled
def update_list(game: Game) -> None:
    """Adds the new sprites to the list, the first one last, and removes those that leave."""
    if game.n_added:
        _reverse(game, game.n_sprites, game.n_sprites + game.n_added - 1)
        game.n_sprites += game.n_added
        game.n_added = 0
    kept = 1
    for slot in range(1, game.n_sprites):
        if game.sprites[slot].leaving:
            if game.carried == slot:
                game.carried = LOST
            continue
        if kept < slot:
            _move_sprite(game, slot, kept)
        kept += 1
    game.n_sprites = kept


@compiled
def _reverse(game: Game, first: int, last: int) -> None:
    while first < last:
        _move_sprite(game, first, BIN)
        _move_sprite(game, last, first)
        _move_sprite(game, BIN, last)
        first += 1
        last -= 1


@compiled
def _move_sprite(game: Game, source: int, target: int) -> None:
    game.sprites[target] = game.sprites[source]
    if game.carried == source:
        game.carried = target
