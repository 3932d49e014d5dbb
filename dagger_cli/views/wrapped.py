"""Environments behind wrappers, see wrappers.py: their observations are for everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from numpy.random import Generator

from dagger_cli.core.frame_rows import Split
from dagger_cli.core.types import Policy, Score, Shown, Space
from dagger_cli.envs.video import Mode
from dagger_cli.views.env import ViewedEnv
from dagger_cli.views.layout import Layout
from dagger_cli.views.source import Through
from dagger_cli.views.wrappers import WRAPPERS, named


@dataclass(frozen=True)
class WrappedSource:
    """Source behind one wrapper; all that it does not say is that of the source `inner`."""

    inner: Any
    layout: Layout
    name: str  # of its entries in a snapshot

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "inner":  # before there is one: in copies and pickles
            raise AttributeError(name)
        return getattr(self.inner, name)

    @property
    def observation_space(self) -> Space:
        """Space of the wrapped observations."""
        return self.layout.space

    @property
    def frame_split(self) -> Split | None:
        """The frames of a stack of flat observations."""
        return self.layout.frame_split

    @property
    def parts(self) -> dict[str, tuple[int, int]]:
        """Names of columns, none behind a stack; a change that moves columns has its own."""
        before = getattr(self.inner, "parts", {})
        named_parts: dict[str, tuple[int, int]] = getattr(self.layout.change, "parts", before)
        return named_parts if self.layout.view.stack == 1 else {}

    def open(self, n_envs: int) -> ViewedEnv:
        """Opens `n_envs` slots."""
        inner = self.inner.open(n_envs)
        return ViewedEnv(inner, self.layout, None, attrgetter("privileged"), self.name)

    def open_here(self, n_envs: int, render_mode: str | None) -> tuple[ViewedEnv, Any]:
        """Opens slots in this process; returns them and their environments."""
        inner, slots = self.inner.open_here(n_envs, render_mode)
        return ViewedEnv(inner, self.layout, None, attrgetter("privileged"), self.name), slots

    def open_shown(self) -> Shown:
        """Opens one slot that is drawn."""
        shown: Shown = self.inner.open_shown()
        env = ViewedEnv(shown.env, self.layout, None, attrgetter("privileged"), self.name)
        return shown._replace(env=env)

    def play(self, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
        """Renders one episode per seed."""
        score: Score = self.inner.play(Through(policy, self.layout, seeds), seeds, rng, mode)
        return score


def wrapped(source: Any, wrappers: Sequence[Any]) -> Any:
    """Returns the source behind the wrappers, the first of them innermost; raises ConfigError."""
    for i, (name, value) in enumerate(named(wrappers)):
        source = WrappedSource(source, WRAPPERS[name](source, value), f"wrappers.{i}.")
    return source
