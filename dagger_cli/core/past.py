"""Rows that come with what was observed before them in their episode.

A policy that carries a state from step to step acts by all of it. The rows of an episode share the
memory of its observations, also of those that are no rows themselves, as nobody labelled them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagger_cli.core.compact import CompactRows, Parts, Stored
from dagger_cli.core.types import Array, Observation

FRAMES, INDEX, PAST = "frames", "index", "past"


@dataclass(frozen=True)
class PastForm:
    """Parts: `frames` (m, *shape), observations, those of an episode after each other; `index` (n,)
    int64, which of them each row is; `past` (n,) int64, how many before it are of its episode.

    As an array, a row is its own observation alone.
    """

    shape: tuple[int, ...]
    dtype: str

    def pack(self, rows: Array) -> None:
        """Returns None: rows of an array do not say what was before them."""

    def unpack(self, parts: Parts) -> Array:
        """Returns the rows (n, *shape)."""
        return np.asarray(parts[FRAMES][parts[INDEX]])

    def count(self, parts: Parts) -> int:
        """Returns the number of rows."""
        return len(parts[INDEX])

    def take(self, parts: Parts, rows: Any) -> dict[str, Array]:
        """Returns the parts of a subset, with all frames."""
        return {name: part if name == FRAMES else part[rows] for name, part in parts.items()}

    def own(self, parts: Parts) -> dict[str, Array]:
        """Returns the parts with the frames that the rows or their pasts have."""
        needed = _needed(parts)
        number = np.cumsum(needed) - 1
        return {
            FRAMES: parts[FRAMES][needed],
            INDEX: number[parts[INDEX]],
            PAST: parts[PAST].copy(),
        }

    def after(self, parts: Parts, filled: Mapping[str, int]) -> dict[str, Array]:
        """Returns the parts, with numbers that begin after the frames that are there."""
        return {**parts, INDEX: parts[INDEX] + filled[FRAMES]}

    def reads(self, parts: Parts, rows: Array) -> Sequence[tuple[Array, Array]]:
        """Returns the frames of the rows and of their pasts."""
        return [(parts[FRAMES], np.flatnonzero(_needed(self.take(parts, rows))))]

    def described(self) -> dict[str, Array]:
        """Returns nothing: the names of the parts say what they are."""
        return {}

    def check(self, parts: Parts) -> None:
        """Raises ValueError where parts are not of this form."""
        index, past, frames = parts[INDEX], parts[PAST], parts[FRAMES]
        wanted = {
            FRAMES: ((len(frames), *self.shape), np.dtype(self.dtype)),
            INDEX: ((len(index),), np.dtype(np.int64)),
            PAST: ((len(index),), np.dtype(np.int64)),
        }
        if {name: (part.shape, part.dtype) for name, part in parts.items()} != wanted:
            raise ValueError("the parts do not fit their rows")
        inside = (past >= 0) & (past <= index) & (index < len(frames))
        if not inside.all():
            raise ValueError("a row has an observation before it that is not there")


def _needed(parts: Parts) -> Array:
    """Returns which frames are rows, or between a row and the start of its episode, (m,) bool."""
    changes = np.zeros(len(parts[FRAMES]) + 1, np.int64)
    np.add.at(changes, parts[INDEX] - parts[PAST], 1)
    np.add.at(changes, parts[INDEX] + 1, -1)
    return np.asarray(np.cumsum(changes[:-1]) > 0)


def with_past(frames: Array, index: Array, past: Array) -> CompactRows:
    """Returns rows in this form, of frames (m, *shape)."""
    form = PastForm(frames.shape[1:], frames.dtype.name)
    return CompactRows(form, {FRAMES: frames, INDEX: index, PAST: past})


def joined(parts: Sequence[CompactRows]) -> CompactRows:
    """Returns all rows in their order; frames that no row needs are left out."""
    kinds = list({id(rows.parts[FRAMES]): rows for rows in parts}.values())
    index = [np.empty(0, np.int64)]
    past = [np.empty(0, np.int64)]
    frames, order, begin = [], [], 0
    places = np.cumsum([0, *map(len, parts)])
    for kind in kinds:
        shared = kind.parts[FRAMES]
        here = [i for i, rows in enumerate(parts) if rows.parts[FRAMES] is shared]
        together = {
            name: np.concatenate([parts[i].parts[name] for i in here]) for name in (INDEX, PAST)
        }
        own = kind.form.own({FRAMES: shared, **together})
        frames.append(own[FRAMES])
        index.append(own[INDEX] + begin)
        past.append(own[PAST])
        order += [np.arange(places[i], places[i + 1]) for i in here]
        begin += len(own[FRAMES])
    back = np.argsort(np.concatenate(order), kind="stable")
    rows = np.concatenate(index)[back], np.concatenate(past)[back]
    return with_past(np.concatenate(frames), *rows)


def in_episodes(obs: Array, steps: Array) -> CompactRows:
    """Returns rows of whole episodes, one after the other, with their pasts.

    `steps` (n,) count up from the first row of an episode; where some are missing, the past begins
    after them.
    """
    number = np.arange(len(obs))
    starts = np.ones(len(obs), bool)
    starts[1:] = steps[1:] != steps[:-1] + 1
    first = np.maximum.accumulate(np.where(starts, number, 0))
    return with_past(obs, number, number - first)


def recent(stored: Stored, k: int) -> Array:
    """Returns the last k observations of rows with a past, (n, k, *shape), oldest first.

    Zeros stand for what was before the start of an episode. Of rows without a past it is the rows.
    """
    if not (isinstance(stored, CompactRows) and PAST in stored.parts):
        return np.asarray(stored)
    index, past = stored.parts[INDEX][:, None], stored.parts[PAST][:, None]
    back = np.arange(k - 1, -1, -1)
    found = stored.parts[FRAMES][np.maximum(index - back, 0)]
    found[back > past] = 0
    return np.asarray(found)


def observation_of(stored: Stored, steps: Array) -> Observation:
    """Returns rows of a data set as a policy observes them."""
    past = stored if isinstance(stored, CompactRows) and PAST in stored.parts else None
    return Observation(np.asarray(stored), steps, past=past)
