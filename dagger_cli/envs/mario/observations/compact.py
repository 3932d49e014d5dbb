"""Compact observation for networks: 815 bytes, with a history of the last two actions only.

* `PLANES` of 16 x 18 cells around Mario, from 8 rows above and 4 columns behind him;
* the 24 flags of `player_flags`, the last two actions (left, right, jump, speed, latest first);
* `SCALARS` numbers of Mario: position in his cell, speed, state of the jump;
* the ten nearest living sprites and cannons, nearest first: `THING_MEASURES` and `THING_FLAGS`
  numbers each, zeros for missing ones.

Speeds and positions are scaled to integers from 0 to 255, see `_byte`.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.observations.paper_features import is_alive
from dagger_cli.envs.mario.observations.player_flags import (
    N_BUTTONS,
    N_QUESTIONS,
    buttons,
    state_bits,
)
from dagger_cli.envs.mario.simulator.jit import compiled, entry_point
from dagger_cli.envs.mario.simulator.spawning import until_shot
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FIRE_FLOWER,
    FIREBALL,
    FLOWER,
    GOOMBA,
    GREEN_KOOPA,
    MUSHROOM,
    RED_KOOPA,
    SHELL,
    SPIKY,
    WINGED_GOOMBA,
    WINGED_GREEN_KOOPA,
    WINGED_RED_KOOPA,
    WINGED_SPIKY,
)
from dagger_cli.envs.mario.simulator.state import (
    MAX_SPRITES,
    ROWS,
    TILE,
    Array,
    Body,
    Float,
    Game,
    Stage,
)
from dagger_cli.envs.mario.simulator.tiles import BEHAVIOUR, PLATFORM, SOLID, cell, tile_at

LINES, COLUMNS = 16, 18  # of the window
ABOVE, BEHIND = 8, 4  # Mario's place in it
PLANES = ("solid", "platform")
ACTIONS, SCALARS, NEAREST = 2, 7, 10
THING_MEASURES = 7
KINDS = (  # grouped by behaviour; wings have a flag of their own
    (GOOMBA, WINGED_GOOMBA),
    (RED_KOOPA, WINGED_RED_KOOPA),
    (GREEN_KOOPA, WINGED_GREEN_KOOPA),
    (SPIKY, WINGED_SPIKY),
    (FLOWER,),
    (BULLET,),
    (SHELL,),
    (MUSHROOM, FIRE_FLOWER),
)
CANNON, WINGED, ON_GROUND, TO_LEFT, TO_RIGHT = range(len(KINDS), len(KINDS) + 5)  # more flags
THING_FLAGS = len(KINDS) + 5
THING_NUMBERS = THING_MEASURES + THING_FLAGS
PLANE = LINES * COLUMNS
QUESTIONS_AT = len(PLANES) * PLANE
ACTIONS_AT = QUESTIONS_AT + N_QUESTIONS
SCALARS_AT = ACTIONS_AT + ACTIONS * N_BUTTONS
THINGS_AT = SCALARS_AT + SCALARS
N_BYTES = THINGS_AT + NEAREST * THING_NUMBERS
NOWHERE = np.float32(1e9)  # the distance of objects to ignore


def _places() -> Array:
    """Returns the index in `KINDS` for each kind of sprite, (32,) int8."""
    places = np.zeros(32, np.int8)
    for place, kinds in enumerate(KINDS):
        places[list(kinds)] = place
    return places


def _binary() -> Array:
    """Returns which bytes are 0 or 1, (N_BYTES,) bool."""
    binary = np.zeros(N_BYTES, bool)
    binary[:SCALARS_AT] = True
    binary[THINGS_AT:].reshape(NEAREST, THING_NUMBERS)[:, THING_MEASURES:] = True
    return binary


PLACES, BINARY = _places(), _binary()


@entry_point
def look(games: Array, stages: Array, slots: Array, keys: Array, obs: Array) -> None:
    """Updates rows `slots` (k,) of `obs` (n, N_BYTES) uint8 after the actions `keys` (k,) int64.

    Keys of -1 mark the start of an episode and clear the history.
    """
    distances = np.empty(MAX_SPRITES + COLUMNS, np.float32)
    for i in range(len(slots)):
        game, row = games[slots[i]], obs[slots[i]]
        _remember(row, keys[i])
        row[:QUESTIONS_AT] = 0
        _draw_tiles(game, stages[slots[i]], row)
        bits = state_bits(game)
        for question in range(N_QUESTIONS):
            row[QUESTIONS_AT + question] = (bits >> question) & 1
        _measure_mario(game, row[SCALARS_AT:THINGS_AT])
        _list_things(game, stages[slots[i]], row[THINGS_AT:], distances)


@compiled
def _remember(row: Array, keys: int) -> None:
    if keys < 0:
        row[ACTIONS_AT:SCALARS_AT] = 0
        return
    pressed = buttons(keys)
    for button in range(N_BUTTONS):
        at = ACTIONS_AT + button
        row[at + N_BUTTONS] = row[at]
        row[at] = (pressed >> button) & 1


@compiled
def _draw_tiles(game: Game, stage: Stage, row: Array) -> None:
    mario = game.sprites[0]
    left, top = cell(mario.x) - BEHIND, cell(mario.y) - ABOVE
    for column in range(max(0, -left), COLUMNS):
        for line in range(max(0, -top), min(LINES, ROWS - top)):
            tile = tile_at(game, stage, left + column, top + line)
            at = line * COLUMNS + column
            row[at] = (BEHAVIOUR[tile] & SOLID) != 0
            row[PLANE + at] = (BEHAVIOUR[tile] & PLATFORM) != 0


@compiled
def _byte(value: Float, scale: Float, zero: int) -> int:
    """Returns `value` times `scale`, shifted by `zero` and clipped to 0 ... 255."""
    return min(max(int(np.floor(value * np.float32(scale))) + zero, 0), 255)


@compiled
def _measure_mario(game: Game, out: Array) -> None:
    mario = game.sprites[0]
    out[0] = int(mario.x * np.float32(16)) % 256
    out[1] = int(mario.y * np.float32(16)) % 256
    out[2], out[3] = _byte(mario.xa, 10, 128), _byte(mario.ya, 6, 128)
    out[4] = _byte(mario.y, 1, 0)
    out[5], out[6] = min(max(game.jump_time + 8, 0), 255), min(game.invulnerable, 255)


@compiled
def _list_things(game: Game, stage: Stage, out: Array, distances: Array) -> None:
    """Lists the nearest objects: sprites by their slot, then cannons, one per column."""
    mario, n_sprites = game.sprites[0], int(game.n_sprites)
    left = cell(mario.x) - BEHIND
    for slot in range(1, n_sprites):
        distances[slot] = _distance(mario, game.sprites[slot])
    for column in range(COLUMNS):
        distances[n_sprites + column] = _cannon_distance(mario, stage, left + column)
    out[:] = 0
    for place in range(NEAREST):
        nearest, least = 0, NOWHERE
        for i in range(1, n_sprites + COLUMNS):
            if distances[i] < least:
                nearest, least = i, distances[i]
        if nearest == 0:
            return
        distances[nearest] = NOWHERE
        numbers = out[place * THING_NUMBERS : (place + 1) * THING_NUMBERS]
        if nearest < n_sprites:
            _show_sprite(mario, game.sprites[nearest], numbers)
        else:
            _show_cannon(game, stage, left + nearest - n_sprites, numbers)


@compiled
def _show_sprite(mario: Body, sprite: Body, out: Array) -> None:
    """Writes position, speed, a flower's wait, kind, wings, on the ground, and direction."""
    _place(mario, sprite.x, sprite.y, out)
    out[4], out[5] = _byte(sprite.xa, 10, 128), _byte(sprite.ya, 6, 128)
    out[6] = min(max(sprite.timer, 0), 255) if sprite.kind == FLOWER else 0
    flags = out[THING_MEASURES:]
    flags[PLACES[sprite.kind]] = 1
    flags[WINGED], flags[ON_GROUND] = sprite.winged != 0, sprite.on_ground != 0
    # After a turn the speed is still that of before; a shell at rest has no direction.
    flags[TO_LEFT], flags[TO_RIGHT] = sprite.facing < 0, sprite.facing > 0


