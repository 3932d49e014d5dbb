"""Which settings differ between runs, and which of them tell the runs apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from dagger_cli.report.run_record import RunRecord
from dagger_cli.utils.short_names import shorten

SEED = "seed"
TRAINER = "trainer.name"
_GROUP = re.compile(r"[+~]*(?P<key>[\w./]+)(@[\w.]+)?=")


def differing(runs: Sequence[RunRecord]) -> list[str]:
    """Returns the keys with more than one value, other than the seed."""
    return [key for key in _keys(runs) if key != SEED and len(_values(runs, key)) > 1]


def common(runs: Sequence[RunRecord]) -> dict[str, str]:
    """Returns the settings that all runs that have them share."""
    shared = {key: _values(runs, key) for key in _keys(runs)}
    return {key: next(iter(values)) for key, values in shared.items() if len(values) == 1}


def distinguishing(runs: Sequence[RunRecord]) -> list[str]:
    """Returns the fewest keys, in this order, that tell apart what differs in any but the seed.

    The trainer comes first, then what the words of the runs set. Keys that follow from earlier ones
    (`trainer.beta.over` where only one trainer has a beta) add nothing and are left out.
    """
    cells = [list(runs)]
    kept: list[str] = []
    for key in _by_importance(runs):
        split = [part for cell in cells for part in _split(cell, key)]
        if len(split) > len(cells):
            cells, kept = split, [*kept, key]
    return kept


def values_of(runs: Iterable[RunRecord], key: str) -> list[str]:
    """Returns the values of a key, numbers by size and before texts."""
    return sorted(_values(runs, key), key=by_size)


def short_key(key: str) -> str:
    """Returns a key without `_target_` and with its short name: `beta` for the beta schedule."""
    return shorten(f"{key.removesuffix('._target_')}=").removesuffix("=")


def short_value(key: str, value: str) -> str:
    """Returns a value; of a class of this package its name alone."""
    ours = key.endswith("._target_") and value.startswith("dagger_cli.")
    return value.rpartition(".")[2] if ours else value


def by_size(text: str) -> tuple[int, float, str]:
    """Returns a key that sorts numbers by size, and other texts after them."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def _values(runs: Iterable[RunRecord], key: str) -> dict[str, None]:
    return dict.fromkeys(run.settings[key] for run in runs if key in run.settings)


def _keys(runs: Sequence[RunRecord]) -> list[str]:
    return list(dict.fromkeys(key for run in runs for key in run.settings))


def _by_importance(runs: Sequence[RunRecord]) -> list[str]:
    differ = differing(runs)
    said = dict.fromkeys(key for run in runs for word in run.job.words for key in _meant(word))
    named = sorted(key for key in differ if key.endswith(".name"))
    first = [key for key in (TRAINER, *said, *named) if key in differ]
    return list(dict.fromkeys((*first, *differ)))


def _meant(word: str) -> tuple[str, ...]:
    """Returns the keys that an override may set: of a group, its name."""
    match = _GROUP.match(word)
    key = match["key"].replace("/", ".") if match else ""
    return (key, f"{key}.name", f"{key}._target_") if match else ()


def _split(cell: list[RunRecord], key: str) -> list[list[RunRecord]]:
    """Splits runs by a value; runs of a version without the key do not differ by that alone."""
    if len(_values(cell, key)) < 2:
        return [cell]
    parts = defaultdict(list)
    for run in cell:
        parts[run.settings.get(key)].append(run)
    return list(parts.values())
