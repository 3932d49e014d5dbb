"""Outline of a track: a random polygon around a point, its corners replaced by arcs of circles."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array

SPACING = 0.5  # m between two points of the centre line
LENGTH = 750.0  # m around the polygon; the centre line is shorter
CORNERS = (13, 18)  # fewest, and one more than the most
RADII = (8.5, 18.0)  # m of the arcs in the corners, drawn evenly on a log scale
SMOOTHING = 9  # points over which the line is averaged, so that the curvature does not jump


def outline(rng: Generator) -> Array:
    """Returns points (N, 2) in m of a closed line, anticlockwise, about SPACING apart."""
    corners = _polygon(rng)
    low, high = np.log(RADII)
    radii = np.exp(rng.uniform(low, high, len(corners)))
    pieces = [piece for i in range(len(corners)) for piece in _corner(corners, i, radii[i])]
    return _even(_smooth(_even(np.concatenate(pieces))))


def _polygon(rng: Generator) -> Array:
    """Returns corners (k, 2) in m, at random distances in directions that go once around."""
    k = int(rng.integers(*CORNERS))
    angles = 2 * np.pi * (np.arange(k) + rng.uniform(-0.3, 0.3, k)) / k
    corners = rng.uniform(0.4, 1.0, k)[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
    around = np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1).sum()
    return np.asarray(corners * (LENGTH / around))


def _corner(corners: Array, i: int, radius: float) -> Iterator[Array]:
    """Yields the points (m, 2) of the arc at corner i, of a smaller radius where it must be."""
    here, before = corners[i], corners[i - 1]
    after = corners[(i + 1) % len(corners)]
    length_in, length_out = np.linalg.norm(here - before), np.linalg.norm(after - here)
    come, go = (here - before) / length_in, (after - here) / length_out
    turn = np.arctan2(come[0] * go[1] - come[1] * go[0], come @ go)
    most = 0.48 * min(length_in, length_out)  # of the edges, which have an arc at both ends
    cut = min(radius * abs(np.tan(turn / 2)), most)
    radius = cut / max(abs(np.tan(turn / 2)), 1e-9)
    side = np.sign(turn) * np.array([-come[1], come[0]])
    centre = here - cut * come + radius * side
    angles = np.linspace(0, turn, max(2, int(radius * abs(turn) / 0.1)))[:, None]
    yield centre - radius * (side * np.cos(angles) - np.abs(np.sin(angles)) * come)


def _even(points: Array) -> Array:
    """Returns points on the same closed line at equal distances along it, about SPACING."""
    closed = np.concatenate([points, points[:1]])
    steps = np.linalg.norm(np.diff(closed, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], round(along[-1] / SPACING), endpoint=False)
    return np.stack([np.interp(wanted, along, closed[:, axis]) for axis in (0, 1)], axis=1)


def _smooth(points: Array) -> Array:
    half = SMOOTHING // 2
    return (
        np.asarray(sum(np.roll(points, shift, 0) for shift in range(-half, half + 1))) / SMOOTHING
    )
