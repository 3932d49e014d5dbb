"""Ranges of numbers that several policies have; without torch, so that they are checked first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.values import at_least, at_most, in_range
from dagger_cli.core.windows import MOST_CHUNK, MOST_STACK

MOST = 2**53  # torch counts in 64 bits
MOST_THREADS = 1024
MOST_TRUNCATE = 100_000  # env steps
STEEPEST = 50.0  # of chunk_decay: exp(-50) of a weight is below the last digit of the others

# Key: least, most, an example to try.
COUNTS = {
    "chunk": (1, MOST_CHUNK, 4),
    "window": (2, MOST_STACK, 4),  # with policy.carry also 1
    "truncate": (1, MOST_TRUNCATE, 16),
    "units": (1, MOST, None),
    "epochs": (1, MOST, None),
    "gradient_steps": (1, MOST, None),
    "batch_size": (1, MOST, None),
    "final_fit": (1, MOST, None),
}


def check_ranges(given: Mapping[str, Any]) -> None:
    """Raises ConfigError for a number of a policy's keys that is out of range.

    Keys without a number are not checked: None is allowed in some, and types are checked later.
    """
    numbers = {key: value for key, value in given.items() if isinstance(value, int | float)}
    for key, (least, most, example) in COUNTS.items():
        if key in numbers:
            least = 1 if key == "window" and given.get("carry") else least
            at_least(f"policy.{key}", numbers[key], least, example)
            at_most(f"policy.{key}", numbers[key], most)
    if "threads" in numbers:
        in_range("policy.threads", numbers["threads"], f"[1, {MOST_THREADS}]", "null")
    decay, rate = numbers.get("chunk_decay", 0.0), numbers.get("learning_rate", 1.0)
    if not (math.isfinite(decay) and abs(decay) <= STEEPEST):
        raise ConfigError(
            f"policy.chunk_decay must be between -{STEEPEST:g} and {STEEPEST:g}, got {decay}; try 1"
        )
    if not rate > 0:
        raise ConfigError(f"policy.learning_rate must be > 0, got {rate}")
    if not numbers.get("weight_decay", 0.0) >= 0:
        raise ConfigError(f"policy.weight_decay must be 0 or more, got {numbers['weight_decay']}")
