"""The last observations and actions of n episodes: what delays and stacks are made of."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.compact import CompactRows
from dagger_cli.core.errors import EnvError
from dagger_cli.core.tape import Tape
from dagger_cli.core.types import Array
from dagger_cli.views.layout import Layout, channel_axis, coder

Where = Array | slice  # slots; a slice of all is several times as fast as an array
FRAMES, ACTIONS, PAST = "view.frames", "view.actions", "view.past"
TAPE = "view."  # of the names of a tape's arrays


class Memory:
    """Per slot the last frames, oldest first, the actions between them, and how many are past.

    Zeros stand for what was before the start of the episode, as in stable-baselines3's
    VecFrameStack and Gymnasium's DelayObservation.
    """

    def __init__(self, layout: Layout, n: int) -> None:
        view, dtype = layout.view, layout.frame.dtype
        self._layout, self._n = layout, n
        self._coded = coder(layout.actions)
        self._frames = np.zeros((n, view.delay + view.frames, *layout.frame.shape), dtype)
        self._actions = np.zeros((n, layout.n_actions, layout.codes), dtype)
        self._past = np.zeros(n, dtype)  # steps of the episode before this one, up to chunk - 1
        self.rows = self._seen()
        seen = layout.space
        self._tape = Tape(n, seen.shape, seen.dtype) if view.past else None

    @property
    def past(self) -> CompactRows | None:
        """The rows with the observations of before, None where the view is without them."""
        return None if self._tape is None else self._tape.rows

    def start(self, slots: Where, frames: Array) -> None:
        """Forgets all of k slots but their first frames, (k, *frame_shape)."""
        self._frames[slots] = 0
        self._actions[slots] = 0
        self._past[slots] = 0
        self._frames[slots, -1] = frames
        self.rows = self._seen()
        if self._tape is not None:
            self._tape.start(slots, self.rows[slots])

    def push(self, slots: Where, actions: Array, frames: Array) -> None:
        """Adds to k slots an action (k, *action_shape) and the frame that followed it."""
        if self._frames.shape[1] > 1:
            self._frames[slots, :-1] = self._frames[slots, 1:]
        self._frames[slots, -1] = frames
        if self._actions.size:
            self._actions[slots, :-1] = self._actions[slots, 1:]
            self._actions[slots, -1] = self._coded(actions.reshape(len(actions), -1))
        if self._layout.view.chunk > 1:
            self._past[slots] = np.minimum(self._past[slots] + 1, self._layout.view.chunk - 1)
        self.rows = self._seen()
        if self._tape is not None:
            self._tape.push(slots, self.rows[slots])

    def copy(self, to: Array, source: Array) -> None:
        """Copies the memory of each slot of `source` (k,) to the slot in `to` (k,)."""
        for array in (self._frames, self._actions, self._past):
            array[to] = array[source]
        self.rows = self._seen()
        if self._tape is not None:
            self._tape.copy(to, source)

    def save(self) -> dict[str, Array]:
        """Returns copies of the arrays, one row per slot."""
        tape = {} if self._tape is None else self._tape.save()
        own = {name: array.copy() for name, array in self._saved().items()}
        return {**own, **{TAPE + name: array for name, array in tape.items()}}

    def load(self, saved: dict[str, Array]) -> None:
        """Restores what `save` returned; raises EnvError where it is of another view."""
        own = self._saved()
        for name, array in own.items():
            found = saved.get(name)
            if found is None or (found.shape, found.dtype) != (array.shape, array.dtype):
                raise EnvError(
                    "the saved state is not of this view: n_envs, a key of view= or the "
                    "environment's observations have changed since"
                )
            if found.dtype.kind == "f" and not np.isfinite(found).all():
                raise EnvError("the saved state has observations that are not finite numbers")
        if self._tape is not None:
            self._tape.load({name.removeprefix(TAPE): array for name, array in saved.items()})
        for name, array in own.items():
            array[:] = saved[name]
        self.rows = self._seen()

    def _saved(self) -> dict[str, Array]:
        arrays = {FRAMES: self._frames, ACTIONS: self._actions}
        return {**arrays, PAST: self._past} if self._layout.view.chunk > 1 else arrays

    def _seen(self) -> Array:
        """Returns what the student sees, (n, *shape)."""
        k, n = self._layout.view.frames, self._n
        frames = self._frames[:, :k]
        if k == 1 and not self._actions.size:
            return np.array(frames[:, 0])
        shape = self._layout.frame.shape
        if len(shape) == 3:
            return self._images(frames)
        parts = [frames.reshape(n, -1)]
        if self._actions.size:
            parts.append(self._actions.reshape(n, -1))
        if self._layout.view.chunk > 1:
            parts.append(self._past[:, None])
        return np.concatenate(parts, axis=1) if len(parts) > 1 else np.array(parts[0])

    def _images(self, frames: Array) -> Array:
        """Returns frames (n, k, *shape) on the axis of channels, with the plane of a chunk."""
        n, k, *shape = frames.shape
        axis = channel_axis(tuple(shape))
        if axis == 0:
            images = frames.reshape(n, k * shape[0], *shape[1:])
        else:
            images = np.moveaxis(frames, 1, 3).reshape(n, *shape[:2], k * shape[2])
        if self._layout.view.chunk == 1:
            return images
        plane = np.ones_like(images.take([0], 1 + axis)) * self._past[:, None, None, None]
        return np.append(images, plane, 1 + axis)
