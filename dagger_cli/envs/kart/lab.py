"""L*a*b* values of sRGB colours (CIE 1976, white point D65)."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array

TO_XYZ = np.array(
    [
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.0721750),
        (0.0193339, 0.1191920, 0.9503041),
    ]
)
WHITE = TO_XYZ.sum(1)
EDGE = 6 / 29


def lab(colours: Array) -> Array:
    """Returns (..., 3): L* in [0, 100], a* and b*, of sRGB `colours` (..., 3) in [0, 1]."""
    dark = colours / 12.92
    linear = np.where(colours <= 0.04045, dark, ((colours + 0.055) / 1.055) ** 2.4)
    ratio = linear @ TO_XYZ.T / WHITE
    root = np.where(ratio > EDGE**3, np.cbrt(ratio), ratio / (3 * EDGE**2) + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
