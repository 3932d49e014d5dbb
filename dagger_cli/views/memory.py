"""The last observations and actions of n episodes: what delays and stacks are made of."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array
from dagger_cli.views.layout import Layout, channel_axis, coded

FRAMES, ACTIONS = "view.frames", "view.actions"


class Memory:
    """Per slot the last `delay + stack` frames, oldest first, and the last `stack - 1` actions.

    Zeros stand for what was before the start of the episode, as in stable-baselines3's
    VecFrameStack and Gymnasium's DelayObservation.
    """

    def __init__(self, layout: Layout, n: int) -> None:
        view, dtype = layout.view, layout.frame.dtype
        self._layout, self._n = layout, n
        self._frames = np.zeros((n, view.delay + view.stack, *layout.frame.shape), dtype)
        self._actions = np.zeros((n, view.stack - 1, layout.codes), dtype)
        self.rows = self._seen()

    def start(self, slots: Array, frames: Array) -> None:
        """Forgets all of the slots (k,) but their first frames (k, *frame_shape)."""
        self._frames[slots] = 0
        self._actions[slots] = 0
        self._frames[slots, -1] = frames
        self.rows = self._seen()

    def push(self, slots: Array, actions: Array, frames: Array) -> None:
        """Adds an action (k, *action_shape) and the frame that followed it."""
        every = len(slots) == self._n
        _shift(self._frames, slots, every=every)
        self._frames[slots, -1] = frames
        if self._actions.size:
            _shift(self._actions, slots, every=every)
            self._actions[slots, -1] = coded(self._layout.actions, actions)
        self.rows = self._seen()

    def copy(self, to: Array, source: Array) -> None:
        """Copies the memory of each slot of `source` (k,) to the slot in `to` (k,)."""
        for array in (self._frames, self._actions):
            array[to] = array[source]
        self.rows = self._seen()

    def save(self) -> dict[str, Array]:
        """Returns copies of the arrays, one row per slot."""
        return {FRAMES: self._frames.copy(), ACTIONS: self._actions.copy()}

    def load(self, saved: dict[str, Array]) -> None:
        """Restores what `save` returned; raises EnvError where it is of another view."""
        own = {FRAMES: self._frames, ACTIONS: self._actions}
        for name, array in own.items():
            found = saved.get(name)
            if found is None or (found.shape, found.dtype) != (array.shape, array.dtype):
                raise EnvError(
                    "the saved state is not of this view: n_envs, a key of view= or the "
                    "environment's observations have changed since"
                )
            if found.dtype.kind == "f" and not np.isfinite(found).all():
                raise EnvError("the saved state has observations that are not finite numbers")
        for name, array in own.items():
            array[:] = saved[name]
        self.rows = self._seen()

    def _seen(self) -> Array:
        """Returns what the student sees, (n, *shape)."""
        k, n = self._layout.view.stack, self._n
        frames = self._frames[:, :k]
        if k == 1:
            return np.array(frames[:, 0])
        shape = self._layout.frame.shape
        if len(shape) == 3:
            if channel_axis(shape) == 0:
                return frames.reshape(n, k * shape[0], *shape[1:])
            return np.moveaxis(frames, 1, 3).reshape(n, *shape[:2], k * shape[2])
        flat = frames.reshape(n, -1)
        if not self._actions.size:
            return np.array(flat)
        return np.concatenate([flat, self._actions.reshape(n, -1)], axis=1)


def _shift(array: Array, slots: Array, *, every: bool) -> None:
    """Moves the entries of some rows one place to the front."""
    if every:
        array[:, :-1] = array[:, 1:]
    else:
        array[slots, :-1] = array[slots, 1:]
