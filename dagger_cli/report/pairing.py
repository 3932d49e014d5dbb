"""Pairs the runs of two sides: equal in the seed and in every setting that both sides vary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from dagger_cli.report.groups import Measured
from dagger_cli.report.settings import SEED, differing, values_of

_Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Pair:
    """Runs of both sides with the same `key`; several of a side count as their mean."""

    key: dict[str, str]
    a: tuple[Measured, ...]
    b: tuple[Measured, ...]


@dataclass(frozen=True)
class Pairing:
    """Pairs of runs, the runs without a partner, and the settings that differ between the sides.

    `differ` maps a key to its values on each side.
    """

    pairs: tuple[Pair, ...]
    alone_a: tuple[Measured, ...]
    alone_b: tuple[Measured, ...]
    differ: dict[str, tuple[list[str], list[str]]]


def paired(a: Sequence[Measured], b: Sequence[Measured]) -> Pairing:
    """Pairs runs of one environment.

    A setting belongs to the pairs' key where both sides have a value of it in common; otherwise it
    is what differs between the sides.
    """
    ours, theirs = [one.run for one in a], [one.run for one in b]
    values = {key: (values_of(ours, key), values_of(theirs, key)) for key in _both(a, b)}
    differ = {key: sides for key, sides in values.items() if not set(sides[0]) & set(sides[1])}
    keys = [SEED, *(key for key in values if key not in differ)]
    cells_a, cells_b = _cells(a, keys), _cells(b, keys)
    pairs = tuple(
        Pair(_named(keys, key), tuple(cells_a[key]), tuple(cells_b[key]))
        for key in cells_a
        if key in cells_b
    )
    return Pairing(pairs, _alone(cells_a, cells_b), _alone(cells_b, cells_a), differ)


def _both(a: Sequence[Measured], b: Sequence[Measured]) -> list[str]:
    return differing([one.run for one in (*a, *b)])


def _cells(runs: Sequence[Measured], keys: Sequence[str]) -> dict[_Key, list[Measured]]:
    cells: dict[_Key, list[Measured]] = defaultdict(list)
    for one in runs:
        cells[tuple(one.run.settings.get(key) for key in keys)].append(one)
    return dict(cells)


def _alone(
    cells: dict[_Key, list[Measured]], others: dict[_Key, list[Measured]]
) -> tuple[Measured, ...]:
    return tuple(one for key, runs in cells.items() if key not in others for one in runs)


def _named(keys: Sequence[str], values: _Key) -> dict[str, str]:
    return {key: value for key, value in zip(keys, values, strict=True) if value is not None}
