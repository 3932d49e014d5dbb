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
AHEAD, MOST_STEPS = 4096, 64  # numbers, and steps, that a slot's noise is computed ahead
UNIT = 2.0**-53


def normal(seeds: Array, steps: Array, size: int) -> Array:
    """Returns standard normal numbers, (n, size) float64, of seeds (n,) and steps (n,) int64."""
    rows = _mixed(_mixed(seeds.astype(np.uint64)) ^ steps.astype(np.uint64))
    places = _mixed(rows[:, None] ^ np.arange(2 * size, dtype=np.uint64))
    uniform = ((places >> np.uint64(11)).astype(np.float64) + 0.5) * UNIT  # in (0, 1)
    radius = np.sqrt(-2 * np.log(np.ascontiguousarray(uniform[:, :size])))
    return np.asarray(radius * np.cos(2 * np.pi * np.ascontiguousarray(uniform[:, size:])))


class Noise:
    """Noise of n slots, some steps ahead: a call takes longer than the numbers of one step."""

    def __init__(self, n: int, size: int) -> None:
        self._size, self._steps = size, max(1, min(MOST_STEPS, AHEAD // size))
        self._values = np.zeros((n, self._steps, size))
        self._seeds, self._blocks = np.zeros(n, np.int64), np.full(n, -1)

    def __call__(self, slots: Array, seeds: Array, steps: Array) -> Array:
        """Returns `normal(seeds, steps, size)`; (k,) each, slot i plays the episode of seed i."""
        blocks, places = np.divmod(steps, self._steps)
        stale = (self._blocks[slots] != blocks) | (self._seeds[slots] != seeds)
        if stale.any():
            self._fill(slots[stale], seeds[stale], blocks[stale])
        return np.asarray(self._values[slots, places])

    def _fill(self, slots: Array, seeds: Array, blocks: Array) -> None:
        steps = blocks[:, None] * self._steps + np.arange(self._steps)
        values = normal(np.repeat(seeds, self._steps), steps.ravel(), self._size)
        self._values[slots] = values.reshape(len(slots), self._steps, self._size)
        self._seeds[slots], self._blocks[slots] = seeds, blocks


def _mixed(x: Array) -> Array:
    """Returns the output of splitmix64 in the states x (...) uint64."""
    x = x + GAMMA
    x = (x ^ (x >> np.uint64(30))) * FIRST
    x = (x ^ (x >> np.uint64(27))) * SECOND
    return np.asarray(x ^ (x >> np.uint64(31)))
