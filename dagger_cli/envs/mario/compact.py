"""A small observation for networks: 735 numbers of a byte each, and of the past two actions only.

* `PLANES` of 16 x 18 cells around Mario, from 8 rows above and 4 columns behind him;
* the 24 answers of `state_bits`, the last two actions (left, right, jump, speed, newest first);
* `SCALARS` numbers of Mario: where he is in his cell, how fast he moves, how a jump goes on;
* the eight nearest living sprites, nearest first: `SPRITE_MEASURES` and then `SPRITE_FLAGS` numbers
  each, zeros where there is none.

Speeds and places are scaled to whole numbers from 0 to 255, see `_byte`.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.compiled import compiled, entry_point
from dagger_cli.envs.mario.features import is_alive
from dagger_cli.envs.mario.kinds import (
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
from dagger_cli.envs.mario.layout import MAX_SPRITES, ROWS, Array, Body, Float, Game, Stage
from dagger_cli.envs.mario.state_bits import N_BUTTONS, N_QUESTIONS, buttons, state_bits
from dagger_cli.envs.mario.tiles import BEHAVIOUR, PLATFORM, SOLID, cell, tile_at

LINES, COLUMNS = 16, 18  # of the window
ABOVE, BEHIND = 8, 4  # Mario's place in it
PLANES = ("solid", "platform")
ACTIONS, SCALARS, NEAREST = 2, 7, 8
SPRITE_MEASURES = 5
KINDS = (  # what each behaves like no other; wings are told apart
    (GOOMBA, WINGED_GOOMBA),
    (RED_KOOPA, WINGED_RED_KOOPA),
    (GREEN_KOOPA, WINGED_GREEN_KOOPA),
    (SPIKY, WINGED_SPIKY),
    (FLOWER,),
    (BULLET,),
    (SHELL,),
    (MUSHROOM, FIRE_FLOWER),
)
SPRITE_FLAGS = len(KINDS) + 2
SPRITE_NUMBERS = SPRITE_MEASURES + SPRITE_FLAGS
PLANE = LINES * COLUMNS
QUESTIONS_AT = len(PLANES) * PLANE
ACTIONS_AT = QUESTIONS_AT + N_QUESTIONS
SCALARS_AT = ACTIONS_AT + ACTIONS * N_BUTTONS
SPRITES_AT = SCALARS_AT + SCALARS
N_BYTES = SPRITES_AT + NEAREST * SPRITE_NUMBERS


def _places() -> Array:
    """(32,) int8, by kind of sprite: its place in `KINDS`."""
    places = np.zeros(32, np.int8)
    for place, kinds in enumerate(KINDS):
        places[list(kinds)] = place
    return places


PLACES = _places()


@entry_point
def look(games: Array, stages: Array, slots: Array, keys: Array, obs: Array) -> None:
    """Renew the rows `slots` (k,) of `obs` (n, N_BYTES) uint8 after the actions `keys` (k,) int64.

    Keys of -1: an episode begins, nothing is remembered.
    """
    distances = np.empty(MAX_SPRITES, np.float32)
    for i in range(len(slots)):
        game, row = games[slots[i]], obs[slots[i]]
        _remember(row, keys[i])
        row[:QUESTIONS_AT] = 0
        _draw_tiles(game, stages[slots[i]], row)
        bits = state_bits(game)
        for question in range(N_QUESTIONS):
            row[QUESTIONS_AT + question] = (bits >> question) & 1
        _measure_mario(game, row[SCALARS_AT:SPRITES_AT])
        _list_sprites(game, row[SPRITES_AT:], distances)


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
    """`value` times `scale`, 0 shown as `zero`, cut off at 0 and 255."""
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
def _list_sprites(game: Game, out: Array, distances: Array) -> None:
    """Each: offset from Mario in px, speed, a flower's wait, its kind, wings, on the ground."""
    mario = game.sprites[0]
    for slot in range(1, game.n_sprites):
        distances[slot] = _distance(mario, game.sprites[slot])
    for place in range(NEAREST):
        numbers = out[place * SPRITE_NUMBERS : (place + 1) * SPRITE_NUMBERS]
        numbers[:] = 0
        nearest = 0
        for slot in range(1, game.n_sprites):
            if distances[slot] < (distances[nearest] if nearest else np.float32(1e9)):
                nearest = slot
        if nearest == 0:
            continue
        distances[nearest] = np.float32(1e9)
        sprite = game.sprites[nearest]
        numbers[0], numbers[1] = _byte(sprite.x - mario.x, 1, 80), _byte(sprite.y - mario.y, 1, 128)
        numbers[2], numbers[3] = _byte(sprite.xa, 10, 128), _byte(sprite.ya, 6, 128)
        numbers[4] = min(max(sprite.timer, 0), 255) if sprite.kind == FLOWER else 0
        flags = numbers[SPRITE_MEASURES:]
        flags[PLACES[sprite.kind]] = 1
        flags[len(KINDS)], flags[len(KINDS) + 1] = sprite.winged != 0, sprite.on_ground != 0


@compiled
def _distance(mario: Body, sprite: Body) -> Float:
    """Pixels across and down; infinite for what does not matter."""
    if not is_alive(sprite) or sprite.kind == FIREBALL:
        return np.float32(1e9)
    return abs(sprite.x - mario.x) + abs(sprite.y - mario.y)
