"""Rendering of games: in a pygame window, or as an mp4 file, one frame per tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Array, Policy, Score
from dagger_cli.envs.mario.env import MarioEnv
from dagger_cli.envs.mario.render.screen import HEIGHT, SCALE, WIDTH, draw
from dagger_cli.envs.video import check_mode, mp4
from dagger_cli.loop.evaluate import evaluate

if TYPE_CHECKING:
    from dagger_cli.envs.mario.source import MarioSource


class Window:
    """Window that shows frames at the game's speed; Esc or closing it raises KeyboardInterrupt."""

    def __init__(self, fps: int) -> None:
        try:
            import pygame
        except ImportError as err:
            raise EnvError("a window needs pygame: pip install pygame-ce; or use an .mp4") from err
        self._pygame, self._fps = pygame, fps
        pygame.display.init()
        pygame.display.set_caption("Mario")
        self._screen = pygame.display.set_mode((WIDTH * SCALE, HEIGHT * SCALE))
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
    source: MarioSource, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path
) -> Score:
    """Renders one episode per seed in a single game; returns the score.

    `mode` is 'human' for a window, else the mp4 file to write, which is created at the end.
    """
    human = mode == "human"
    check_mode(source, mode)
    with _window(source.fps) if human else mp4(Path(mode), source.fps) as show:
        games: list[MarioEnv] = []
        env = source.open(1, watch=lambda: show(frame(games[0])))
        games.append(env)
        return evaluate(env, policy, seeds, rng)


@contextmanager
def _window(fps: int) -> Iterator[Callable[[Array], Any]]:
    with closing(Window(fps)) as window:
        yield window.show


def frame(env: MarioEnv, slot: int = 0) -> Array:
    """Returns the frame of a slot, (480, 640, 3) uint8."""
    return np.ascontiguousarray(draw(env.batch.games[slot], env.batch.stages[slot]))
