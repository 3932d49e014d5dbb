"""Source of viewed environments, and a student's policy where an environment shows everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.frame_rows import Split
from dagger_cli.core.types import (
    Acts,
    Array,
    Expert,
    History,
    Observation,
    Policy,
    Score,
    Shown,
    Space,
)
from dagger_cli.core.windows import Windows
from dagger_cli.envs.video import Mode
from dagger_cli.views.env import Framed, ViewedEnv
from dagger_cli.views.layout import Layout, layout
from dagger_cli.views.memory import Memory
from dagger_cli.views.pixels import Pictures
from dagger_cli.views.recorded_rows import seen_rows
from dagger_cli.views.sight import with_full_sight
from dagger_cli.views.view import View
from dagger_cli.views.words import in_words

RENDERED = "rgb_array"  # Gymnasium's render mode of pictures


@dataclass(frozen=True)
class ViewedSource:
    """Source whose environments show a view; all that it does not say is that of the source `full`.

    Raises ConfigError where the view does not fit the environment.
    """

    full: Any
    view: View
    drawn: bool = True  # see `undrawn`
    name: str = ""  # of its entries in a snapshot
    layout: Layout = field(init=False)

    def __post_init__(self) -> None:
        spaces = self.full.observation_space, self.full.action_space
        if self.view.pixels is not None:
            _check_rendering(self.full)
        _check_delay(self.view, self.full)
        found = layout(self.view, *spaces, getattr(self.full, "parts", {}))
        object.__setattr__(self, "layout", found)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "full":  # before there is one: in copies and pickles
            raise AttributeError(name)
        return getattr(self.full, name)

    @property
    def observation_space(self) -> Space:
        """Space of the student's observations."""
        return self.layout.space

    @property
    def frame_split(self) -> Split | None:
        """The frames of a stack of flat observations."""
        return self.layout.frame_split

    @property
    def windows(self) -> Windows | None:
        """Where a row has the observations of the last steps, for chunks of actions."""
        return self.layout.windows

    @property
    def seen(self) -> str:
        """What students see, in words, as data sets name it; components by their indexes."""
        index = self.layout.index
        view = {**vars(self.view), "keep": None if index is None else index.tolist()}
        return in_words(view) or "full"

    @property
    def with_past(self) -> bool:
        """Whether rows come with what was observed before them in their episode."""
        return self.view.past

    @property
    def hides(self) -> bool:
        """Whether students see less than the expert."""
        return self.view.hides

    @property
    def history(self) -> History:
        """What an observation consists of."""
        return self.layout.history

    @property
    def has_window(self) -> bool:
        """Whether an episode of a student can be shown in a window, see `open_here`."""
        return self.view.pixels is None

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user."""
        own: tuple[str, ...] = getattr(self.full, "notes", ())
        if self.view.pixels is None:
            return own
        return (*own, "pictures are rendered by Gymnasium in this process, whatever env.workers is")

    @property
    def undrawn(self) -> ViewedSource | None:
        """The same with black pictures, for experts, which do not see them; None without pictures.

        Drawing takes most of the time of an episode, and changes nothing in it.
        """
        return None if self.view.pixels is None else replace(self, drawn=False)

    @property
    def training_rows(self) -> Callable[[], Dataset]:
        """Returns the steps to learn from, where the source has recorded ones."""
        own = self.full.training_rows
        return lambda: seen_rows(own(), self.layout)

    def open(self, n_envs: int) -> ViewedEnv:
        """Opens `n_envs` slots."""
        if self.view.pixels is None:
            return ViewedEnv(self.full.open(n_envs), self.layout, name=self.name)
        if self.drawn:
            return self.open_here(n_envs, RENDERED)[0]
        return ViewedEnv(self.full.open(n_envs), self.layout, self._black, name=self.name)

    def open_here(self, n_envs: int, render_mode: str | None) -> tuple[ViewedEnv, Any]:
        """Opens slots in this process; returns them and what renders their frames."""
        if self.view.pixels is None:
            env, slots = self.full.open_here(n_envs, render_mode)
            return ViewedEnv(env, self.layout, name=self.name), slots
        if render_mode != RENDERED:
            raise ConfigError(
                "an environment in a window gives no pictures, which view.pixels needs: record a "
                "video in place of it, video=path.mp4"
            )
        env, slots = self.full.open_here(n_envs, render_mode)
        pictures = Pictures(slots.frame, self.view.pixels, self.view.grey)
        return ViewedEnv(env, self.layout, pictures, name=self.name), slots

    def open_shown(self) -> Shown:
        """Opens one slot that is drawn."""
        if self.view.pixels is not None:
            env, slots = self.open_here(1, RENDERED)
            return Shown(env, slots.frame, self.full.fps)
        shown: Shown = self.full.open_shown()
        return shown._replace(env=ViewedEnv(shown.env, self.layout))

    def sighted(self, expert: Expert) -> Expert:
        """Returns an expert of the source `full` for these environments."""
        return with_full_sight(expert)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
        """Renders one episode per seed, played by a student."""
        if self.view.pixels is not None:
            from dagger_cli.envs.video import play

            return play(self, policy, seeds, rng, mode)
        score: Score = self.full.play(Through(policy, self.layout, seeds), seeds, rng, mode)
        return score

    def _black(self, slots: Array) -> Array:
        frame = self.layout.frame
        return np.zeros((len(slots), *frame.shape), frame.dtype)


def _check_rendering(source: Any) -> None:
    modes = getattr(source, "render_modes", ())
    if RENDERED not in modes or not hasattr(source, "open_here"):
        raise ConfigError(
            f"view.pixels needs an environment of Gymnasium that renders pictures "
            f"(render_mode={RENDERED}), which '{source.id}' does not: use numbers, view.pixels=null"
        )


def _check_delay(view: View, source: Any) -> None:
    limit = source.horizon
    if limit is not None and view.delay >= limit:
        raise ConfigError(
            f"view.delay={view.delay} hides every observation, as an episode of '{source.id}' has "
            f"at most {limit} steps: use a smaller delay"
        )


class Through:
    """A student's policy for full observations of one environment, which plays `seeds` in order.

    Stateful: holds what the student saw in the current episode.
    """

    def __init__(self, policy: Policy, layout: Layout, seeds: Sequence[int]) -> None:
        self._policy, self._seeds, self._slot = policy, iter(seeds), np.zeros(1, np.int64)
        self._memory, self._framed = Memory(layout, 1), Framed(layout, 1)
        self._seed, self._last = np.zeros(1, np.int64), np.zeros(0)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in the full observation of one environment, (1, *obs_shape)."""
        began = observation.t[0] == 0
        if began:
            self._seed = np.array([next(self._seeds)], np.int64)
        frames = self._framed(self._slot, observation.obs, self._seed, observation.t)
        if began:
            self._memory.start(self._slot, frames)
        else:
            self._memory.push(self._slot, self._last, frames)
        seen = Observation(self._memory.rows, observation.t, past=self._memory.past)
        acts = self._policy.act(seen, rng)
        self._last = acts.actions
        return acts
