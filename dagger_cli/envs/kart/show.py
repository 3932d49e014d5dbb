"""Rendering of laps: in a pygame window, or as an mp4 file, one frame per step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.random import Generator

from dagger_cli.core.types import Policy, Score
from dagger_cli.envs.kart.picture import HEIGHT, WIDTH, picture
from dagger_cli.envs.video import check_mode, mp4, play_each
from dagger_cli.envs.window import window

if TYPE_CHECKING:
    from dagger_cli.envs.kart.source import KartSource

TITLE, SIZE = "Kart", (WIDTH, HEIGHT)


def play(
    source: KartSource, policy: Policy, seeds: Sequence[int], rng: Generator, mode: str | Path
) -> Score:
    """Renders one lap per seed; returns the score.

    `mode` is 'human' for a window, else the mp4 file to write, which is created at the end.
    """
    check_mode(source, mode)
    human = mode == "human"
    shown = window(TITLE, SIZE, source.fps) if human else mp4(Path(mode), source.fps)
    with shown as show:
        env = source.open(1)
        return play_each(env, policy, seeds, rng, lambda: show(picture(env)))
