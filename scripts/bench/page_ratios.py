"""First table of docs/benchmarks.md: every ratio, and that of the run before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jobs import APART
from ratios import Ratio, ratios_of

FEWEST = 5  # per cent; smaller changes are within the spread of the repeats


def ratio_lines(results: dict[str, Any]) -> Iterator[str]:
    yield "| part | ratio | better is | now | before | change, % |"
    yield "|---|---|---|---|---|---|"
    for part, entry in results.items():
        earlier = entry.get("before")
        before = {} if earlier is None else _earlier(part, earlier["figures"])
        for ratio in ratios_of(part, entry["figures"]):
            side = "more" if ratio.more else "less"
            then = before.get(ratio.name)
            cells = f"{part} | {ratio.name} | {side} | {_digits(ratio.value)}"
            if then is None:
                yield f"| {cells} | | |"
                continue
            where = earlier["machine"]
            told = f"{_digits(then.value)} ({where['date']}, {where['cpu']})"
            yield f"| {cells} | {told} | {_change(ratio, then)} |"


def took_lines(results: dict[str, Any]) -> Iterator[str]:
    """Yields how long parts took, and the usual ones together if all are known."""
    known = {part: entry["took"] for part, entry in results.items() if "took" in entry}
    if known:
        told = (f"{part} {took['wall']} ({took['cpu']})" for part, took in known.items())
        yield f"Seconds that measuring a part took, wall (CPU): {', '.join(told)}."
    usual = [part for part in results if part not in APART]
    if set(usual) <= set(known):
        wall, cpu = (sum(known[part][key] for part in usual) / 60 for key in ("wall", "cpu"))
        yield f"The parts of `make bench` together: {wall:.0f} minutes, {cpu:.0f} CPU minutes."


def _earlier(part: str, figures: Any) -> dict[str, Ratio]:
    """Returns the ratios of the run before, none where its figures had another form."""
    try:
        return _by_name(part, figures)
    except KeyError:
        return {}


def _by_name(part: str, figures: Any) -> dict[str, Ratio]:
    return {ratio.name: ratio for ratio in ratios_of(part, figures)}


def _change(now: Ratio, then: Ratio) -> str:
    change = 100 * (now.value / then.value - 1)
    worse = change < -FEWEST if now.more else change > FEWEST
    return f"{change:+.0f}{' **worse**' if worse else ''}"


def _digits(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
