"""Rendering of laps: in a pygame window, or as an mp4 file, one frame per step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Policy, Score
from dagger_cli.envs.kart.picture import HEIGHT, WIDTH, picture
from dagger_cli.envs.video import check_mode, mp4

if TYPE_CHECKING:
    from dagger_cli.envs.kart.source import KartSource

SLOT = np.zeros(1, np.int64)


class Window:
    """Window that shows frames at the kart's speed; Esc or closing it raises KeyboardInterrupt."""

    def __init__(self, fps: int) -> None:
        try:
            import pygame
        except ImportError as err:
            raise EnvError("a window needs pygame: pip install pygame-ce; or use an .mp4") from err
        self._pygame, self._fps = pygame, fps
        pygame.display.init()
        pygame.display.set_caption("Kart")
        self._screen = pygame.display.set_mode((WIDTH, HEIGHT))
        self._clock = pygame.time.Clock()

    def show(self, frame: Array) -> None:
        """Shows a frame, (height, width, 3) uint8, and waits until the next is due."""
        pygame = self._pygame
        for event in pygame.event.get():
            if event.type == pygame.QUIT or getattr(event, "key", None) == pygame.K_ESCAPE:
                raise KeyboardInterrupt
        pygame.surfarray.blit_array(self._screen, frame.swapaxes(0, 1))
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Closes the window; may be called twice."""
        self._pygame.display.quit()


def play(
    source: KartSource, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path
) -> Score:
    """Renders one lap per seed; returns the score.

    `mode` is 'human' for a window, else the mp4 file to write, which is created at the end.
    """
    check_mode(source, mode)
    human = mode == "human"
    with _window(source.fps) if human else mp4(Path(mode), source.fps) as show:
        laps = [_lap(source, policy, seed, rng, show) for seed in seeds]
    returns, lengths, failed = zip(*laps, strict=True)
    numbers = np.array(returns, np.float64), np.array(lengths, np.int64), np.array(failed, bool)
    return Score(np.array(seeds, np.int64), *numbers)


def _lap(
    source: KartSource, policy: Policy, seed: int, rng: Generator, show: Callable[[Array], Any]
) -> tuple[float, int, bool]:
    """Drives one lap; returns its return, length and failure."""
    env, total = source.open(1), 0.0
    env.reset(SLOT, np.array([seed]))
    while True:
        show(picture(env))
        step = env.step(SLOT, policy.act(env.observation, rng).actions)
        total += float(step.rewards[0])
        if step.ended[0]:
            return total, int(env.observation.t[0]), bool(step.failed[0])


@contextmanager
def _window(fps: int) -> Iterator[Callable[[Array], Any]]:
    with closing(Window(fps)) as window:
        yield window.show
