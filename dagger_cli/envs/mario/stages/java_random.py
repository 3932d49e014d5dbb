"""java.util.Random, a 48-bit linear congruential generator (docs/mario_rules.md, C.1).

Its state is a one-element int64 array, so that compiled functions can share it.
"""

from __future__ import annotations

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.state import Array

MULTIPLIER, INCREMENT = 0x5DEECE66D, 0xB
MASK = (1 << 48) - 1
LARGEST = 2**31 - 1


@compiled
def seed_random(random: Array, seed: int) -> None:
    """Seeds the generator with a signed 64-bit integer."""
    random[0] = (seed ^ MULTIPLIER) & MASK


@compiled
def _next_31_bits(random: Array) -> int:
    # The product overflows 64 bits; its low 48 bits are correct all the same.
    random[0] = (int(random[0]) * MULTIPLIER + INCREMENT) & MASK
    return int(random[0]) >> 17


@compiled
def below(random: Array, n: int) -> int:
    """Returns `nextInt(n)`: uniform in 0 ... n - 1, for n of at least 1."""
    bits = _next_31_bits(random)
    if n & -n == n:
        return (n * bits) >> 31
    value = bits % n
    while bits - value + (n - 1) > LARGEST:
        bits = _next_31_bits(random)
        value = bits % n
    return value
