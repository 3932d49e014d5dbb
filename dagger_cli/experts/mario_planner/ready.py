"""Having the planner compiled before its first label, and saying so where it takes time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dagger_cli.envs.mario.compiled import cache_folder
from dagger_cli.envs.mario.layout import new_games, words_of
from dagger_cli.experts.mario_planner.kernels import plan
from dagger_cli.experts.mario_planner.tree import Settings, new_tree

HERE = Path(__file__).parent
SECONDS = 40  # one core of an ordinary machine
_MARK = "planner"


def make_ready(settings: Settings, say: Callable[[str], None]) -> None:
    """Compile the search, or read it from the disk; `say` is told if it must be compiled."""
    folder = cache_folder(HERE)
    if folder is None or not (folder / _MARK).exists():
        say(f"compiling the Mario planner (once after an installation, about {SECONDS} s)")
    games, none = new_games(0), np.zeros(0, np.int64)
    plan(games, words_of(games), new_tree(1), settings, none, none)
    if folder is not None:
        (folder / _MARK).touch()
