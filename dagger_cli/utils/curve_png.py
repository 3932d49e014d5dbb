"""The plot of the validation return as PNG, drawn with Pillow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from dagger_cli.utils.curve import MARGIN, SIZE, Axes, Point

BLUE, BAND, GREY, BLACK = (31, 119, 180), (205, 225, 240), (210, 210, 210), (40, 40, 40)


def curve_png(points: Sequence[Point], title: str, expert: float | None = None) -> bytes:
    """Returns a PNG: a line through the means in a band of +-1 standard deviation.

    Needs at least one point. The return of the expert is a dashed line.
    """
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", SIZE, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(14)
    axes = Axes(points, expert)
    for value in axes.ticks():
        draw.line([axes.at(axes.first, value), axes.at(axes.last, value)], fill=GREY)
        _, y = axes.at(axes.first, value)
        draw.text((MARGIN[0] - 8, y), f"{value:,.4g}", fill=BLACK, font=font, anchor="rm")
    above = [axes.at(p.labels, p.mean + p.std) for p in points]
    below = [axes.at(p.labels, p.mean - p.std) for p in reversed(points)]
    if len(points) > 1:
        draw.polygon(above + below, fill=BAND)
        draw.line([axes.at(p.labels, p.mean) for p in points], fill=BLUE, width=2)
    for point in points:
        x, y = axes.at(point.labels, point.mean)
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=BLUE)
    if expert is not None:
        _dashed(draw, axes, expert)
        title = f"{title}; dashed: the expert"
    _words(draw, font, axes, title)
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def _dashed(draw: Any, axes: Axes, value: float) -> None:
    left, y = axes.at(axes.first, value)
    for x in range(round(left), SIZE[0] - MARGIN[2], 10):
        draw.line([(x, y), (x + 5, y)], fill=BLACK, width=2)  # 1 vanishes where it is scaled


def _words(draw: Any, font: Any, axes: Axes, title: str) -> None:
    bottom = SIZE[1] - MARGIN[3] + 8
    draw.text((MARGIN[0], bottom), f"{axes.first:,}", fill=BLACK, font=font, anchor="lt")
    draw.text((SIZE[0] - MARGIN[2], bottom), f"{axes.last:,}", fill=BLACK, font=font, anchor="rt")
    draw.text((SIZE[0] / 2, bottom + 16), "labels", fill=BLACK, font=font, anchor="mt")
    draw.text((MARGIN[0], 8), title, fill=BLACK, font=font, anchor="lt")
