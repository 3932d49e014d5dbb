"""The last observations and actions of n episodes: what delays and stacks are made of."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array
from dagger_cli.views.layout import Layout, channel_axis, coder

Where = Array | slice  # slots; a slice of all is several times as fast as an array
FRAMES, ACTIONS = "view.frames", "view.actions"


class Memory:
    """Per slot the last `delay + stack` frames, oldest first, and the last `stack - 1` actions.

    Zeros stand for what was before the start of the episode, as in stable-baselines3's
    VecFrameStack and Gymnasium's DelayObservation.
    """

    def __init__(self, layout: Layout, n: int) -> None:
        view, dtype = layout.view, layout.frame.dtype
        self._layout, self._n = layout, n
        self._coded = coder(layout.actions)
        self._frames = np.zeros((n, view.delay + view.stack, *layout.frame.shape), dtype)
        self._actions = np.zeros((n, view.stack - 1, layout.codes), dtype)
        self.rows = self._seen()

    def start(self, slots: Where, frames: Array) -> None:
        """Forgets all of k slots but their first frames, (k, *frame_shape)."""
        self._frames[slots] = 0
        self._actions[slots] = 0
        self._frames[slots, -1] = frames
        self.rows = self._seen()

    def push(self, slots: Where, actions: Array, frames: Array) -> None:
        """Adds to k slots an action (k, *action_shape) and the frame that followed it."""
        if self._frames.shape[1] > 1:
            self._frames[slots, :-1] = self._frames[slots, 1:]
        self._frames[slots, -1] = frames
        if self._actions.size:
            self._actions[slots, :-1] = self._actions[slots, 1:]
            self._actions[slots, -1] = self._coded(actions.reshape(len(actions), -1))
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
