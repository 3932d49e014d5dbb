"""The text of `dagger compare`: two sides of an environment, paired."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np

from dagger_cli.core.types import Array
from dagger_cli.report.groups import Measured, finite
from dagger_cli.report.pairing import Pair, Pairing, paired
from dagger_cli.report.settings import SEED
from dagger_cli.report.statistics import Estimate, mean_difference, probability_of_improvement
from dagger_cli.report.words import NONE, digits_for, estimated, median_labels, number, percent
from dagger_cli.utils.files import shown_path
from dagger_cli.utils.terminal import printable

_SHOWN = 8  # pairs, runs or settings that are listed one by one
_FEW = 10


def lines(env: str, a: Sequence[Measured], b: Sequence[Measured]) -> Iterator[str]:
    """Yields the comparison of two sides of an environment."""
    found = paired(a, b)
    yield f"{env}: {_count(a)} of A, {_count(b)} of B, {_count(found.pairs, 'pair')}"
    yield from _differences(found)
    yield ""
    yield from _sides(a, b)
    yield ""
    yield from _paired(found)
    yield from _unpaired(found)


def _differences(found: Pairing) -> Iterator[str]:
    differ = {k: v for k, v in found.differ.items() if not _is_named(k, found.differ)}
    if not differ:
        yield "  the settings of A and B do not differ, other than by seed"
        return
    first = dict(list(differ.items())[:_SHOWN])
    wide = max(map(len, first))
    for key, (ours, theirs) in first.items():
        yield f"  {key:<{wide}}  A {', '.join(ours) or NONE}  B {', '.join(theirs) or NONE}"
    if len(differ) > _SHOWN:
        yield f"  and {len(differ) - _SHOWN} more settings"


def _is_named(key: str, keys: Container[str]) -> bool:
    """Returns whether this is the class of an option whose name differs, too."""
    group, _, last = key.rpartition(".")
    return last == "_target_" and f"{group}.name" in keys


def _sides(a: Sequence[Measured], b: Sequence[Measured]) -> Iterator[str]:
    digits = digits_for(one.final for one in (*a, *b))
    rows = [("", "return", "min", "share of expert", "labels to 95 %")]
    for name, runs in (("A", a), ("B", b)):
        finals, shares = finite(r.final for r in runs), finite(r.share for r in runs)
        mean = number(float(finals.mean()), digits) if len(finals) else NONE
        worst = number(float(finals.min()), digits) if len(finals) else NONE
        part = percent(float(shares.mean())) if len(shares) else NONE
        rows.append((name, mean, worst, part, median_labels(r.labels_to(0.95) for r in runs)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  " + "  ".join(cells)


def _paired(found: Pairing) -> Iterator[str]:
    scored = [pair for pair in found.pairs if len(_finals(pair.a)) and len(_finals(pair.b))]
    if not scored:
        yield "  no pair is finished on both sides, so there is no difference to estimate"
        return
    a = np.array([_finals(pair.a).mean() for pair in scored])
    b = np.array([_finals(pair.b).mean() for pair in scored])
    digits = digits_for(a - b)
    yield _estimate("A - B, mean over pairs", mean_difference(a - b), digits)
    yield _estimate(
        "a run of A beats one of B with probability", probability_of_improvement([a], [b]), 2
    )
    wins = f"{int((a > b).sum())} of {len(a)}, ties {int((a == b).sum())}"
    yield f"  {'pairs in which A is higher':<44}{wins}"
    if len(scored) < _FEW:
        yield f"  with {_count(scored, 'pair')}, fewer than {_FEW}, the intervals are too narrow"
    for pair, ours, theirs in zip(scored[:_SHOWN], a, b, strict=False):
        yield f"    {_key(pair)}  A {number(ours, digits)}  B {number(theirs, digits)}"
    if any(len(side) > 1 for pair in found.pairs for side in (pair.a, pair.b)):
        yield "  several runs of a side have the same settings and seed: their mean is used"


def _unpaired(found: Pairing) -> Iterator[str]:
    for name, runs in (("A", found.alone_a), ("B", found.alone_b)):
        if not runs:
            continue
        seeds = ", ".join(dict.fromkeys(one.run.seed for one in runs))
        yield f"  not paired: {_count(runs)} of {name} without a partner, seeds {seeds}"
        for one in runs[:_SHOWN]:
            yield f"    {shown_path(one.run.folder)}"


def _estimate(name: str, estimate: Estimate, digits: int) -> str:
    value, interval = estimated(estimate, digits)
    return f"  {name:<44}{value}  (95 % interval {interval})"


def _finals(runs: Sequence[Measured]) -> Array:
    return finite(one.final for one in runs)


def _key(pair: Pair) -> str:
    seed = f"seed {pair.key.get(SEED, '?')}"
    return " ".join([seed, *(f"{k}={v}" for k, v in pair.key.items() if k != SEED)])


def _count(things: Sequence[object], what: str = "run") -> str:
    return f"{len(things)} {what}{'s' * (len(things) != 1)}"


def safe(line: str) -> str:
    """Returns a line for the terminal."""
    return printable(line.replace("\n", " "))
