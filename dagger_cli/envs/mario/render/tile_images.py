"""Tile images, 16 x 16 px each: plain shapes drawn by us, none of the original's graphics."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.render.canvas import Canvas, Colour
from dagger_cli.envs.mario.simulator.state import TILE, Array
from dagger_cli.envs.mario.simulator.tiles import CANNON_HEAD, GROUND, USED_BLOCK

SKY: Colour = (142, 197, 235)
GRASS, HILL, HILL_EDGE = (96, 170, 74), (178, 214, 140), (120, 176, 92)
EARTH = {
    0: (176, 124, 78),
    8: (120, 120, 128),
    12: (92, 104, 140),
}  # overground, castle, underground
BRICK, MORTAR, USED = (196, 108, 62), (120, 62, 36), (150, 118, 92)
GOLD, GOLD_EDGE, DARK = (242, 190, 58), (184, 128, 24), (52, 52, 60)
STONE, PIPE, PIPE_EDGE = (168, 160, 150), (66, 160, 92), (34, 104, 58)
QUESTION = ((6, 3, 10, 5), (9, 4, 11, 8), (7, 7, 9, 10), (7, 11, 9, 13))  # boxes


def tile_pictures() -> Array:
    """Returns the image of every tile, (256, 16, 16, 3) uint8."""
    pictures = np.empty((256, TILE, TILE, 3), np.uint8)
    pictures[:] = SKY
    for tile in range(256):
        _draw(tile, Canvas(pictures[tile]))
    return pictures


def _draw(tile: int, canvas: Canvas) -> None:
    row, column = divmod(tile - 128, TILE)
    if tile >= 128 and 4 <= column < 7:
        _hill(tile, canvas, top=row in (0, 3))
    elif tile >= 128 and row < 4:
        _earth(canvas, EARTH[column - column % 4 if column >= 8 else 0], tile)
    elif tile in (16, 17, 18, 19):
        _bricks(canvas)
    elif tile in (20, 21, 22, 23):
        _block(canvas, GOLD, GOLD_EDGE)
        for box in QUESTION:
            canvas.box(*box, GOLD_EDGE)
    elif tile in (USED_BLOCK, 5, 6, 7):
        _block(canvas, USED, MORTAR)
    elif tile in (8, 9, 12, 24, 28, 40, 41, 56, 57):
        _block(canvas, STONE, DARK)
    elif 32 <= tile < 36:
        canvas.disc(4, 2, 12, 14, GOLD_EDGE)
        canvas.disc(5, 3, 11, 13, GOLD)
    elif tile in (10, 11, 26, 27):
        _pipe(canvas, left=tile % 2 == 0, rim=tile < 16)
    elif tile in (CANNON_HEAD, 30, 46):
        canvas.box(1, 0, 15, 16, DARK)
        if tile == CANNON_HEAD:
            canvas.disc(3, 3, 13, 13, (96, 96, 104))


def _block(canvas: Canvas, colour: Colour, edge: Colour) -> None:
    canvas.box(0, 0, 16, 16, edge)
    canvas.box(1, 1, 15, 15, colour)


def _bricks(canvas: Canvas) -> None:
    canvas.box(0, 0, 16, 16, MORTAR)
    for row in range(4):
        for left in (-4, 4, 12) if row % 2 else (0, 8):
            canvas.box(left, 4 * row, left + 7, 4 * row + 3, BRICK)


def _earth(canvas: Canvas, colour: Colour, tile: int) -> None:
    canvas.box(0, 0, 16, 16, colour)
    darker: Colour = (colour[0] * 7 // 8, colour[1] * 7 // 8, colour[2] * 7 // 8)
    for x, y in ((2, 6), (10, 3), (6, 12), (13, 10)):
        canvas.box(x, y, x + 2, y + 2, darker)
    row, corner = (tile - 128) // TILE, tile % 4
    if tile == GROUND:
        return
    if row == 0 and corner < 3:
        canvas.box(0, 0, 16, 4, GRASS if colour == EARTH[0] else darker)
    if row < 3 and corner in (0, 2):
        left = 0 if corner == 0 else 15
        canvas.box(left, 0, left + 1, 16, darker)


def _hill(tile: int, canvas: Canvas, *, top: bool) -> None:
    canvas.box(0, 0, 16, 16, HILL)
    if top:
        canvas.box(0, 0, 16, 3, HILL_EDGE)
    if tile in (132, 148, 180):
        canvas.box(0, 0, 2, 16, HILL_EDGE)
    if tile in (134, 150, 182):
        canvas.box(14, 0, 16, 16, HILL_EDGE)


def _pipe(canvas: Canvas, *, left: bool, rim: bool) -> None:
    inset = 0 if rim else 2
    canvas.box(inset if left else 0, 0, 16 if left else 16 - inset, 16, PIPE)
    edge = inset if left else 15 - inset
    canvas.box(edge, 0, edge + 1, 16, PIPE_EDGE)
    if left:
        canvas.box(inset + 3, 0, inset + 5, 16, (140, 210, 150))
    if rim:
        canvas.box(0, 14, 16, 16, PIPE_EDGE)
