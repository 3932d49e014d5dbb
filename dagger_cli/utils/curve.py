"""Plot of the validation return per round, drawn with Pillow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

SIZE = (720, 360)
MARGIN = (80, 30, 20, 50)  # left, top, right, bottom
CURVE_TITLE = "validation return, mean and standard deviation"
BLUE, BAND, GREY, BLACK = (31, 119, 180), (205, 225, 240), (210, 210, 210), (40, 40, 40)


class Point(NamedTuple):
    """One round: labels used so far, mean and standard deviation of the validation return."""

    labels: int
    mean: float
    std: float


def curve_png(points: Sequence[Point], title: str, expert: float | None = None) -> bytes:
    """Returns a PNG: a line through the means in a band of +-1 standard deviation.

    Needs at least one point. The return of the expert is a dashed line.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", SIZE, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    place = _Place(points, expert)
    for value in place.ticks():
        draw.line([place.at(place.first, value), place.at(place.last, value)], fill=GREY)
        _, y = place.at(place.first, value)
        draw.text((MARGIN[0] - 8, y), f"{value:,.4g}", fill=BLACK, font=font, anchor="rm")
    above = [place.at(p.labels, p.mean + p.std) for p in points]
    below = [place.at(p.labels, p.mean - p.std) for p in reversed(points)]
    if len(points) > 1:
        draw.polygon(above + below, fill=BAND)
        draw.line([place.at(p.labels, p.mean) for p in points], fill=BLUE, width=2)
    for point in points:
        x, y = place.at(point.labels, point.mean)
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=BLUE)
    if expert is not None:
        _dashed(draw, place, expert)
        title = f"{title}; dashed: the expert"
    _words(draw, font, place, title)
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def _dashed(draw: Any, place: _Place, value: float) -> None:
    left, y = place.at(place.first, value)
    for x in range(round(left), SIZE[0] - MARGIN[2], 10):
        draw.line([(x, y), (x + 5, y)], fill=BLACK, width=2)  # 1 vanishes where it is scaled


def _words(draw: Any, font: Any, place: _Place, title: str) -> None:
    bottom = SIZE[1] - MARGIN[3] + 8
    draw.text((MARGIN[0], bottom), f"{place.first:,}", fill=BLACK, font=font, anchor="lt")
    draw.text((SIZE[0] - MARGIN[2], bottom), f"{place.last:,}", fill=BLACK, font=font, anchor="rt")
    draw.text((SIZE[0] / 2, bottom + 16), "labels", fill=BLACK, font=font, anchor="mt")
    draw.text((MARGIN[0], 8), title, fill=BLACK, font=font, anchor="lt")


class _Place:
    """Axes: map (labels, return) to pixels."""

    def __init__(self, points: Sequence[Point], expert: float | None) -> None:
        self.first, self.last = points[0].labels, points[-1].labels
        shown = [] if expert is None else [expert]
        low = min([p.mean - p.std for p in points] + shown)
        high = max([p.mean + p.std for p in points] + shown)
        room = 0.05 * (high - low) or 1.0
        self._low, self._high = low - room, high + room

    def at(self, labels: float, value: float) -> tuple[float, float]:
        left, top, right, bottom = MARGIN
        across = (labels - self.first) / max(self.last - self.first, 1)
        up = (value - self._low) / (self._high - self._low)
        width, height = SIZE[0] - left - right, SIZE[1] - top - bottom
        return left + across * width, top + (1 - up) * height

    def ticks(self) -> list[float]:
        """Returns about five round numbers between the lowest and the highest value."""
        from math import ceil, floor, log10

        span = self._high - self._low
        power = 10 ** floor(log10(span / 5))
        step = next(power * f for f in (1, 2, 5, 10) if span / (power * f) <= 6)
        return [step * i for i in range(ceil(self._low / step), floor(self._high / step) + 1)]
