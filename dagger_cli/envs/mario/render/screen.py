"""Image of a game: the 320 x 240 px around the camera, at double size."""

from __future__ import annotations

from functools import cache

import numpy as np

from dagger_cli.envs.mario.render.canvas import Canvas
from dagger_cli.envs.mario.render.figures import draw_mario, draw_sprite
from dagger_cli.envs.mario.render.tile_images import DARK, GOLD, tile_pictures
from dagger_cli.envs.mario.simulator.state import ROWS, TILE, Array, Game, Stage
from dagger_cli.envs.mario.simulator.tiles import BEHAVIOUR, CHANGEABLE, CHANGED_INTO

WIDTH, HEIGHT = 320, ROWS * TILE
SCALE = 2
POLE_HEIGHT = 10 * TILE


def draw(game: Game, stage: Stage) -> Array:
    """Returns the image, (480, 640, 3) uint8."""
    camera = round(float(game["x_camera"]))
    pixels = _draw_stage(game, stage, camera)
    canvas = Canvas(pixels)
    _draw_exit(canvas, stage, camera)
    for sprite in game["sprites"][1 : game["n_sprites"]]:
        draw_sprite(canvas, sprite, float(sprite["x"]) - camera)
    mario = game["sprites"][0]
    blinks = game["invulnerable"] > 1 and game["tick"] % 2
    if not blinks:
        x, y = float(mario["x"]) - camera, float(mario["y"])
        look = int(game["height"]), int(mario["facing"]), bool(game["fire"])
        draw_mario(canvas, x, y, *look)
    return pixels.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


@cache
def _pictures() -> Array:
    return tile_pictures()


def _draw_stage(game: Game, stage: Stage, camera: int) -> Array:
    """Draws the current tiles on the screen, (240, 320, 3)."""
    first = camera // TILE
    columns = np.minimum(np.arange(first, first + WIDTH // TILE + 1), stage["columns"] - 1)
    tiles = stage["tiles"][columns, :ROWS]
    changed = (game["changed"][columns, None] >> np.arange(ROWS)) & 1
    used = (changed != 0) & ((BEHAVIOUR[tiles] & CHANGEABLE) != 0)
    seen = _pictures()[np.where(used, CHANGED_INTO[tiles], tiles)]
    picture = seen.transpose(1, 2, 0, 3, 4).reshape(HEIGHT, len(columns) * TILE, 3)
    begin = camera - first * TILE
    return np.array(picture[:, begin : begin + WIDTH])


def _draw_exit(canvas: Canvas, stage: Stage, camera: int) -> None:
    """Draws a pole with a flag at the exit."""
    x, foot = int(stage["x_exit"]) * TILE - camera, int(stage["y_exit"]) * TILE
    canvas.box(x, foot - POLE_HEIGHT, x + 2, foot, DARK)
    canvas.box(x + 2, foot - POLE_HEIGHT, x + 18, foot - POLE_HEIGHT + 10, GOLD)
