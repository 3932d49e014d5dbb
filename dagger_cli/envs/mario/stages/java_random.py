"""java.util.Random, the 48-bit linear congruential generator (C.1), as stages were drawn with it.

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
    """Start the stream of a seed, a signed 64-bit number."""
    random[0] = (seed ^ MULTIPLIER) & MASK


@compiled
def _next_31_bits(random: Array) -> int:
    # The product overflows 64 bits; the low 48 are right all the same.
    random[0] = (int(random[0]) * MULTIPLIER + INCREMENT) & MASK
    return int(random[0]) >> 17


@compiled
def below(random: Array, n: int) -> int:
    """`nextInt(n)`: uniform in 0 ... n - 1, for n of at least 1."""
    bits = _next_31_bits(random)
    if n & -n == n:
        return (n * bits) >> 31
    value = bits % n
    while bits - value + (n - 1) > LARGEST:
        bits = _next_31_bits(random)
        value = bits % n
    return value
