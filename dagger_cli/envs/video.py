"""Rendering of episodes: in a window, or as an mp4 file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Array, Env, Policy, Score
from dagger_cli.envs.buffers import Slots

Show = Callable[[], None]
SLOT = np.zeros(1, np.int64)


def play(
    source: Opens, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path
) -> Score:
    """Renders one episode per seed in a single environment; returns the score.

    `mode` is 'human' for a window, else the mp4 file to write, which is created at the end.
    """
    human = mode == "human"
    check_mode(source, mode)
    with nullcontext() if human else mp4(Path(mode), source.fps) as write:
        env, slots = source.open_here(1, "human" if human else "rgb_array")
        # With a window the environment renders by itself, in reset() and step().
        show = (lambda: None) if write is None else (lambda: write(slots.frame()))
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


def check_mode(source: Showable, mode: str | Path) -> None:
    """Raises EnvError or ConfigError where `mode` cannot be rendered; see `play`."""
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
    if not human and Path(mode).suffix != ".mp4":
        raise ConfigError(f"video={mode}: only .mp4 can be written; try {Path(mode).stem}.mp4")


def _has_display() -> bool:
    """Returns whether there is a display; without one, SDL renders nothing, without an error."""
    if not sys.platform.startswith("linux"):
        return True
    return any(os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"))


@contextmanager
def mp4(path: Path, fps: int) -> Iterator[Callable[[Array], None]]:
    """Yields a function that adds a frame; `path` is replaced when the video is complete."""
    import imageio.v2 as imageio

    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.mp4")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
    except OSError as err:
        raise EnvError(f"cannot write video={path}: {err}") from err
    # H.264 needs even sides; imageio's default of 16 would rescale most frames.
    writer = imageio.get_writer(unfinished, fps=fps, codec="libx264", macro_block_size=2)
    try:
        with closing(writer):  # its own `with` leaves ffmpeg running after an exception
            yield writer.append_data
        unfinished.replace(path)
    except OSError as err:
        raise EnvError(f"cannot write video={path}: {err}") from err
    finally:
        unfinished.unlink(missing_ok=True)
