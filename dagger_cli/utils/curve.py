"""Plot of the validation return per round: its points and axes, and the plot as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

SIZE = (720, 360)
MARGIN = (80, 30, 20, 50)  # left, top, right, bottom
CURVE_TITLE = "validation return, mean and standard deviation"


class Point(NamedTuple):
    """One round: labels used so far, mean and standard deviation of the validation return."""

    labels: int
    mean: float
    std: float


class Axes:
    """Axes: map (labels, return) to pixels."""

    def __init__(self, points: Sequence[Point], expert: float | None) -> None:
        self.first, self.last = points[0].labels, points[-1].labels
        shown = [] if expert is None else [expert]
        low = min([p.mean - p.std for p in points] + shown)
        high = max([p.mean + p.std for p in points] + shown)
        room = 0.05 * (high - low) or 1.0
        self._low, self._high = low - room, high + room

    def at(self, labels: float, value: float) -> tuple[float, float]:
        """Returns the place of a return after so many labels, in px."""
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


def curve_svg(points: Sequence[Point], title: str, expert: float | None = None) -> str:
    """Returns an SVG: a line through the means in a band of +-1 standard deviation.

    Needs at least one point. The return of the expert is a dashed line.
    """
    axes = Axes(points, expert)
    parts = [*_grid(axes), *_band(axes, points)]
    if expert is not None:
        (left, y), (right, _) = axes.at(axes.first, expert), axes.at(axes.last, expert)
        parts.append(_line(left, y, right, y, "stroke='#282828' stroke-dasharray='5 5'"))
        title = f"{title}; dashed: the expert"
    middle, bottom = SIZE[0] / 2, SIZE[1] - MARGIN[3]
    parts += [
        _text(MARGIN[0], 20, title, "start"),
        _text(MARGIN[0], bottom + 20, f"{axes.first:,}", "start"),
        _text(SIZE[0] - MARGIN[2], bottom + 20, f"{axes.last:,}", "end"),
        _text(middle, bottom + 36, "labels", "middle"),
    ]
    return _SVG.format(width=SIZE[0], height=SIZE[1], parts="\n".join(parts))


_SVG = """<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' \
font-family='sans-serif' font-size='13' fill='#282828'>
<rect width='100%' height='100%' fill='white'/>
{parts}
</svg>
"""


def _grid(axes: Axes) -> list[str]:
    parts = []
    for value in axes.ticks():
        (left, y), (right, _) = axes.at(axes.first, value), axes.at(axes.last, value)
        parts.append(_line(left, y, right, y, "stroke='#d2d2d2'"))
        parts.append(_text(MARGIN[0] - 8, y + 4, f"{value:,.4g}", "end"))
    return parts


def _band(axes: Axes, points: Sequence[Point]) -> list[str]:
    at = axes.at
    above = [at(p.labels, p.mean + p.std) for p in points]
    below = [at(p.labels, p.mean - p.std) for p in reversed(points)]
    means = [at(p.labels, p.mean) for p in points]
    return [
        f"<polygon points='{_pairs(above + below)}' fill='#cde1f0'/>",
        f"<polyline points='{_pairs(means)}' fill='none' stroke='#1f77b4' stroke-width='2'/>",
        *(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='#1f77b4'/>" for x, y in means),
    ]


def _pairs(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' {style}/>"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(text)}</text>"
