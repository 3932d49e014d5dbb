"""Checks of values of a config; each raises ConfigError with the key, the value and a remedy."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dagger_cli.core.errors import ConfigError


def one_of(key: str, value: object, known: Iterable[str]) -> None:
    """Refuses a value that is not among those known."""
    names = tuple(known)
    if value not in names:
        raise ConfigError(f"{key} must be one of {', '.join(names)}; got '{value}'")


def at_least(key: str, value: float, least: float, example: object = None) -> None:
    """Refuses a value below `least`; `example` is one to try."""
    if not value >= least:
        words = "0 or more" if least == 0 else f"at least {least}"
        raise ConfigError(f"{key} must be {words}, got {value}{_hint(example)}")


def at_most(key: str, value: float, most: float) -> None:
    """Refuses a value above `most`."""
    if not value <= most:
        raise ConfigError(f"{key} must be at most {most:,}, got {value}")


def in_range(key: str, value: float, interval: str, example: object = None) -> None:
    """Refuses a value outside an interval such as `(0, 1]` or `(0, inf)`, and NaN."""
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    above = value >= low if interval[0] == "[" else value > low
    below = value <= high if interval[-1] == "]" else value < high
    if not (above and below):
        words = f"> {low:g}" if math.isinf(high) else f"in {interval}"
        raise ConfigError(f"{key} must be {words}, got {value}{_hint(example)}")


def _hint(example: object) -> str:
    return "" if example is None else f"; try {example}"
