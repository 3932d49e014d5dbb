"""Spawning of templates, and cannons (docs/mario_rules.md, B.4 step 6).

A template spawns when its cell enters the window: it was not in the window of the tick before, its
sprite is not in the list, and it is not marked dead. The original stores when each template was
last seen; as the window is a range of whole columns, the last window is equivalent.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FLOWER,
    FLOWER_TEMPLATE,
    WALKER_OF_TEMPLATE,
)
from dagger_cli.envs.mario.simulator.sprite_list import add, note_cell
from dagger_cli.envs.mario.simulator.state import ROWS, TILE, Game, Stage
from dagger_cli.envs.mario.simulator.stationary import flower_bed, update_bullet, update_flower
from dagger_cli.envs.mario.simulator.tiles import CANNON_HEAD, cell, tile_at
from dagger_cli.envs.mario.simulator.walkers import update_walker

SCREEN = np.float32(320)
RELOAD = 100  # ticks between two bullets of a cannon


@compiled
def until_shot(game: Game, x: int) -> int:
    """Returns the ticks until the cannons of column x may fire, 0 where they may now."""
    return int(2 * x - game.tick) % RELOAD


@compiled
def scan(game: Game, stage: Stage) -> None:
    """Scans the window: columns from left to right, rows from top to bottom."""
    first = cell(game.x_camera) - 1
    last = cell(game.x_camera + SCREEN) + 1
    for x in range(first, last + 1):
        entered = x < game.first_column or x > game.last_column
        fires = until_shot(game, x) == 0
        if entered or fires:
            _scan_column(game, stage, x, entered, fires)
    game.first_column, game.last_column = first, last


@compiled
def _scan_column(game: Game, stage: Stage, x: int, entered: bool, fires: bool) -> None:
    towards = _towards_mario(game, x)
    fires = fires and towards != 0
    inside = 0 <= x < stage.columns
    rows = stage.template_rows[x] if inside and entered else 0
    cannons = stage.cannon_rows[min(max(x, 0), stage.columns - 1)] if fires else 0
    if not (rows or cannons):
        return
    for y in range(-1, ROWS + 2):
        if 0 <= y < ROWS and (rows >> y) & 1:
            _spawn(game, stage, x, y, towards)
        if cannons and tile_at(game, stage, x, y) == CANNON_HEAD:
            _fire(game, x, y, towards)


@compiled
def _towards_mario(game: Game, x: int) -> int:
    """Returns -1 or 1, or 0 where Mario is at most a tile away."""
    middle, mario = np.float32(TILE * x + TILE // 2), game.sprites[0].x
    if middle > mario + np.float32(TILE):
        return -1
    return 1 if middle < mario - np.float32(TILE) else 0


@compiled
def _spawn(game: Game, stage: Stage, x: int, y: int, facing: int) -> None:
    home = TILE * x + y
    if (game.killed[x] >> y) & 1:
        return
    for slot in range(1, game.n_sprites):
        if game.sprites[slot].home == home:
            return
    code = int(stage.templates[x, y]) - 1
    if code // 2 == FLOWER_TEMPLATE:
        _spawn_flower(game, x, home)
    else:
        _spawn_walker(game, stage, home, code, 1 if facing == 0 else facing)


@compiled
def _spawn_walker(game: Game, stage: Stage, home: int, code: int, facing: int) -> None:
    x, y = np.float32(home // TILE * TILE + 8), np.float32(home % TILE * TILE + 15)
    kind = WALKER_OF_TEMPLATE[code // 2] + code % 2
    walker = game.sprites[add(game, kind, x, y, facing)]
    walker.home, walker.winged = home, code % 2
    update_walker(game, stage, walker)


@compiled
def _spawn_flower(game: Game, x: int, home: int) -> None:
    """Spawns a flower, which is updated five times at its creation."""
    y = np.float32(flower_bed(home) - 1)
    flower = game.sprites[add(game, FLOWER, np.float32(TILE * x + 15), y, 1)]
    flower.home = home
    flower.ya = np.float32(-8)
    for _ in range(4):
        update_flower(game, flower)
    note_cell(flower)
    update_flower(game, flower)


@compiled
def _fire(game: Game, x: int, y: int, facing: int) -> None:
    left, foot = np.float32(TILE * x + 8 + 8 * facing), np.float32(TILE * y + 15)
    bullet = game.sprites[add(game, BULLET, left, foot, facing)]
    bullet.ya = np.float32(-5)
    update_bullet(bullet)
