"""The state of one game as one row of bytes, and of one stage as another.

A game is GAME_BYTES bytes: saving, restoring and copying it is a memory copy. It names its stage
(seed, difficulty, kind, columns) instead of holding it: the 10 KiB of a stage never change during
play and are generated again from the name in some tens of microseconds (`generator.make_stage`).
What play changes of a stage is one bit for each cell: a tile changes at most once, and into what
follows from what it was (`tiles.tile_at`).

Sprites stand in `game.sprites`, oldest first: Mario is always sprite 0, `n_sprites` counts him, and
the rules' order "newest first" is a loop from `n_sprites - 1` down to 0 (A.5 step 10). The section
and letter numbers in this package are those of our specification of the 2009 competition's rules,
which is not part of the repository: A the common base, B what is particular to 2009, C the
generator of stages, D observations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dagger_cli.envs.mario.simulator.jit import compiled

Array = NDArray[Any]
# Records of the three dtypes below, as compiled code sees them.
Game = Any
Stage = Any
Body = Any
Float = Any  # a float32

MAX_COLUMNS = 320  # the competition's length; shorter stages leave the rest empty
ROWS = 15
MAX_SPRITES = 64  # the last is a bin; recorded runs never had more than 15 at once
TILE = 16  # pixels

RUNNING, WON, DEAD = 2, 1, 0  # game.status
NOBODY, LOST = -1, -2  # game.carried besides a sprite's number; LOST: it left the screen in hand
NO_HOME = -1  # sprite.home of what no template made

SPRITE = np.dtype(
    [
        ("x", "f4"),  # middle of the body
        ("y", "f4"),  # last pixel row of the body
        ("xa", "f4"),  # speed, pixels per tick
        ("ya", "f4"),
        ("map_x", "i2"),  # its cell before its last move
        ("home", "i2"),  # 16 column + row of the template that made it
        ("timer", "i2"),  # flower: wait; items: life
        ("map_y", "i1"),
        ("kind", "i1"),  # `kinds`
        ("facing", "i1"),
        ("winged", "i1"),
        ("on_ground", "i1"),
        ("dead_time", "i1"),  # above 0: a harmless body (B.8)
        ("fly_death", "i1"),
        ("carried", "i1"),
        ("leaving", "i1"),  # goes at the end of this tick
        ("hunting", "i1"),  # shell or fireball that may hit others in this tick
    ],
    align=True,
)

GAME = np.dtype(
    [
        ("seed", "i8"),  # the stage's name: seed, difficulty, kind, columns
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
        ("n_sprites", "i2"),  # with Mario
        ("n_added", "i2"),  # born in this tick, behind the n_sprites
        ("carried", "i2"),  # the sprite in Mario's hands
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
        ("overflow", "i1"),  # a birth was skipped for want of a place
        ("changed", "u2", (MAX_COLUMNS,)),  # by column: bit y says that tile y has changed
        ("killed", "u2", (MAX_COLUMNS,)),  # by column: bit y says that template y stays dead
        ("spare", "u1", (6,)),  # so that copies go by whole words of 8 bytes
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
    """(n,) games; each must be started before it is played."""
    return np.zeros(n, GAME)


def new_stages(n: int) -> Array:
    """(n,) stages, to be filled by `generator.make_stage`."""
    return np.zeros(n, STAGE)


def rows_of(games: Array) -> Array:
    """(n, GAME_BYTES) uint8: the bytes of (n,) games, the same memory."""
    return games.view(np.uint8).reshape(len(games), GAME_BYTES)


def words_of(games: Array) -> Array:
    """(n, GAME_BYTES / 8) int64: the same memory in the unit `copy_game` moves."""
    return games.view(np.int64).reshape(len(games), GAME_BYTES // WORD)


def games_of(rows: Array) -> Array:
    """(n,) games of (n, GAME_BYTES) uint8; the same memory where it is contiguous and aligned."""
    whole = np.require(rows, np.uint8, "C")
    if whole.ctypes.data % GAME.alignment:
        whole = whole.copy()
    games: Array = whole.reshape(-1).view(GAME)
    return games


@compiled
def copy_game(games: Array, words: Array, source: int, target: int) -> None:
    """Game `target` becomes game `source`; `words` is `words_of(games)`.

    Only the sprites that are there are copied: with five of them half of the row.
    """
    used = HEAD_WORDS + games[source].n_sprites * SPRITE_WORDS
    for word in range(used):
        words[target, word] = words[source, word]
