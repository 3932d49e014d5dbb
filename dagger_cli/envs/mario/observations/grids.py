"""Merged grid of 22 x 22 cells around Mario (docs/mario_rules.md, D.1).

`zoom_level` and `zoom_enemies` go from 0 (every tile and sprite has its own number) to 2 (occupied
or not). Players usually get (1, 0). Cell [r, c] shows map cell (column of Mario - 11 + c, row of
Mario - 11 + r); Mario's own cell is [11, 11].
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FIREBALL,
    FLOWER,
    GOOMBA,
    MUSHROOM,
    SHELL,
    SPIKY,
    WINGED_GREEN_KOOPA,
)
from dagger_cli.envs.mario.simulator.state import ROWS, Array, Game, Stage
from dagger_cli.envs.mario.simulator.tiles import cell, tile_at

SIDE = 22  # cells
CENTRE = 11
ZOOMS = 3


def _level_codes() -> Array:
    """Returns the code of every tile at each zoom, (3, 256) int8; tiles from 128 are negative."""
    signed = np.arange(256).astype(np.uint8).view(np.int8)
    codes = np.stack([signed, signed, np.ones(256, np.int8)])
    codes[:2, [16, 17, 18]], codes[:2, [21, 22]] = 16, 21
    codes[1:, [34, 15, 148, 149, 150]] = 0
    codes[1, [10, 11, 26, 27, 14, 30, 46]] = 20
    codes[1, [132, 133, 134, 180, 182]] = -11
    ground = [4, 9, *range(128, 132), *range(136, 148), *range(152, 160), *range(168, 176)]
    codes[1, [*ground, 187, 191]] = -10
    codes[:, 0] = 0
    return codes


def _sprite_codes() -> Array:
    """Returns the code of every kind of sprite at each zoom, (3, 32) int8."""
    kinds = np.arange(32).astype(np.int8)
    codes = np.stack([kinds, kinds, np.ones(32, np.int8)])
    codes[1, [BULLET, SHELL, *range(GOOMBA, WINGED_GREEN_KOOPA + 1)]] = 2
    codes[1, [SPIKY, FLOWER]] = 9
    codes[2, FIREBALL] = 0
    return codes


LEVEL_CODES, SPRITE_CODES = _level_codes(), _sprite_codes()


@compiled
def draw_grid(game: Game, stage: Stage, zoom_level: int, zoom_enemies: int, grid: Array) -> None:
    """Draws the grid of a game into `grid` (22, 22) int8."""
    mario = game.sprites[0]
    left, top = cell(mario.x) - CENTRE, cell(mario.y) - CENTRE
    _draw_level(game, stage, LEVEL_CODES[zoom_level], left, top, grid)
    for slot in range(game.n_sprites - 1, 0, -1):
        sprite = game.sprites[slot]
        code = SPRITE_CODES[zoom_enemies, sprite.kind]
        column, row = sprite.map_x - left, sprite.map_y - top
        # Sprites are never drawn in the first row and column, nor left of or above the map.
        inside = 0 < column < SIDE and 0 < row < SIDE
        if code == 0 or not inside or sprite.map_x < 0 or sprite.map_y < 0:
            continue
        if grid[row, column] != MUSHROOM:
            grid[row, column] = code


@compiled
def _draw_level(game: Game, stage: Stage, codes: Array, left: int, top: int, grid: Array) -> None:
    """Draws the tiles; cells left of, above and below the map are 0."""
    first, last = max(0, -top), min(SIDE, ROWS - top)
    grid[:] = 0
    for c in range(max(0, -left), SIDE):
        for r in range(first, last):
            grid[r, c] = codes[tile_at(game, stage, left + c, top + r)]
