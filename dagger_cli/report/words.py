"""Numbers in words of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dagger_cli.report.statistics import Estimate

NONE = "–"


def number(value: float, digits: int = 1) -> str:
    """Returns a number with thousands separators, a dash for nan, `never` for inf."""
    if math.isnan(value):
        return NONE
    return "never" if math.isinf(value) else f"{value:,.{digits}f}"


def digits_for(values: Iterable[float]) -> int:
    """Returns the decimals that distinguish numbers of this size."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return 1 if largest >= 10 else 2 if largest >= 1 else 4


def percent(value: float) -> str:
    """Returns a share in per cent."""
    return number(100 * value) + (" %" if math.isfinite(value) else "")


def plus_minus(half: float | None, digits: int) -> str:
    """Returns half of an interval, a dash without one."""
    return NONE if half is None else f"± {half:,.{digits}f}"


def estimated(estimate: Estimate, digits: int = 3) -> tuple[str, str]:
    """Returns an estimate and its interval."""
    interval = estimate.interval
    bounds = (
        NONE if interval is None else f"{interval.low:.{digits}f} to {interval.high:.{digits}f}"
    )
    return number(estimate.value, digits), bounds


def median_labels(found: Iterable[float]) -> str:
    """Returns the median of labels to a share, and how many runs never reached it."""
    values = sorted(value for value in found if not math.isnan(value))
    if not values:
        return NONE
    never = sum(map(math.isinf, values))
    middle = len(values) // 2
    median = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    if math.isinf(median):
        return "never"
    return f"{median:,.0f}" + (f" ({never} never)" if never else "")
