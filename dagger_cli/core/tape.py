"""What n slots have observed in their running episodes, written as it happens."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dagger_cli.core.compact import CompactRows
from dagger_cli.core.errors import EnvError
from dagger_cli.core.past import with_past
from dagger_cli.core.types import Array

ROOM = 1024  # observations of a slot, before the running episodes are copied to a new array
FRAMES, PAST = "tape.frames", "tape.past"


class Tape:
    """Rows of the form core/past.py: the newest observation of each slot, with its episode's past.

    Nothing that a returned row refers to is overwritten, so rows stay valid as long as they are
    kept, and equal arrays `frames` of rows are the same object.
    """

    def __init__(self, n: int, shape: tuple[int, ...], dtype: str) -> None:
        self._shape, self._dtype = (n, *shape), dtype
        self._past = np.zeros(n, np.int64)
        self._fill(np.zeros((n, 1, *shape), dtype))

    @property
    def rows(self) -> CompactRows:
        """The newest observation of every slot, (n, *shape), with its past."""
        return with_past(self._flat, self._offset + self._at, self._past.copy())

    @property
    def past(self) -> Array:
        """How many observations are before the newest one of each episode, (n,) int64."""
        return np.array(self._past)

    def start(self, slots: Array | slice, frames: Array) -> None:
        """Begins an episode in each of k slots, with the observations (k, *shape)."""
        self._write(slots, frames)
        self._past[slots] = 0

    def push(self, slots: Array | slice, frames: Array) -> None:
        """Adds the observation (k, *shape) that followed in each of k slots."""
        self._write(slots, frames)
        self._past[slots] += 1

    def copy(self, to: Array, source: Array) -> None:
        """Copies the episode of each slot of `source` (k,) to the slot in `to` (k,)."""
        origin = np.arange(len(self._past))
        origin[to] = source
        episodes, past = self._episodes(), self._past[origin]
        self._past = past
        self._fill(episodes[origin])

    def save(self) -> dict[str, Array]:
        """Returns the running episodes, one row per slot; zeros fill the shorter ones."""
        return {FRAMES: self._episodes(), PAST: self._past.copy()}

    def load(self, saved: Mapping[str, Array]) -> None:
        """Restores what `save` returned; raises EnvError where it is of another view."""
        frames, past = (saved.get(name, np.empty(0)) for name in (FRAMES, PAST))
        n, *shape = self._shape
        fits = frames.ndim == 2 + len(shape) and (len(frames), *frames.shape[2:]) == self._shape
        fits = fits and past.shape == (n,) and past.dtype == np.int64
        if not fits or frames.dtype != self._dtype:
            raise EnvError(
                "the saved state lacks the observations of the running episodes, or they are of "
                "another view"
            )
        if past.min(initial=0) < 0 or past.max(initial=0) >= frames.shape[1]:
            raise EnvError("the saved state lacks observations of the running episodes")
        if frames.dtype.kind == "f" and not np.isfinite(frames).all():
            raise EnvError("the saved state has observations that are not finite numbers")
        self._past = past.copy()
        self._fill(frames)

    def _write(self, slots: Array | slice, frames: Array) -> None:
        if self._at[slots].max(initial=0) + 1 == self._frames.shape[1]:
            self._fill(self._episodes())
        self._at[slots] += 1
        self._flat[(self._offset + self._at)[slots]] = frames

    def _episodes(self) -> Array:
        """Returns the running episodes, (n, longest, *shape)."""
        n, longest = len(self._past), int(self._past.max(initial=0)) + 1
        steps = np.arange(longest)
        first = self._at - self._past
        found = self._frames[
            np.arange(n)[:, None], np.minimum(first[:, None] + steps, self._at[:, None])
        ]
        found[steps > self._past[:, None]] = 0
        return np.asarray(found)

    def _fill(self, episodes: Array) -> None:
        """Begins a new array with the running episodes (n, k, *shape)."""
        n, *shape = self._shape
        longest = int(self._past.max(initial=0)) + 1
        room = max(ROOM, 2 * longest)
        self._frames = np.empty((n, room, *shape), self._dtype)
        self._frames[:, :longest] = episodes[:, :longest]
        self._flat = self._frames.reshape(n * room, *shape)
        self._offset = np.arange(n) * room
        self._at = self._past.copy()
