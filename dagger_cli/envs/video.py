"""Rendering of episodes: in a window, or as a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.random import Generator

from dagger_cli.core.clip import Clip
from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Env, Policy, Score
from dagger_cli.envs.buffers import Slots
from dagger_cli.envs.film import film

Show = Callable[[], None]
Mode = str | Path | Clip  # 'human' for a window, else what is written: .mp4, .gif, a clip
FILMS = (".mp4", ".gif")
SLOT = np.zeros(1, np.int64)


def play(source: Opens, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode) -> Score:
    """Renders one episode per seed in a single environment; returns the score.

    A file is created at the end. Raises Enough where a clip ends before its episode.
    """
    human = mode == "human"
    target = check_mode(source, mode)
    with nullcontext() if target is None else film(target, source.fps) as write:
        env, slots = source.open_here(1, "human" if human else "rgb_array")
        # With a window the environment renders by itself, in reset() and step().
        show = (lambda: None) if write is None else (lambda: write(slots.frame))
        try:
            return play_each(env, policy, seeds, rng, show)
        finally:
            env.close()


def play_each(env: Env, policy: Policy, seeds: Sequence[int], rng: Generator, show: Show) -> Score:
    """Plays one episode per seed in the first slot, calling `show` after each reset and step."""
    played = [_episode(env, policy, seed, rng, show) for seed in seeds]
    returns, lengths, failed = zip(*played, strict=True)
    return Score(
        np.array(seeds, np.int64),
        np.array(returns, np.float64),
        np.array(lengths, np.int64),
        np.array(failed, np.bool_),
    )


def _episode(
    env: Env, policy: Policy, seed: int, rng: Generator, show: Show
) -> tuple[float, int, bool]:
    """Runs one episode; returns its return, length and failure."""
    env.reset(SLOT, np.array([seed]))
    show()
    total = 0.0
    while True:
        step = env.step(SLOT, policy.act(env.observation, rng).actions)
        show()
        total += float(step.rewards[0])
        if step.ended[0]:
            return total, int(env.observation.t[0]), bool(step.failed[0])


class Showable(Protocol):
    """A source that can be rendered."""

    @property
    def id(self) -> str:
        """Id of the environment."""
        ...

    @property
    def render_modes(self) -> tuple[str, ...]:
        """Gymnasium's render modes."""
        ...


class Opens(Showable, Protocol):
    """A source of environments that are rendered in this process."""

    @property
    def fps(self) -> int:
        """Frames per second."""
        ...

    def open_here(self, n_envs: int, render_mode: str | None) -> tuple[Env, Slots]:
        """Opens slots; returns them and the environments that render their frames."""
        ...


def check_mode(source: Showable, mode: Mode) -> Path | Clip | None:
    """Returns what is written, None for a window.

    Raises EnvError or ConfigError where `mode` cannot be rendered.
    """
    human = mode == "human"
    # Gymnasium opens a window by itself for environments with frames only.
    wanted = {"human", "rgb_array"} if human else {"rgb_array"}
    if getattr(source, "alone", False):
        what = "be shown in a window" if human else "be recorded"
        raise EnvError(
            f"env '{source.id}' cannot {what}: EnvPool plays it, without pictures; Gymnasium draws "
            "MuJoCo's versions 4 and 5: pip install 'dagger-cli[mujoco]', and choose one of them"
        )
    if not wanted & set(source.render_modes):
        known = ", ".join(source.render_modes) or "none"
        what = "be shown in a window" if human else "be recorded"
        raise EnvError(f"env '{source.id}' cannot {what}: its render modes are: {known}")
    if human and not _has_display():
        raise EnvError("there is no display to open a window on; use video=path.mp4 instead")
    if isinstance(mode, Clip):
        return mode
    if human:
        return None
    if Path(mode).suffix not in FILMS:
        stem = Path(mode).stem
        raise ConfigError(
            f"video={mode}: only .mp4 and .gif can be written; try {stem}.mp4 or {stem}.gif"
        )
    return Path(mode)


def quiet_sdl() -> None:
    """Makes SDL, which environments initialize to draw, look for no sound and no absent display.

    It would print that there is none.
    """
    os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
    if not _has_display():
        os.environ["SDL_VIDEODRIVER"] = "dummy"


def _has_display() -> bool:
    """Returns whether there is a display; without one, SDL renders nothing, without an error."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"))
