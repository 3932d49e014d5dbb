"""The space around the track: its colour in every direction, as seen from all tracks."""

from __future__ import annotations

from functools import cache

import numpy as np

from dagger_cli.core.types import Array

COLUMNS, ROWS = 1440, 480  # directions: a whole turn, and from the lowest to the highest
LOWEST = (
    -np.pi / 3
)  # rad: elevation of the middle of the first row, as much as the last one's above 0
STARS = 700
UP, RIM, DOWN = np.array([(0.02, 0.02, 0.07), (0.24, 0.12, 0.36), (0.01, 0.01, 0.03)])
NEBULA = np.array([0.35, 0.12, 0.30])
PLANET, SHADE = np.array([(0.88, 0.66, 0.42), (0.30, 0.16, 0.20)])
PLANET_AT, PLANET_RADIUS = (0.9, 0.27), 0.17  # rad


@cache
def panorama() -> Array:
    """Returns colours (ROWS, COLUMNS, 3), sRGB in [0, 1], by elevation and azimuth."""
    azimuth = np.arange(COLUMNS) / COLUMNS * 2 * np.pi
    elevation = np.linspace(LOWEST, -LOWEST, ROWS)[:, None]
    colours = _gas(azimuth, elevation)
    _add_stars(colours)
    _add_planet(colours, azimuth, elevation)
    colours.flags.writeable = False
    return colours


def _gas(azimuth: Array, elevation: Array) -> Array:
    rim = np.exp(-((elevation / 0.35) ** 2))[..., None]
    ground = np.where(elevation[..., None] > 0, UP, DOWN)
    waves = sum(
        np.sin(k * azimuth + 2.3 * k + m * elevation * 3) / k for k, m in ((2, 1), (3, -2), (5, 3))
    )
    cloud = np.clip(waves, 0, None)[..., None] * np.exp(-((elevation - 0.1) ** 2) / 0.12)[..., None]
    return np.asarray(ground * (1 - rim) + RIM * rim + 1.2 * cloud * NEBULA)


def _add_stars(colours: Array) -> None:
    rng = np.random.default_rng(2011)
    rows, columns = rng.integers(1, ROWS - 1, STARS), rng.integers(0, COLUMNS, STARS)
    light = rng.uniform(0.3, 1.0, STARS) ** 2
    for row, column, power in zip(rows, columns, light, strict=True):
        for y, x, share in ((0, 0, 1.0), (0, 1, 0.5), (0, -1, 0.5), (1, 0, 0.5), (-1, 0, 0.5)):
            place = colours[row + y, (column + x) % COLUMNS]
            place[:] = np.maximum(place, power * share * np.array([1.0, 0.97, 0.9]))


def _add_planet(colours: Array, azimuth: Array, elevation: Array) -> None:
    across = (azimuth - PLANET_AT[0]) / PLANET_RADIUS
    above = (elevation - PLANET_AT[1]) / PLANET_RADIUS
    inside = across**2 + above**2
    bands = 0.12 * np.sin(9 * above + 1.5 * across)
    light = np.clip(0.75 + 0.45 * (above - across) + bands, 0, 1)[..., None]
    disc = SHADE * (1 - light) + PLANET * light
    covered = np.clip((1 - np.sqrt(inside)) * 20, 0, 1)[..., None]
    colours[:] = colours * (1 - covered) + disc * covered
