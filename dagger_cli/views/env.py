"""An environment as a student with a view sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dagger_cli.core import tape
from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Env, Observation, Snapshot, Step
from dagger_cli.views.layout import Layout
from dagger_cli.views.memory import ACTIONS, FRAMES, PAST, TAPE, Memory, Where
from dagger_cli.views.noise import Noise
from dagger_cli.views.sight import packed

SEEDS = "view.seeds"
OWN = (FRAMES, ACTIONS, PAST, SEEDS, TAPE + tape.FRAMES, TAPE + tape.PAST)  # of a snapshot
Look = Callable[[Array], Array]  # slots (k,) to frames (k, *frame_shape), without noise


class ViewedEnv:
    """The slots of `full`, whose observations are the view's.

    A slot that has ended keeps its last observation. `picture` renders slots, for views of pixels;
    `privileged` makes the privileged data of the full observations, by default all of them; `name`
    distinguishes the entries of a snapshot from those of a viewed environment inside.
    """

    def __init__(
        self,
        full: Env,
        layout: Layout,
        picture: Look | None = None,
        privileged: Callable[[Observation], Array | None] = packed,
        name: str = "",
    ) -> None:
        self.observation_space, self.action_space = layout.space, full.action_space
        self.n_envs = full.n_envs
        self._full, self._picture = full, picture
        self._privileged, self._name = privileged, name
        self._memory, self._framed = Memory(layout, self.n_envs), Framed(layout, self.n_envs)
        self._seeds = np.zeros(self.n_envs, np.int64)
        self._all = np.arange(self.n_envs)

    @property
    def observation(self) -> Observation:
        """What the students see, (n_envs, ...), with the full observations; see sight.py."""
        full = self._full.observation
        memory = self._memory
        return Observation(memory.rows, full.t, self._privileged(full), memory.past)

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts a new episode in each of `slots` (k,), from `seeds` (k,)."""
        self._full.reset(slots, seeds)
        self._seeds[slots] = seeds
        where = self._where(slots)
        self._memory.start(where, self._frames(where))

    def step(self, slots: Array, actions: Array) -> Step:
        """Steps each of `slots` (k,) once."""
        step = self._full.step(slots, actions)
        where = self._where(slots)
        self._memory.push(where, actions, self._frames(where))
        return step

    def snapshot(self) -> Snapshot:
        """Returns the state of the full environment and, with other names, what was seen."""
        own = {**self._memory.save(), SEEDS: self._seeds.copy()}
        return {**self._full.snapshot(), **{self._name + key: array for key, array in own.items()}}

    def restore(self, snapshot: Snapshot) -> None:
        """Restores a snapshot; raises EnvError where it is of another view."""
        own = {key: snapshot[name] for key in OWN if (name := self._name + key) in snapshot}
        seeds = own.get(SEEDS)
        if seeds is None or seeds.shape != self._seeds.shape or seeds.dtype != np.int64:
            raise EnvError(
                "the saved state is not of this view: it was saved without one, or with another "
                "number of environments"
            )
        names = {self._name + key for key in OWN}
        self._memory.load({k: v for k, v in own.items() if k != SEEDS})
        self._full.restore({k: v for k, v in snapshot.items() if k not in names})
        self._seeds[:] = seeds

    def close(self) -> None:
        """Closes the full environment."""
        self._full.close()

    def copy_slots(self, to: Array, source: Array) -> None:
        """Copies the state of slots, for searches in environments that can copy theirs."""
        inner: Any = self._full
        inner.copy_slots(to, source)
        self._memory.copy(to, source)
        self._seeds[to] = self._seeds[source]

    def _where(self, slots: Array) -> Where:
        """Returns the slots, as a slice where they are all in their order."""
        every = len(slots) == self.n_envs and (slots == self._all).all()
        return slice(None) if every else slots

    def _frames(self, slots: Where) -> Array:
        if self._picture is not None:
            return self._picture(self._all[slots])
        full = self._full.observation
        return self._framed(self._all[slots], full.obs[slots], self._seeds[slots], full.t[slots])


class Framed:
    """Frames of full observations in n slots: selected components, with their noise."""

    def __init__(self, layout: Layout, n: int) -> None:
        self._layout = layout
        self._noise = Noise(n, layout.frame.size) if layout.view.noise else None

    def __call__(self, slots: Array, obs: Array, seeds: Array, steps: Array) -> Array:
        """Returns frames of the observations (k, *obs_shape) of slots (k,), at these steps."""
        layout = self._layout
        obs = obs if layout.change is None else layout.change(obs, steps)
        frames = obs if layout.index is None else obs[:, layout.index]
        if self._noise is None:
            return frames
        noise = layout.view.noise * self._noise(slots, seeds, steps)
        return (frames + noise.reshape(frames.shape)).astype(layout.frame.dtype)
