"""What is drawn over the picture of a lap: the kart, a map, words, and the driver's view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.envs.kart.track import Track

FINE = 4  # the kart is drawn that many times as large, and then made smaller
KART_SIZE = (150, 110)  # px: width and height
KART_AT = (320, 306)  # px: middle of its wheels in the picture
TILT = 7.0  # degrees at full steering
MAP = 104  # px: side of the map
VIEW = (125, 95)  # px: size of the driver's view
MARGIN = 10  # px
RED, DARK_RED, BLACK, GREY = (214, 44, 50), (140, 22, 34), (24, 24, 30), (90, 92, 104)
WHITE, BLUE, YELLOW = (245, 245, 248), (70, 130, 220), (250, 206, 70)


def add_overlay(
    image: Array, track: Track, kart: Array, steering: float, words: Sequence[str], view: Array
) -> Array:
    """Returns `image` (360, 640, 3) uint8 with everything drawn over it.

    `kart` begins with x and y in m; `steering` is in [-1, 1]; `view` (rows, columns, 3) uint8.
    """
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.fromarray(image)
    sprite = _kart(round(steering * 8))
    corner = KART_AT[0] - KART_SIZE[0] // 2, KART_AT[1] - KART_SIZE[1] + 10
    canvas.paste(sprite, corner, sprite)
    draw = ImageDraw.Draw(canvas)
    seen = Image.fromarray(view).resize(VIEW, Image.Resampling.NEAREST)
    canvas.paste(seen, (MARGIN, MARGIN))
    box = MARGIN - 1, MARGIN - 1, MARGIN + VIEW[0], MARGIN + VIEW[1]
    draw.rectangle(box, outline=WHITE)
    _map(draw, track, kart, canvas.width - MARGIN - MAP, MARGIN)
    for i, text in enumerate(words):
        place = MARGIN, MARGIN + VIEW[1] + 6 + 18 * i
        draw.text(place, text, fill=WHITE, font=ImageFont.load_default(size=15))
    return np.asarray(canvas)


def _map(draw: Any, track: Track, kart: Array, left: int, top: int) -> None:
    """Draws the centre line and the place of the kart in a square of MAP px."""
    low, high = track.points.min(0), track.points.max(0)
    scale = MAP / (high - low).max()

    def at(point: Array) -> tuple[float, float]:
        x, y = (point - (low + high) / 2) * scale
        return left + MAP / 2 + float(x), top + MAP / 2 - float(y)

    line = [at(point) for point in track.points[::4]]
    draw.line([*line, line[0]], fill=BLACK, width=5)
    draw.line([*line, line[0]], fill=WHITE, width=2)
    x, y = at(kart[:2])
    draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=RED, outline=WHITE)


@cache
def _kart(lean: int) -> Any:
    """Returns the kart from behind as an image with transparency; `lean` in eighths of full."""
    from PIL import Image, ImageDraw

    width, height = (FINE * side for side in KART_SIZE)
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    unit = width / 150
    for corners, colour, radius in _PARTS:
        scaled = [unit * number for number in corners]
        if radius < 0:
            draw.ellipse(scaled, fill=colour)
        else:
            draw.rounded_rectangle(scaled, unit * radius, fill=colour)
    tilted = image.rotate(TILT * lean / 8, Image.Resampling.BICUBIC, center=(width / 2, height))
    return tilted.resize(KART_SIZE, Image.Resampling.LANCZOS)


# Boxes (left, top, right, bottom) in px, colour, radius of the corners; -1: an ellipse.
_PARTS: tuple[tuple[tuple[float, float, float, float], tuple[int, ...], float], ...] = (
    ((22, 92, 128, 108), (0, 0, 0, 110), -1),  # shadow
    ((30, 58, 46, 84), BLACK, 5),  # front wheels
    ((104, 58, 120, 84), BLACK, 5),
    ((46, 52, 104, 84), DARK_RED, 10),  # nose
    ((40, 66, 110, 92), RED, 9),  # body
    ((20, 64, 44, 102), BLACK, 8),  # rear wheels
    ((106, 64, 130, 102), BLACK, 8),
    ((27, 72, 37, 94), GREY, 4),
    ((113, 72, 123, 94), GREY, 4),
    ((60, 84, 68, 94), GREY, -1),  # exhausts
    ((82, 84, 90, 94), GREY, -1),
    ((52, 38, 98, 76), BLUE, 12),  # driver
    ((56, 10, 94, 48), WHITE, -1),  # helmet
    ((71, 10, 79, 48), RED, 3),
    ((50, 34, 62, 62), BLUE, 6),  # arms
    ((88, 34, 100, 62), BLUE, 6),
    ((34, 62, 116, 70), DARK_RED, 3),  # wing
    ((34, 60, 116, 66), YELLOW, 3),
)
