"""Rendering of laps: in a pygame window, or as a file, one frame per step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.random import Generator

from dagger_cli.core.types import Policy, Score
from dagger_cli.envs.film import film
from dagger_cli.envs.kart.picture import HEIGHT, WIDTH, picture
from dagger_cli.envs.video import Mode, check_mode, play_each
from dagger_cli.envs.window import window

if TYPE_CHECKING:
    from dagger_cli.envs.kart.source import KartSource

TITLE, SIZE = "Kart", (WIDTH, HEIGHT)


def play(
    source: KartSource, policy: Policy, seeds: Sequence[int], rng: Generator, mode: Mode
) -> Score:
    """Renders one lap per seed; returns the score.

    A file is created at the end. Raises Enough where a clip ends before its episode.
    """
    target = check_mode(source, mode)
    shown = film(target, source.fps) if target else window(TITLE, SIZE, source.fps)
    with shown as show:
        env = source.open(1)
        return play_each(env, policy, seeds, rng, lambda: show(lambda: picture(env)))
