"""Rendering of games: in a pygame window, or as an mp4 file, one frame per tick."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Array, Policy, Score
from dagger_cli.envs.mario.env import MarioEnv
from dagger_cli.envs.mario.render.screen import HEIGHT, SCALE, WIDTH, draw
from dagger_cli.envs.video import check_mode, mp4
from dagger_cli.envs.window import window
from dagger_cli.loop.evaluate import evaluate

if TYPE_CHECKING:
    from dagger_cli.envs.mario.source import MarioSource


TITLE, SIZE = "Mario", (WIDTH * SCALE, HEIGHT * SCALE)


def play(
    source: MarioSource, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path
) -> Score:
    """Renders one episode per seed in a single game; returns the score.

    `mode` is 'human' for a window, else the mp4 file to write, which is created at the end.
    """
    human = mode == "human"
    check_mode(source, mode)
    shown = window(TITLE, SIZE, source.fps) if human else mp4(Path(mode), source.fps)
    with shown as show:
        games: list[MarioEnv] = []
        env = source.open(1, watch=lambda: show(frame(games[0])))
        games.append(env)
        return evaluate(env, policy, seeds, rng)


def frame(env: MarioEnv, slot: int = 0) -> Array:
    """Returns the frame of a slot, (480, 640, 3) uint8."""
    return np.ascontiguousarray(draw(env.batch.games[slot], env.batch.stages[slot]))
