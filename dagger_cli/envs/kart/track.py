"""The track: its centre line, and where on it a position is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array
from dagger_cli.core.values import in_range
from dagger_cli.envs.kart.course import outline
from dagger_cli.utils.compiled import kernel

HALF_WIDTH = 5.0  # m from the centre line to an edge
SHARPEST = 8.0  # m: smallest radius of the centre line
BENDS = 25.0  # m: a part of a smaller radius is a bend
LEAST_BENDS = 0.15  # of the track, to the left and as much to the right
GAP = 5.0  # m between the edges of two parts of the track
REACH = HALF_WIDTH + 1.0  # m from the centre line that `Track.near` covers
CELL = 0.5  # m: side of a cell of `Track.near`
MOST_TRIES = 1000
LARGEST = 2**31 - 1  # number of a track
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Track:
    """Closed centre line of N points at equal distances; their order is the driving direction.

    `points` (N, 2) m; `headings` (N,) rad, anticlockwise from the x axis, not wrapped;
    `curvature` (N,) 1/m, positive in turns to the left.
    """

    number: int
    points: Array
    headings: Array
    curvature: Array
    spacing: float  # m along the line between two points

    @property
    def length(self) -> float:
        """Length of the centre line in m."""
        return self.spacing * len(self.points)

    @property
    def corner(self) -> Array:
        """(2,) m: the smallest x and y of the area that `near` covers."""
        return np.asarray(np.floor(self.points.min(0) - REACH))

    @cached_property
    def near(self) -> Array:
        """(rows, columns) int32: the nearest point of each cell; NOWHERE away from the track."""
        size = np.ceil((self.points.max(0) + REACH - self.corner) / CELL).astype(np.int64)
        near = np.full((size[1], size[0]), NOWHERE, np.int32)
        stamp(self.points, self.corner, near, np.full(near.shape, REACH**2))
        return near

    def locate(self, positions: Array) -> tuple[Array, Array]:
        """Returns where positions (n, 2) m are: m along the centre line and to its left, (n,) each.

        Both are NaN further than about REACH from the centre line.
        """
        along, left = np.empty(len(positions)), np.empty(len(positions))
        find(
            positions, self.points, self.headings, self.spacing, self.near, self.corner, along, left
        )
        return along, left


@cache
def make_track(number: int) -> Track:
    """Returns the track of a number; raises ConfigError outside 0 to 2^31 - 1."""
    in_range("env.track", number, f"[0, {LARGEST}]", 0)
    for points in _outlines(number):
        track = _track(number, points)
        if _is_winding(track.curvature) and _is_apart(track):
            return track
    raise ConfigError(f"env.track={number} gives no track: try another number")


def _outlines(number: int) -> Iterator[Array]:
    rng = np.random.default_rng(number)
    for _ in range(MOST_TRIES):
        yield outline(rng)


def _track(number: int, points: Array) -> Track:
    ahead, behind = np.roll(points, -1, 0), np.roll(points, 1, 0)
    spacing = float(np.linalg.norm(ahead - points, axis=1).mean())
    x, y = (ahead - behind).T
    headings = np.unwrap(np.arctan2(y, x))
    bends = np.angle(np.exp(1j * (np.roll(headings, -1) - np.roll(headings, 1))))
    return Track(number, points, headings, bends / (2 * spacing), spacing)


def _is_winding(curvature: Array) -> bool:
    """Returns whether there are bends enough to both sides, and none that is too sharp."""
    shares = [(side * curvature > 1 / BENDS).mean() for side in (-1, 1)]
    return bool(min(shares) >= LEAST_BENDS and np.abs(curvature).max() <= 1 / SHARPEST)


def _is_apart(track: Track) -> bool:
    """Returns whether no part of the track comes near another one."""
    n, least = len(track.points), 2 * HALF_WIDTH + GAP
    neighbours = round(np.pi * least / track.spacing)  # along a half circle of this diameter
    for shift in range(neighbours, n // 2 + 1):
        between = track.points - np.roll(track.points, shift, 0)
        if (between**2).sum(1).min() < least**2:
            return False
    return True


@kernel(nogil=True)
def stamp(points: Array, corner: Array, near: Array, squares: Array) -> None:
    """Writes into each cell of `near` the nearest point, where its square distance is less.

    `squares` (rows, columns) m^2 are the square distances so far.
    """
    reach = int(np.sqrt(squares.max()) / CELL) + 2
    for i in range(len(points)):
        column = int((points[i, 0] - corner[0]) / CELL)
        row = int((points[i, 1] - corner[1]) / CELL)
        for r in range(max(0, row - reach), min(near.shape[0], row + reach + 1)):
            for c in range(max(0, column - reach), min(near.shape[1], column + reach + 1)):
                x = corner[0] + (c + 0.5) * CELL - points[i, 0]
                y = corner[1] + (r + 0.5) * CELL - points[i, 1]
                if x * x + y * y < squares[r, c]:
                    squares[r, c] = x * x + y * y
                    near[r, c] = i


@kernel(nogil=True)
def find(
    positions: Array,
    points: Array,
    headings: Array,
    spacing: float,
    near: Array,
    corner: Array,
    along: Array,
    left: Array,
) -> None:
    """Writes `Track.locate` into `along` and `left`."""
    n = len(points)
    for k in range(len(positions)):
        x, y = positions[k]
        along[k] = left[k] = np.nan
        column, row = int(np.floor((x - corner[0]) / CELL)), int(np.floor((y - corner[1]) / CELL))
        if not (0 <= row < near.shape[0] and 0 <= column < near.shape[1]):
            continue
        first = near[row, column]
        if first < 0:
            continue
        best, square = first, np.inf
        for shift in range(-2, 3):
            i = (first + shift) % n
            distance = (x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2
            if distance < square:
                best, square = i, distance
        dx, dy = x - points[best, 0], y - points[best, 1]
        cos, sin = np.cos(headings[best]), np.sin(headings[best])
        along[k] = best * spacing + dx * cos + dy * sin
        left[k] = dy * cos - dx * sin
