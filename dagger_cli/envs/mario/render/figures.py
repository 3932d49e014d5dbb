"""Figures of Mario and the other sprites, drawn by us from a few boxes and discs each."""

from __future__ import annotations

from dagger_cli.envs.mario.render.canvas import Canvas, Colour
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
from dagger_cli.envs.mario.simulator.state import Body

RED, BLUE, SKIN, WHITE = (206, 58, 48), (52, 84, 170), (240, 196, 150), (250, 250, 250)
BROWN, GREEN, ORANGE, BLACK = (128, 78, 44), (58, 150, 70), (244, 140, 40), (28, 28, 32)
SHELL_OF: dict[int, Colour] = {
    **dict.fromkeys((RED_KOOPA, WINGED_RED_KOOPA), RED),
    **dict.fromkeys((GREEN_KOOPA, WINGED_GREEN_KOOPA), GREEN),
}


def draw_mario(canvas: Canvas, x: float, y: float, height: int, facing: int, fire: bool) -> None:
    """Draws Mario with his feet at (x, y); he is 12 px high if small, else 24."""
    shirt, trousers = (WHITE, RED) if fire else (RED, BLUE)
    top, unit = y + 1 - height, height / 12
    canvas.box(x - 4, top + 7 * unit, x + 4, y + 1, trousers)
    canvas.box(x - 5, top + 5 * unit, x + 5, top + 9 * unit, shirt)
    canvas.disc(x - 5, top, x + 5, top + 6 * unit, SKIN)
    canvas.box(x - 5, top - 1, x + 5, top + 2 * unit, shirt)
    canvas.box(x + 4 * facing, top + unit, x + 4 * facing + 3 * facing, top + 2 * unit, shirt)
    canvas.box(x + 2 * facing - 1, top + 3 * unit, x + 2 * facing + 1, top + 4 * unit, BLACK)


def draw_sprite(canvas: Canvas, sprite: Body, x: float) -> None:
    """Draws a sprite; `x` is the middle of its body on the canvas."""
    kind, y = int(sprite["kind"]), float(sprite["y"])
    if sprite["winged"]:
        canvas.disc(x - 11, y - 16, x - 3, y - 6, WHITE)
        canvas.disc(x + 3, y - 16, x + 11, y - 6, WHITE)
    if kind in (GOOMBA, WINGED_GOOMBA):
        canvas.box(x - 4, y - 4, x + 4, y + 1, SKIN)
        canvas.disc(x - 8, y - 13, x + 8, y - 2, BROWN)
        _eyes(canvas, x, y - 8)
    elif kind in SHELL_OF:
        canvas.disc(x - 5, y - 23, x + 5, y - 11, (236, 214, 120))
        canvas.disc(x - 7, y - 15, x + 7, y, SHELL_OF[kind])
        canvas.box(x - 5, y - 2, x + 5, y + 1, ORANGE)
        _eyes(canvas, x + 2 * int(sprite["facing"]), y - 19)
    elif kind in (SPIKY, WINGED_SPIKY):
        for spike in (-6, -2, 2, 6):
            canvas.box(x + spike - 1, y - 14, x + spike + 1, y - 6, WHITE)
        canvas.disc(x - 8, y - 11, x + 8, y + 1, RED)
        _eyes(canvas, x, y - 5)
    elif kind == FLOWER:
        canvas.box(x - 2, y - 8, x + 2, y + 12, GREEN)
        canvas.disc(x - 7, y - 20, x + 7, y - 6, RED)
        canvas.box(x - 5, y - 14, x + 5, y - 12, WHITE)
    else:
        _draw_thing(canvas, kind, x, y)


def _draw_thing(canvas: Canvas, kind: int, x: float, y: float) -> None:
    if kind == BULLET:
        canvas.disc(x - 8, y - 12, x + 8, y + 1, BLACK)
        _eyes(canvas, x, y - 7)
    elif kind == SHELL:
        canvas.disc(x - 7, y - 11, x + 7, y + 1, GREEN)
        canvas.box(x - 7, y - 3, x + 7, y, WHITE)
    elif kind == MUSHROOM:
        canvas.box(x - 4, y - 6, x + 4, y + 1, SKIN)
        canvas.disc(x - 8, y - 13, x + 8, y - 3, RED)
        canvas.disc(x - 3, y - 11, x + 3, y - 6, WHITE)
    elif kind == FIRE_FLOWER:
        canvas.box(x - 1, y - 6, x + 1, y + 1, GREEN)
        canvas.disc(x - 7, y - 14, x + 7, y - 4, ORANGE)
        canvas.disc(x - 3, y - 11, x + 3, y - 7, WHITE)
    elif kind == FIREBALL:
        canvas.disc(x - 4, y - 7, x + 4, y + 1, ORANGE)


def _eyes(canvas: Canvas, x: float, y: float) -> None:
    for side in (-3, 1):
        canvas.box(x + side, y - 1, x + side + 2, y + 2, WHITE)
        canvas.box(x + side + 1, y, x + side + 2, y + 2, BLACK)
