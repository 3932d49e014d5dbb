"""Colours of the track: plates between kerbs, a dashed line in the middle, a chequered start.

The colour of the plates changes along the track, and every plate has a shade of its own: the track
is now lighter and now darker than the space around it.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.envs.kart.track import HALF_WIDTH, Track

KERB = 0.6  # m wide
LINE = 0.15  # m: half the width of the line in the middle
SEAM = 0.06  # m: half the width of the gap between plates
START = 2.0  # m of chequered plates
STRIPE, PLATE, DASH = 2.0, 5.0, 6.0  # m along the track, at most
TINTS = np.array(
    [
        (0.16, 0.18, 0.26), (0.62, 0.66, 0.74), (0.20, 0.34, 0.62), (0.78, 0.60, 0.34),
        (0.30, 0.16, 0.34), (0.34, 0.62, 0.56), (0.48, 0.48, 0.50), (0.60, 0.30, 0.26),
    ]
)  # fmt: skip
SHADES = (0.5, 1.5)  # of single plates
RED, WHITE, DARK = np.array([(0.84, 0.16, 0.18), (0.93, 0.93, 0.95), (0.10, 0.11, 0.16)])


def surface(track: Track, along: Array, left: Array) -> Array:
    """Returns colours (n, 3), sRGB in [0, 1], at `along` and `left` (n,) m, see `Track.locate`."""
    colours = _plates(track, along, left)
    plate = _phase(track, along, PLATE)
    seam = np.minimum(plate, 1 - plate) * PLATE < SEAM
    colours[seam] *= 0.6
    colours[(np.abs(left) < LINE) & (_phase(track, along, DASH) < 0.5)] = WHITE
    start = (along % track.length) < START
    squares = (np.floor(along % track.length) + np.floor(left)) % 2 == 0
    colours[start] = np.where(squares[:, None], WHITE, DARK)[start]
    kerb = np.abs(left) > HALF_WIDTH - KERB
    red = _phase(track, along, 2 * STRIPE) < 0.5
    colours[kerb] = np.where(red[:, None], RED, WHITE)[kerb]
    return colours


def _phase(track: Track, along: Array, period: float) -> Array:
    """Returns the place in [0, 1) within a period, of which a whole number makes the track."""
    return np.asarray(along / track.length * np.ceil(track.length / period) % 1)


def _plates(track: Track, along: Array, left: Array) -> Array:
    place = along / track.length % 1 * len(TINTS)
    first = np.minimum(place.astype(np.int64), len(TINTS) - 1)
    share = (place - first)[:, None]
    tint = TINTS[first] * (1 - share) + TINTS[(first + 1) % len(TINTS)] * share
    number = np.floor(along / track.length * np.ceil(track.length / PLATE)).astype(np.int64)
    shades = np.random.default_rng(track.number).uniform(*SHADES, (997, 2))
    shade = shades[number % 997, (left > 0).astype(np.int64)][:, None]
    return np.asarray(np.minimum(tint * shade, 1.0))