@compiled
def _show_cannon(game: Game, stage: Stage, column: int, out: Array) -> None:
    """Writes the position of the muzzle, and the ticks until the next bullet."""
    x, y = _muzzle(stage, column)
    _place(game.sprites[0], x, y, out)
    out[4], out[5] = 128, 128
    out[6] = until_shot(game, column)
    out[THING_MEASURES + CANNON] = 1


@compiled
def _place(mario: Body, x: Float, y: Float, out: Array) -> None:
    """Writes the offset from Mario in px, and in quarter px for near objects."""
    out[0], out[1] = _byte(x - mario.x, 1, 80), _byte(y - mario.y, 1, 128)
    out[2], out[3] = _byte(x - mario.x, 4, 128), _byte(y - mario.y, 4, 128)


@compiled
def _distance(mario: Body, sprite: Body) -> Float:
    """Returns horizontal plus vertical px from Mario; NOWHERE for objects to ignore."""
    if not is_alive(sprite) or sprite.kind == FIREBALL:
        return NOWHERE
    return abs(sprite.x - mario.x) + abs(sprite.y - mario.y)


@compiled
def _cannon_distance(mario: Body, stage: Stage, column: int) -> Float:
    """Returns the `_distance` of the cannon in a column of the stage."""
    if not 0 <= column < stage.columns or stage.cannon_rows[column] == 0:
        return NOWHERE
    x, y = _muzzle(stage, column)
    return abs(x - mario.x) + abs(y - mario.y)


@compiled
def _muzzle(stage: Stage, column: int) -> tuple[Float, Float]:
    """Returns the bottom centre of the cannon head of a column, which has at most one."""
    row = 0
    while (stage.cannon_rows[column] >> row) & 1 == 0:
        row += 1
    return np.float32(TILE * column + TILE // 2), np.float32(TILE * row + TILE - 1)
