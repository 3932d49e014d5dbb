"""Tile properties and tile changes (docs/mario_rules.md, B.2)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import ROWS, Array, Float, Game, Stage

PLATFORM, SOLID, HIDDEN, SPECIAL = 1, 2, 4, 8  # bits of a tile's properties
BUMPABLE, BREAKABLE, PICKABLE, ANIMATED = 16, 32, 64, 128
CHANGEABLE = BUMPABLE | BREAKABLE | PICKABLE

EMPTY, USED_BLOCK = 0, 4
CANNON_HEAD = 14
COIN = 34
GROUND = 145


def _behaviour() -> Array:
    """Returns the table of B.2. The inside of the ground (145, 131, 147, ...) is not solid."""
    table = np.zeros(256, np.uint8)
    table[[132, 133, 134, 180, 181, 182, 224, 225, 226]] = PLATFORM
    table[[8, 9, 10, 11, 12, 24, 26, 27, 28, 30, 40, 41, 46, 56, 57]] = SOLID
    table[[128, 129, 130, 136, 137, 138, 140, 141, 142]] = SOLID
    table[[144, 146, 152, 153, 154, 156, 157, 158]] = SOLID
    table[[160, 161, 162, 168, 169, 170, 172, 173, 174, 176, 177, 178]] = SOLID
    table[1], table[2] = HIDDEN | BUMPABLE, HIDDEN | BUMPABLE | SPECIAL
    table[4:8] = ANIMATED | SOLID
    table[CANNON_HEAD] = ANIMATED | SPECIAL | SOLID
    table[[17, 20, 21, 23]] = ANIMATED | BUMPABLE | SOLID
    table[[18, 22]] = ANIMATED | BUMPABLE | SPECIAL | SOLID
    table[[16, 19]] = ANIMATED | BREAKABLE | SOLID
    table[32:36] = ANIMATED | PICKABLE
    return table


BEHAVIOUR = _behaviour()  # (256,) uint8: bits by tile
CHANGED_INTO = np.where(BEHAVIOUR & BUMPABLE, USED_BLOCK, EMPTY).astype(np.uint8)


@compiled
def tile_at(game: Game, stage: Stage, x: int, y: int) -> int:
    """Returns the current tile of a cell; beside and below the map its border continues."""
    if y < 0:
        return EMPTY
    x = min(max(x, 0), stage.columns - 1)
    y = min(y, ROWS - 1)
    tile = int(stage.tiles[x, y])
    if BEHAVIOUR[tile] & CHANGEABLE and (game.changed[x] >> y) & 1:
        return int(CHANGED_INTO[tile])
    return tile


@compiled
def change_tile(game: Game, stage: Stage, x: int, y: int) -> None:
    """Removes a coin or broken brick, or turns a block into a used one; ignores cells outside."""
    if 0 <= x < stage.columns and 0 <= y < ROWS:
        game.changed[x] = game.changed[x] | (1 << y)


@compiled
def blocks(behaviour: int, ya: Float) -> bool:
    """Returns whether a tile blocks: platforms only downwards, hidden blocks only upwards."""
    if behaviour & SOLID:
        return True
    return bool((behaviour & PLATFORM and ya > 0) or (behaviour & HIDDEN and ya < 0))


@compiled
def cell(pixel: Float) -> int:
    """Converts px to tiles, truncating towards zero: -15.9 to 15.9 are all tile 0 (A.1)."""
    return int(pixel * np.float32(0.0625))
