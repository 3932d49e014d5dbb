"""What the driver's camera reads: the track from above at several scales, and the space around.

A pixel far away covers much of the track; its colour comes from a coarser level, whose cells are
means (mipmaps, Williams 1983). So images change smoothly with the position.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.envs.kart.lab import lab
from dagger_cli.envs.kart.space import panorama
from dagger_cli.envs.kart.surface import surface
from dagger_cli.envs.kart.track import HALF_WIDTH, REACH, Track, make_track

FINEST = 0.25  # m: side of a cell of the first level; each further level has cells twice as wide
LEVELS = 6
ACROSS = 2  # points per side of a cell, whose mean colour is that of the cell


@dataclass(frozen=True, eq=False)
class Atlas:
    """A track and the space around it in one colour space.

    `cells` (n, 4) float32 are the cells of all levels: colour times coverage by the track, and the
    coverage in [0, 1]. `first`, `rows`, `columns` (LEVELS,) int64: where a level begins in `cells`,
    and its shape. `corner` (2,) m is that of every level. `space` (rows, columns, 3) float32 are
    means of blocks of the panorama.
    """

    cells: Array
    first: Array
    rows: Array
    columns: Array
    corner: Array
    space: Array


COLOURS: dict[str, Callable[[Array], Array]] = {
    "lab": lab,
    "pixels": lambda colours: 255 * colours,
}


@cache
def make_atlas(number: int, colours: str, block: int) -> Atlas:
    """Returns the atlas of a track; `colours` is a key of COLOURS, `block` the side of a block."""
    track, convert = make_track(number), COLOURS[colours]
    levels = [_finest(track, convert)]
    while len(levels) < LEVELS:
        levels.append(_halved(levels[-1]))
    shapes = np.array([level.shape[:2] for level in levels])
    first = np.concatenate([[0], np.cumsum(shapes.prod(1))[:-1]])
    cells = np.concatenate([level.reshape(-1, 4) for level in levels]).astype(np.float32)
    around = panorama()
    blocks = around.reshape(around.shape[0] // block, block, -1, block, 3).mean((1, 3))
    space = convert(blocks).astype(np.float32)
    return Atlas(cells, first, shapes[:, 0].copy(), shapes[:, 1].copy(), track.corner, space)


def _finest(track: Track, convert: Callable[[Array], Array]) -> Array:
    coarsest = FINEST * 2 ** (LEVELS - 1)
    size = np.ceil((track.points.max(0) + REACH - track.corner) / coarsest).astype(np.int64)
    columns, rows = (size * 2 ** (LEVELS - 1)).tolist()
    total = np.zeros((rows, columns, 4))
    for i in range(ACROSS):
        for j in range(ACROSS):
            x = track.corner[0] + (np.arange(columns) + (j + 0.5) / ACROSS) * FINEST
            y = track.corner[1] + (np.arange(rows) + (i + 0.5) / ACROSS) * FINEST
            total += _seen_from_above(track, x, y, convert)
    return np.asarray(total / ACROSS**2)


def _seen_from_above(track: Track, x: Array, y: Array, convert: Callable[[Array], Array]) -> Array:
    """Returns (len(y), len(x), 4): the colours of points on the track and 1, zeros elsewhere."""
    places = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    along, left = track.locate(places)
    on = np.flatnonzero(np.abs(left) <= HALF_WIDTH)  # False for NaN
    seen = np.zeros((len(places), 4))
    seen[on, :3] = convert(surface(track, along[on], left[on]))
    seen[on, 3] = 1
    return seen.reshape(len(y), len(x), 4)


def _halved(level: Array) -> Array:
    rows, columns = level.shape[0] // 2, level.shape[1] // 2
    return np.asarray(level.reshape(rows, 2, columns, 2, 4).mean((1, 3)))
