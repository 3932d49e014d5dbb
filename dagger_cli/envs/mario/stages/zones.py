"""The five kinds of zones of a stage, and their decorations (docs/mario_rules.md, C.2)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import FLOWER_TEMPLATE
from dagger_cli.envs.mario.simulator.state import ROWS, Array, Stage
from dagger_cli.envs.mario.simulator.tiles import CANNON_HEAD, COIN, GROUND
from dagger_cli.envs.mario.stages.java_random import below

BRICK, COIN_BRICK, POWER_BRICK = 16, 17, 18
COIN_QUESTION, POWER_QUESTION = 21, 22
STAIR = 9
PIPE_TOP, PIPE_BODY = 10, 26
CANNON_NECK, CANNON_BODY = 30, 46
HILL_LEFT, HILL_RIGHT = 132, 134  # of the top row; lower rows are 16 more
HILL_LEFT_OVER_HILL, HILL_RIGHT_OVER_HILL = 180, 182
GOOMBA_TEMPLATE = 2


@compiled
def put(stage: Stage, x: int, y: int, tile: int) -> None:
    """Sets a tile; ignores cells outside the map."""
    if 0 <= x < stage.columns and 0 <= y < ROWS:
        stage.tiles[x, y] = tile


@compiled
def ground(stage: Stage, x: int, floor: int) -> None:
    """Puts raw ground from row `floor` down."""
    for y in range(floor, ROWS):
        put(stage, x, y, GROUND)


@compiled
def draw_floor(random: Array) -> int:
    """Draws the floor of a zone, in the four lowest rows."""
    return ROWS - 1 - below(random, 4)


@compiled
def straight(
    stage: Stage, random: Array, difficulty: int, start: int, longest: int, safe: bool
) -> int:
    """Builds flat ground, decorated unless it is the safe start of the stage."""
    length = below(random, 10) + 2
    if safe:
        length = 10 + below(random, 5)
    length = min(length, longest)
    floor = draw_floor(random)
    for x in range(start, start + length):
        ground(stage, x, floor)
    if not safe and length > 5:
        decorate(stage, random, difficulty, start, start + length, floor)
    return length


@compiled
def jump(stage: Stage, random: Array, start: int) -> int:
    """Builds a pit between two pieces of ground, sometimes with stairs."""
    side = below(random, 4) + 2
    pit = below(random, 2) + 2
    length = 2 * side + pit
    has_stairs = below(random, 3) == 0
    floor = draw_floor(random)
    for offset in range(length):
        if side <= offset < length - side:
            continue
        x = start + offset
        ground(stage, x, floor)
        if has_stairs:
            top = floor - offset + 1 if offset < side else floor - (length - offset) + 2
            for y in range(max(top, 0), floor):
                put(stage, x, y, STAIR)
    return length


@compiled
def cannons(stage: Stage, random: Array, start: int, longest: int) -> int:
    """Builds flat ground with cannons of random heights."""
    length = min(below(random, 10) + 2, longest)
    floor = draw_floor(random)
    cannon = start + 1 + below(random, 4)
    for x in range(start, start + length):
        if x > cannon:
            cannon += 2 + below(random, 4)
        if cannon == start + length - 1:
            cannon += 10
        head = floor - below(random, 4) - 1
        ground(stage, x, floor)
        if x == cannon:
            for y in range(head, floor):
                depth = y - head
                put(stage, x, y, (CANNON_HEAD, CANNON_NECK, CANNON_BODY)[min(depth, 2)])
    return length


@compiled
def tubes(stage: Stage, random: Array, difficulty: int, start: int, longest: int) -> int:
    """Builds flat ground with pipes, some of them with a flower."""
    length = min(below(random, 10) + 5, longest)
    floor = draw_floor(random)
    tube = start + 1 + below(random, 4)
    top = floor - below(random, 2) - 2
    for x in range(start, start + length):
        if x > tube + 1:
            tube += 3 + below(random, 4)
            top = floor - below(random, 2) - 2
        if tube >= start + length - 2:
            tube += 10
        if x == tube and below(random, 11) < difficulty + 1:
            put_template(stage, x, top, FLOWER_TEMPLATE, 0)
        ground(stage, x, floor)
        if x == tube or x == tube + 1:
            right = x - tube
            for y in range(top, floor):
                put(stage, x, y, (PIPE_TOP if y == top else PIPE_BODY) + right)
    return length


@compiled
def hills(stage: Stage, random: Array, difficulty: int, start: int, longest: int) -> int:
    """Builds flat ground with hills behind it, each higher than the one before."""
    length = min(below(random, 10) + 10, longest)
    floor = draw_floor(random)
    for x in range(start, start + length):
        ground(stage, x, floor)
    enemies(stage, random, difficulty, start + 1, start + length - 1, floor - 1)
    taken = np.zeros(length + 1, np.bool_)
    top, goes_on = floor, True
    while goes_on:
        top = top - 2 - below(random, 3)
        goes_on = top > 0 and _hill(stage, random, difficulty, start, length, floor, top, taken)
    return length


@compiled
def _hill(
    stage: Stage,
    random: Array,
    difficulty: int,
    start: int,
    length: int,
    floor: int,
    top: int,
    taken: Array,
) -> bool:
    """Builds a hill; returns False for the last one, or if its edges are taken (not built)."""
    width = below(random, 5) + 3
    place = below(random, length - width - 2) + 1
    if taken[place] or taken[place + width] or taken[place - 1] or taken[place + width + 1]:
        return False
    taken[place], taken[place + width] = True, True
    left, right = start + place, start + place + width
    enemies(stage, random, difficulty, left, right, top - 1)
    is_last = below(random, 4) == 0
    if is_last:
        decorate(stage, random, difficulty, left - 1, right + 1, top)
    _draw_hill(stage, left, right, top, floor)
    return not is_last


@compiled
def _draw_hill(stage: Stage, left: int, right: int, top: int, floor: int) -> None:
    for x in range(left, right):
        column = HILL_LEFT + (2 if x == right - 1 else (0 if x == left else 1))
        for y in range(top, floor):
            behind = stage.tiles[x, y]
            if behind == 0:
                put(stage, x, y, column if y == top else column + 16)
            elif behind == HILL_LEFT:
                put(stage, x, y, HILL_LEFT_OVER_HILL)
            elif behind == HILL_RIGHT:
                put(stage, x, y, HILL_RIGHT_OVER_HILL)


@compiled
def enemies(stage: Stage, random: Array, difficulty: int, start: int, end: int, y: int) -> None:
    """Puts templates along a row, more and harder ones with the difficulty."""
    for x in range(start, end):
        if below(random, 35) >= difficulty + 1:
            continue
        kind = below(random, 4)
        if difficulty < 1:
            kind = GOOMBA_TEMPLATE
        elif difficulty < 3:
            kind = below(random, 3)
        winged = below(random, 35) < difficulty
        put_template(stage, x, y, kind, 1 if winged else 0)


@compiled
def put_template(stage: Stage, x: int, y: int, kind: int, winged: int) -> None:
    """Sets the template of a cell; ignores cells outside the map."""
    if 0 <= x < stage.columns and 0 <= y < ROWS:
        stage.templates[x, y] = 1 + 2 * kind + winged
        stage.template_rows[x] = stage.template_rows[x] | (1 << y)


@compiled
def decorate(
    stage: Stage, random: Array, difficulty: int, start: int, end: int, floor: int
) -> None:
    """Puts enemies, a row of coins and a row of bricks."""
    if floor < 1:
        return
    enemies(stage, random, difficulty, start + 1, end - 1, floor - 1)
    first, last = start + 1 + below(random, 4), end - 1 - below(random, 4)
    if floor - 2 > 0 and last - first > 1:
        for x in range(first, last):
            put(stage, x, floor - 2, COIN)
    first, last = start + 1 + below(random, 4), end - 1 - below(random, 4)
    if floor - 4 > 0 and last - first > 2:
        for x in range(first, last):
            at_an_end = x == start + 1 or x == end - 2
            put(stage, x, floor - 4, _brick(random, at_an_end))


@compiled
def _brick(random: Array, at_an_end: bool) -> int:
    if not at_an_end and below(random, 3) == 0:
        return POWER_QUESTION if below(random, 4) == 0 else COIN_QUESTION
    if below(random, 4) == 0:
        return POWER_BRICK if below(random, 4) == 0 else COIN_BRICK
    return BRICK
