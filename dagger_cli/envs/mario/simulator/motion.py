"""Motion of bodies through tiles (docs/mario_rules.md, A.6).

Every sum is rounded to float32 before the next one, in the order of the rules.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.blocks import bump, take_coin
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import HALF_WIDTH, HEIGHT, MARIO, RED_KOOPA, SHELL
from dagger_cli.envs.mario.simulator.sprite_kinds import WINGED_RED_KOOPA as WINGED
from dagger_cli.envs.mario.simulator.state import TILE, Body, Float, Game, Stage
from dagger_cli.envs.mario.simulator.tiles import (
    BEHAVIOUR,
    PICKABLE,
    blocks,
    cell,
    change_tile,
    tile_at,
)

ZERO, ONE, EIGHT = np.float32(0), np.float32(1), np.float32(8)
SIXTEENTH = np.float32(1 / 16)
WIDTH = np.float32(HALF_WIDTH)


@compiled
def height_of(game: Game, body: Body) -> int:
    """Returns the height in px."""
    return int(game.height if body.kind == MARIO else HEIGHT[body.kind])


@compiled
def probe(game: Game, stage: Stage, body: Body, px: Float, py: Float, xa: Float, ya: Float) -> bool:
    """Returns whether the tile at a point blocks the body; Mario and shells also act on it."""
    x, y = cell(px), cell(py)
    if x == cell(body.x) and y == cell(body.y):
        return False
    behaviour = BEHAVIOUR[tile_at(game, stage, x, y)]
    stopped = blocks(behaviour, ya)
    if body.kind == MARIO:
        if behaviour & PICKABLE:
            take_coin(game)
            change_tile(game, stage, x, y)
        if stopped and ya < ZERO:
            bump(game, stage, x, y, game.large != 0)
    elif body.kind == SHELL and stopped and ya == ZERO and xa != ZERO:
        bump(game, stage, x, y, True)
    return stopped


@compiled
def over_an_edge(game: Game, stage: Stage, body: Body, px: Float) -> bool:
    """Returns whether a red koopa's front foot would be over a pit, where it turns."""
    if (body.kind != RED_KOOPA and body.kind != WINGED) or not body.on_ground:
        return False
    below = tile_at(game, stage, cell(px), int(body.y * SIXTEENTH + ONE))
    return not blocks(BEHAVIOUR[below], ONE)


@compiled
def step_aside(game: Game, stage: Stage, body: Body, dx: Float) -> bool:
    """Moves sideways by at most half a tile; returns True if free. Probes all three points."""
    if dx == ZERO:
        return True
    height = height_of(game, body)
    front = WIDTH if dx > ZERO else -WIDTH
    px = body.x + dx + front
    head, waist = body.y - np.float32(height), body.y - np.float32(height // 2)
    at_head = probe(game, stage, body, px, head, dx, ZERO)
    at_waist = probe(game, stage, body, px, waist, dx, ZERO)
    at_foot = probe(game, stage, body, px, body.y, dx, ZERO)
    if body.kind == MARIO:
        game.sliding = at_head and at_waist and at_foot
    if not (at_head or at_waist or at_foot or over_an_edge(game, stage, body, px)):
        body.x = body.x + dx
        return True
    if dx < ZERO:
        body.x = np.float32(cell(body.x - WIDTH) * TILE + HALF_WIDTH)
    else:
        right = int((body.x + WIDTH) * SIXTEENTH + ONE)
        body.x = np.float32(right * TILE - HALF_WIDTH - 1)
    body.xa = ZERO
    return False


@compiled
def move_aside(game: Game, stage: Stage, body: Body, dx: Float) -> bool:
    """Moves sideways in steps of half a tile; returns False at the first blocked one."""
    while dx > EIGHT:
        if not step_aside(game, stage, body, EIGHT):
            return False
        dx = dx - EIGHT
    while dx < -EIGHT:
        if not step_aside(game, stage, body, -EIGHT):
            return False
        dx = dx + EIGHT
    return step_aside(game, stage, body, dx)


@compiled
def ground_below(game: Game, stage: Stage, body: Body, dy: Float) -> bool:
    """Returns whether a body that falls by dy lands; probes until one point blocks."""
    left, right, y = body.x - WIDTH, body.x + WIDTH, body.y + dy
    return (
        probe(game, stage, body, left, y, ZERO, ZERO)
        or probe(game, stage, body, right, y, ZERO, ZERO)
        or probe(game, stage, body, left, y + ONE, ZERO, dy)
        or probe(game, stage, body, right, y + ONE, ZERO, dy)
    )


@compiled
def ceiling_above(game: Game, stage: Stage, body: Body, dy: Float) -> bool:
    """Returns whether a body that rises by -dy hits a tile; probes until one point blocks."""
    top = body.y + dy - np.float32(height_of(game, body))
    return (
        probe(game, stage, body, body.x, top, ZERO, dy)
        or probe(game, stage, body, body.x - WIDTH, top, ZERO, dy)
        or probe(game, stage, body, body.x + WIDTH, top, ZERO, dy)
    )


@compiled
def step_down(game: Game, stage: Stage, body: Body, dy: Float) -> bool:
    """Moves down by at most half a tile; returns True if free. A landing keeps the speed."""
    if not ground_below(game, stage, body, dy):
        body.y = body.y + dy
        return True
    y = body.y - ONE if body.kind == MARIO else body.y
    body.y = np.float32(int(y * SIXTEENTH + ONE) * TILE - 1)
    body.on_ground = True
    return False


@compiled
def step_up(game: Game, stage: Stage, body: Body, dy: Float) -> bool:
    """Moves up by at most half a tile; returns True if free."""
    if not ceiling_above(game, stage, body, dy):
        body.y = body.y + dy
        return True
    height = height_of(game, body)
    body.y = np.float32(cell(body.y - np.float32(height)) * TILE + height)
    body.ya = ZERO
    if body.kind == MARIO:
        game.jump_time = 0
    return False


@compiled
def move_up_or_down(game: Game, stage: Stage, body: Body, dy: Float) -> bool:
    """Moves vertically in steps of half a tile; returns False at the first blocked one."""
    while dy > EIGHT:
        if not step_down(game, stage, body, EIGHT):
            return False
        dy = dy - EIGHT
    while dy < -EIGHT:
        if not step_up(game, stage, body, -EIGHT):
            return False
        dy = dy + EIGHT
    if dy > ZERO:
        return step_down(game, stage, body, dy)
    return step_up(game, stage, body, dy) if dy < ZERO else True
