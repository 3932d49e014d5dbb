"""Replays a recorded list of actions and returns the state after every tick.

A row has the columns of the recorded traces:

0 update · 1 action · 2 tick · 3 time left · 4 paused · 5 status (2 running, 1 win, 0 dead) · 6 x ·
7 y · 8 xa · 9 ya · 10 large · 11 fire · 12 on ground · 13 was on ground · 14 ducking ·
15 can shoot · 16 may jump · 17 sliding · 18 jump time · 19 x jump · 20 y jump · 21 invulnerable ·
22 facing · 23 height · 24 death time · 25 win time · 26 carrying · 27 coins · 28 lives ·
29 fireballs · 30 sprites · 31 tile changes · 32 to 35 merged grids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.observations.grids import SIDE
from dagger_cli.envs.mario.rules import Rules
from dagger_cli.envs.mario.simulator.sprite_kinds import FIRE_FLOWER, FLOWER, MUSHROOM
from dagger_cli.envs.mario.simulator.state import NO_SHELL, ROWS, RUNNING, Game, Stage
from dagger_cli.envs.mario.simulator.tiles import CHANGED_INTO

GRID_ZOOMS = ((1, 0), (1, 1), (0, 0), (2, 2))  # columns 32 to 35
GRIDS_EVERY = 8  # updates; none before the first update
_MOTION = ("x", "y", "xa", "ya")
_TIMED = (FLOWER, MUSHROOM, FIRE_FLOWER)


def replay(
    seed: int,
    difficulty: int,
    type: int,
    length: int,
    time_limit: int,
    mode: int,
    actions: Sequence[int],
) -> list[list[Any]]:
    """Returns one row before the first update and one after each, until the game ends.

    `type` is the kind of stage (0 overground, 1 underground, 2 castle), `length` its columns,
    `time_limit` in the game's seconds, `mode` 0 small, 1 large, 2 fire; `actions` are button masks
    (LEFT 1, RIGHT 2, DOWN 4, SPEED 8, JUMP 16), one per update. Floats are float32 values.
    """
    batch = Batch(1, Rules(difficulty, type, length, time_limit, mode))
    slots = np.zeros(1, np.int64)
    batch.start(slots, np.array([seed], np.int64))
    changed = np.array(batch.games[0]["changed"])
    rows = [_row(batch, 0, 0, changed)]
    for update, action in enumerate(actions, start=1):
        if batch.games[0]["status"] != RUNNING:
            break
        batch.advance(slots, np.array([action]), 1)
        rows.append(_row(batch, update, action, changed))
        changed = np.array(batch.games[0]["changed"])
    return rows


def _row(batch: Batch, update: int, action: int, changed_before: Any) -> list[Any]:
    game, stage = batch.games[0], batch.stages[0]
    return [
        update,
        action,
        *_numbers(game, ("tick", "time_left", "paused", "status")),
        *_mario(game),
        _sprites(game),
        _tile_changes(game, stage, changed_before),
        *_grids(batch, update),
    ]


def _numbers(record: Any, names: Sequence[str]) -> list[Any]:
    return [record[name].item() for name in names]


def _mario(game: Game) -> list[Any]:
    mario = game["sprites"][0]
    moves = ("was_on_ground", "ducking", "can_shoot", "may_jump", "sliding")
    jump = ("jump_time", "x_jump", "y_jump", "invulnerable")
    end = ("height", "death_time", "win_time")
    return [
        *_numbers(mario, _MOTION),
        *_numbers(game, ("large", "fire")),
        *_numbers(mario, ("on_ground",)),
        *_numbers(game, moves + jump),
        *_numbers(mario, ("facing",)),
        *_numbers(game, end),
        int(game["carried"] != NO_SHELL),
        *_numbers(game, ("coins", "lives", "fireballs")),
    ]


def _sprites(game: Game) -> list[list[Any]]:
    """Lists all sprites except Mario, newest first."""
    rest = ("facing", "winged", "on_ground", "dead_time", "fly_death", "map_x", "map_y")
    alive = game["sprites"][1 : game["n_sprites"]][::-1]
    return [[*_numbers(s, ("kind", *_MOTION, *rest)), _extra(s)] for s in alive]


def _extra(sprite: Any) -> int:
    return int(sprite["timer"] if sprite["kind"] in _TIMED else sprite["carried"])


def _tile_changes(game: Game, stage: Stage, before: Any) -> list[list[int]]:
    """Lists changes as [x, y, old tile, new tile], by column."""
    columns = np.flatnonzero(game["changed"] != before)
    news = [(x, int(game["changed"][x] ^ before[x])) for x in columns.tolist()]
    cells = [(x, y) for x, rows in news for y in range(ROWS) if rows >> y & 1]
    tiles = [(x, y, int(stage["tiles"][x, y])) for x, y in cells]
    return [[x, y, tile, int(CHANGED_INTO[tile])] for x, y, tile in tiles]


def _grids(batch: Batch, update: int) -> list[list[int] | None]:
    if update == 0 or update % GRIDS_EVERY:
        return [None] * len(GRID_ZOOMS)
    out = np.empty((1, SIDE, SIDE), np.int8)
    grids: list[list[int] | None] = []
    for zooms in GRID_ZOOMS:
        batch.grids(np.zeros(1, np.int64), *zooms, out)
        grids.append(out.reshape(-1).tolist())
    return grids
