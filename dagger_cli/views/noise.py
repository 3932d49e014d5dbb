"""Gaussian noise as a function of (episode seed, step, component).

A generator with a state would depend on the order of slots and steps, so a replayed episode, or
one beside others, would get other noise. Here each number is a hash of its place: splitmix64
(Steele, Lea & Flood 2014) makes two uniform numbers of it, Box and Muller (1958) a normal one.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.types import Array

GAMMA = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
UNIT = 2.0**-53


def normal(seeds: Array, steps: Array, size: int) -> Array:
    """Returns standard normal numbers, (n, size) float64, of seeds (n,) and steps (n,) int64."""
    rows = _mixed(_mixed(seeds.astype(np.uint64)) ^ steps.astype(np.uint64))
    places = _mixed(rows[:, None] ^ np.arange(2 * size, dtype=np.uint64))
    uniform = ((places >> np.uint64(11)).astype(np.float64) + 0.5) * UNIT  # in (0, 1)
    radius = np.sqrt(-2 * np.log(np.ascontiguousarray(uniform[:, :size])))
    return np.asarray(radius * np.cos(2 * np.pi * np.ascontiguousarray(uniform[:, size:])))


def _mixed(x: Array) -> Array:
    """Returns the output of splitmix64 in the states x (...) uint64."""
    x = x + GAMMA
    x = (x ^ (x >> np.uint64(30))) * FIRST
    x = (x ^ (x >> np.uint64(27))) * SECOND
    return np.asarray(x ^ (x >> np.uint64(31)))
