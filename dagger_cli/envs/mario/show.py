"""Rendering of games: in a pygame window, or as a file, one frame per tick."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array, Policy, Score
from dagger_cli.envs.film import film
from dagger_cli.envs.mario.env import MarioEnv
from dagger_cli.envs.mario.render.screen import HEIGHT, SCALE, WIDTH, draw
from dagger_cli.envs.video import Mode, check_mode
from dagger_cli.envs.window import window
from dagger_cli.loop.evaluate import evaluate

if TYPE_CHECKING:
    from dagger_cli.envs.mario.source import MarioSource


TITLE, SIZE = "Mario", (WIDTH * SCALE, HEIGHT * SCALE)


def play(
    source: MarioSource, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode
) -> Score:
    """Renders one episode per seed in a single game; returns the score.

    A file is created at the end. Raises Enough where a clip ends before its episode.
    """
    target = check_mode(source, mode)
    shown = film(target, source.fps) if target else window(TITLE, SIZE, source.fps)
    with shown as show:
        games: list[MarioEnv] = []
        env = source.open(1, watch=lambda: show(lambda: frame(games[0])))
        games.append(env)
        return evaluate(env, policy, seeds, rng)


def frame(env: MarioEnv, slot: int = 0) -> Array:
    """Returns the frame of a slot, (480, 640, 3) uint8."""
    return np.ascontiguousarray(draw(env.batch.games[slot], env.batch.stages[slot]))
