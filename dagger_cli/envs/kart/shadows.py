"""Shadows that drift over the track: the light on a place, periodic in both directions."""

from __future__ import annotations

from functools import cache

import numpy as np

from dagger_cli.core.types import Array

SIDE, CELL = 64, 2.0  # cells, and their side in m
DARKEST = 0.15  # light in the middle of a shadow
WAVES = 6.0  # in SIDE cells: the finer ones are damped


@cache
def shadows() -> Array:
    """Returns the light in [DARKEST, 1], (SIDE, SIDE) float32."""
    noise = np.random.default_rng(7).standard_normal((SIDE, SIDE))
    waves = np.fft.fftfreq(SIDE) * SIDE
    smooth = np.exp(-(waves[:, None] ** 2 + waves**2) / (2 * WAVES**2))
    height = np.fft.ifft2(np.fft.fft2(noise) * smooth).real
    light = 1 / (1 + np.exp(3 * height / height.std()))
    return np.asarray(DARKEST + (1 - DARKEST) * light, np.float32)
