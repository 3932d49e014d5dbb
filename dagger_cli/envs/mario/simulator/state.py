"""Records of a game and of a stage.

A game is GAME_BYTES bytes: saving, restoring and copying it is a memory copy. It refers to its
stage by (seed, difficulty, kind, columns): the 10 KiB of a stage never change during a game and are
generated again in some tens of microseconds (`generator.make_stage`). A game stores its changes of
the stage as one bit per cell: a tile changes at most once, into a tile that depends on the first
(`tiles.tile_at`).

`game.sprites` is ordered from the oldest: Mario is always sprite 0, `n_sprites` includes him, and
the rules' order "newest first" is a loop from `n_sprites - 1` down to 0. The rules, with the
sections cited in this package, are in docs/mario_rules.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagger_cli.envs.mario.simulator.jit import compiled

Array = NDArray[Any]
# Records of the three dtypes below, as seen by compiled code.
Game = Any
Stage = Any
Body = Any
Float = Any  # a float32

MAX_COLUMNS = 320  # the competition's length; shorter stages leave the rest empty
ROWS = 15
MAX_SPRITES = 64  # the last is scratch; recorded runs never had more than 15 at once
TILE = 16  # pixels

RUNNING, WON, DEAD = 2, 1, 0  # game.status
NO_SHELL, LOST = -1, -2  # game.carried, if not a sprite's slot; LOST: left the screen while carried
NO_HOME = -1  # sprite.home without a template

SPRITE = np.dtype(
    [
        ("x", "f4"),  # middle of the body
        ("y", "f4"),  # last pixel row of the body
        ("xa", "f4"),  # speed, pixels per tick
        ("ya", "f4"),
        ("map_x", "i2"),  # cell before the last move
        ("home", "i2"),  # 16 column + row of its template
        ("timer", "i2"),  # flower: wait; items: ticks risen
        ("map_y", "i1"),
        ("kind", "i1"),  # see `sprite_kinds`
        ("facing", "i1"),
        ("winged", "i1"),
        ("on_ground", "i1"),
        ("dead_time", "i1"),  # above 0: a dying body (B.8)
        ("fly_death", "i1"),
        ("carried", "i1"),
        ("leaving", "i1"),  # removed at the end of this tick
        ("hunting", "i1"),  # shell or fireball that may hit others in this tick
    ],
    align=True,
)

GAME = np.dtype(
    [
        ("seed", "i8"),  # the stage: seed, difficulty, kind, columns
        ("difficulty", "i4"),
        ("columns", "i2"),
        ("kind", "i1"),  # 0 overground, 1 underground, 2 castle
        ("status", "i1"),
        ("time_left", "i4"),  # ticks
        ("tick", "i4"),
        ("coins", "i4"),
        ("lives", "i4"),
        ("x_jump", "f4"),
        ("y_jump", "f4"),
        ("x_camera", "f4"),
        ("n_sprites", "i2"),  # including Mario
        ("n_added", "i2"),  # added in this tick, behind the n_sprites
        ("carried", "i2"),  # slot of the shell that Mario carries
        ("first_column", "i2"),  # of the last spawn scan
        ("last_column", "i2"),
        ("jump_time", "i2"),
        ("invulnerable", "i2"),
        ("death_time", "i2"),
        ("win_time", "i2"),
        ("height", "i1"),  # of Mario, pixels
        ("fireballs", "i1"),
        ("keys", "u1"),  # of this tick
        ("paused", "i1"),
        ("large", "i1"),
        ("fire", "i1"),
        ("was_on_ground", "i1"),
        ("ducking", "i1"),
        ("can_shoot", "i1"),
        ("may_jump", "i1"),
        ("sliding", "i1"),
        ("overflow", "i1"),  # a sprite was discarded because the list was full
        ("changed", "u2", (MAX_COLUMNS,)),  # by column: bit y set if tile y has changed
        ("killed", "u2", (MAX_COLUMNS,)),  # by column: bit y set if template y is dead
        ("spare", "u1", (6,)),  # padding to whole words of 8 bytes
        ("sprites", SPRITE, (MAX_SPRITES,)),
    ],
    align=True,
)

STAGE = np.dtype(
    [
        ("columns", "i4"),
        ("x_exit", "i4"),  # tiles
        ("y_exit", "i4"),
        ("tiles", "u1", (MAX_COLUMNS, TILE)),  # by column; row 15 is not used
        ("templates", "u1", (MAX_COLUMNS, TILE)),  # 0 none, else 1 + 2 kind + winged
        ("template_rows", "u2", (MAX_COLUMNS,)),  # bit y: there is a template in row y
        ("cannon_rows", "u2", (MAX_COLUMNS,)),  # bit y: there is a cannon head in row y
    ],
    align=True,
)

WORD = 8
GAME_BYTES = GAME.itemsize
# A game of n sprites is the first HEAD_WORDS + n SPRITE_WORDS words of its row.
SPRITE_WORDS = SPRITE.itemsize // WORD
HEAD_WORDS = GAME_BYTES // WORD - MAX_SPRITES * SPRITE_WORDS


def new_games(n: int) -> Array:
    """Returns (n,) games; each must be started before use."""
    return np.zeros(n, GAME)


def new_stages(n: int) -> Array:
    """Returns (n,) stages, to be filled by `generator.make_stage`."""
    return np.zeros(n, STAGE)


def rows_of(games: Array) -> Array:
    """Returns the bytes of (n,) games, (n, GAME_BYTES) uint8, in the same memory."""
    return games.view(np.uint8).reshape(len(games), GAME_BYTES)


def words_of(games: Array) -> Array:
    """Returns the words of (n,) games, (n, GAME_BYTES / 8) int64, in the same memory."""
    return games.view(np.int64).reshape(len(games), GAME_BYTES // WORD)


def games_of(rows: Array) -> Array:
    """Returns (n,) games from (n, GAME_BYTES) uint8; a view if contiguous and aligned."""
    whole = np.require(rows, np.uint8, "C")
    if whole.ctypes.data % GAME.alignment:
        whole = whole.copy()
    games: Array = whole.reshape(-1).view(GAME)
    return games


@compiled
def copy_game(games: Array, words: Array, source: int, target: int) -> None:
    """Copies game `source` to game `target`; `words` is `words_of(games)`.

    Copies only the sprites in use: with five of them half of the row.
    """
    used = HEAD_WORDS + games[source].n_sprites * SPRITE_WORDS
    for word in range(used):
        words[target, word] = words[source, word]
