"""Compilation of the planner before its first label, with a message where it takes time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dagger_cli.envs.mario.simulator.jit import machine_code
from dagger_cli.envs.mario.simulator.state import new_games, words_of
from dagger_cli.experts.mario_planner.kernels import BUTTON_SETS, mark_unsafe, plan
from dagger_cli.experts.mario_planner.tree import Settings, new_tree

HERE = Path(__file__).parent
SECONDS = 15  # measured 10 on an idle core
_MARK = "planner"


def make_ready(settings: Settings, say: Callable[[str], None]) -> None:
    """Compiles both searches or loads them from disk; calls `say` where compilation is needed."""
    folder = machine_code(HERE)
    if folder is None or not (folder / _MARK).exists():
        say(f"compiling the Mario planner (once after an installation, about {SECONDS} s)")
    games, none, tree = new_games(0), np.zeros(0, np.int64), new_tree(1)
    plan(games, words_of(games), tree, settings, none, none)
    mark_unsafe(games, words_of(games), tree, settings, np.zeros((0, len(BUTTON_SETS)), bool))
    if folder is not None:
        (folder / _MARK).touch()
