"""Canvas for filled rectangles and ellipses, clipped to the image."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.state import Array

Colour = tuple[int, int, int]


class Canvas:
    """`pixels` (height, width, 3) uint8, drawn on in place; coordinates in px, ends exclusive."""

    def __init__(self, pixels: Array) -> None:
        self.pixels = pixels

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Draws a filled rectangle."""
        x0, y0, x1, y1 = (max(0, round(edge)) for edge in (left, top, right, bottom))
        self.pixels[y0:y1, x0:x1] = colour

    def disc(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Draws the filled ellipse inscribed in a rectangle."""
        height, width = self.pixels.shape[:2]
        x0, y0 = max(0, round(left)), max(0, round(top))
        x1, y1 = min(width, round(right)), min(height, round(bottom))
        if x0 >= x1 or y0 >= y1:
            return
        y, x = np.mgrid[y0:y1, x0:x1] + 0.5
        across = (x - (left + right) / 2) / ((right - left) / 2)
        down = (y - (top + bottom) / 2) / ((bottom - top) / 2)
        self.pixels[y0:y1, x0:x1][across**2 + down**2 <= 1] = colour
