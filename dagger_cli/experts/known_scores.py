"""Test episodes that default experts played when the package was made: a run need not repeat them.

known_scores.json is written by scripts/known_scores.py: for each agent the settings of its
environment, the packages that simulate it, and for each seed the return, length and failure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.core.types import Score

PATH = Path(__file__).with_suffix(".json")


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def known_score(
    identity: str, env: Mapping[str, Any], simulators: Mapping[str, str], seeds: range
) -> Score | None:
    """Returns the score of the expert with this `Card.identity`, None where it is not known.

    Episodes are known for the same settings of the environment and versions of `simulators`.
    """
    known = _table().get(identity)
    if known is None or (known["env"], known["simulators"]) != (dict(env), dict(simulators)):
        return None
    first, stop = known["seeds"]
    if not first <= seeds.start < seeds.stop <= stop or seeds.step != 1:
        return None
    here = slice(seeds.start - first, seeds.stop - first)
    returns, lengths = np.array(known["returns"][here]), np.array(known["lengths"][here])
    failed = np.isin(np.arange(seeds.start, seeds.stop), known["failed"])
    return Score(np.array(seeds), returns.astype(np.float64), lengths.astype(np.int64), failed)
