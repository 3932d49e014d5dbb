"""The paper's 27152 binary features, packed into 3394 bytes (Ross, Gordon & Bagnell 2011, 5.2).

Feature i is bit i % 8, from the lowest, of byte i//8: `np.unpackbits(obs, -1, bitorder="little")`.

* i = 6776 image + 14 (22 row + column) + kind: whether a cell of 22 x 22 around Mario (he is in row
  11, column 11) holds a `CELL_KINDS[kind]`, in the last four images, latest first, one per step.
* i = 27104 + 4 back + button: the last six actions (left, right, jump, speed), latest first.
* i = 27128 + question: Mario's own state, `player_flags.QUESTIONS`.

The paper does not say which 14 kinds and which 24 flags it uses; these are our choice. Sprites are
shown in the cell of the last pixel row of their body; dying bodies are not shown. Before an
episode's first image and action there are zeros.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.observations.grids import CENTRE, LEVEL_CODES, SIDE
from dagger_cli.envs.mario.observations.player_flags import (
    N_BUTTONS,
    N_QUESTIONS,
    buttons,
    state_bits,
)
from dagger_cli.envs.mario.simulator.jit import compiled, entry_point
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
from dagger_cli.envs.mario.simulator.state import ROWS, Array, Body, Game, Stage
from dagger_cli.envs.mario.simulator.tiles import CANNON_HEAD, USED_BLOCK, cell, tile_at

CELL_KINDS = (
    "ground, stairs or used block",
    "top of a hill: blocks downwards only",
    "brick",
    "question block",
    "pipe or cannon",
    "coin",
    "goomba",
    "koopa",
    "winged goomba or koopa",
    "cannot be stomped: spiky, flower in a pipe",
    "bullet",
    "shell",
    "item: mushroom or fire flower",
    "fireball",
)
N_KINDS = len(CELL_KINDS)
IMAGES, ACTIONS = 4, 6
IMAGE_BYTES = SIDE * SIDE * N_KINDS // 8
ACTIONS_AT = IMAGES * IMAGE_BYTES  # bytes
STATE_AT = ACTIONS_AT + ACTIONS * N_BUTTONS // 8
N_BYTES = STATE_AT + N_QUESTIONS // 8
assert N_BYTES * 8 == 27152


def _tile_kinds() -> Array:
    """Returns the bit of every tile's kind, (256,) uint16; 0 for empty ones."""
    codes, bits = LEVEL_CODES[1], np.zeros(256, np.uint16)
    for kind, code in enumerate((-10, -11, 16, 21, 20)):
        bits[codes == code] = 1 << kind
    bits[USED_BLOCK] = 1
    bits[32:36] = 1 << 5
    bits[CANNON_HEAD] = 1 << 4
    return bits


def _sprite_kinds() -> Array:
    """Returns the bit of every kind of sprite, (32,) uint16."""
    bits = np.zeros(32, np.uint16)
    bits[GOOMBA], bits[[RED_KOOPA, GREEN_KOOPA]] = 1 << 6, 1 << 7
    bits[[WINGED_GOOMBA, WINGED_RED_KOOPA, WINGED_GREEN_KOOPA]] = 1 << 8
    bits[[SPIKY, WINGED_SPIKY, FLOWER]] = 1 << 9
    bits[BULLET], bits[SHELL] = 1 << 10, 1 << 11
    bits[[MUSHROOM, FIRE_FLOWER]], bits[FIREBALL] = 1 << 12, 1 << 13
    return bits


TILE_KINDS, SPRITE_KINDS = _tile_kinds(), _sprite_kinds()


@entry_point
def look(games: Array, stages: Array, slots: Array, keys: Array, obs: Array) -> None:
    """Updates rows `slots` (k,) of `obs` (n, 3394) uint8 after the actions `keys` (k,) int64.

    Keys of -1 mark the start of an episode and clear the history.
    """
    for i in range(len(slots)):
        game, row = games[slots[i]], obs[slots[i]]
        if keys[i] < 0:
            row[:] = 0
        else:
            _remember(row, buttons(keys[i]))
        row[:IMAGE_BYTES] = 0
        _draw_tiles(game, stages[slots[i]], row)
        _draw_sprites(game, row)
        bits = state_bits(game)
        for byte in range(N_QUESTIONS // 8):
            row[STATE_AT + byte] = (bits >> (8 * byte)) & 255


@compiled
def _remember(row: Array, newest: int) -> None:
    """Shifts the history of images and actions by one and inserts the latest action."""
    for at in range(ACTIONS_AT - 1, IMAGE_BYTES - 1, -1):
        row[at] = row[at - IMAGE_BYTES]
    for at in range(STATE_AT - 1, ACTIONS_AT - 1, -1):
        carry = newest if at == ACTIONS_AT else np.int64(row[at - 1]) >> N_BUTTONS
        row[at] = (np.int64(row[at]) << N_BUTTONS | carry) & 255


@compiled
def _mark(row: Array, column: int, line: int, bits: int) -> None:
    """Sets kinds in a cell; its 14 bits lie in at most three bytes."""
    first = (line * SIDE + column) * N_KINDS
    byte, shifted = first >> 3, bits << (first & 7)
    row[byte] |= shifted & 255
    row[byte + 1] |= (shifted >> 8) & 255
    if shifted >> 16:
        row[byte + 2] |= shifted >> 16


@compiled
def _draw_tiles(game: Game, stage: Stage, row: Array) -> None:
    mario = game.sprites[0]
    left, top = cell(mario.x) - CENTRE, cell(mario.y) - CENTRE
    for column in range(max(0, -left), SIDE):
        for line in range(max(0, -top), min(SIDE, ROWS - top)):
            bits = TILE_KINDS[tile_at(game, stage, left + column, top + line)]
            if bits:
                _mark(row, column, line, int(bits))


@compiled
def _draw_sprites(game: Game, row: Array) -> None:
    mario = game.sprites[0]
    left, top = cell(mario.x) - CENTRE, cell(mario.y) - CENTRE
    for slot in range(1, game.n_sprites):
        sprite = game.sprites[slot]
        column, line = cell(sprite.x) - left, cell(sprite.y) - top
        if is_alive(sprite) and 0 <= column < SIDE and 0 <= line < SIDE:
            _mark(row, column, line, int(SPRITE_KINDS[sprite.kind]))


@compiled
def is_alive(sprite: Body) -> bool:
    """Returns whether a sprite still interacts with others and is not carried by Mario."""
    return bool(sprite.dead_time == 0 and not sprite.carried)
