"""Compilation before the first game, with a message where it takes time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.env import OBSERVATIONS
from dagger_cli.envs.mario.rules import PAPER
from dagger_cli.envs.mario.simulator.jit import machine_code
from dagger_cli.envs.mario.warmup import SECONDS, is_compiled, warm_up

LOOK_SECONDS = 10
_MARK = "looks"


@cache
def make_ready(say: Callable[[str], None]) -> None:
    """Compiles all functions or loads them from disk; calls `say` where compilation is needed."""
    folder = machine_code()
    looks = folder is not None and (folder / _MARK).exists()
    if not (looks and is_compiled()):
        about = LOOK_SECONDS * (not looks) + SECONDS * (not is_compiled())
        say(f"compiling the Mario simulator (once after an installation, about {about} s)")
    warm_up()
    slots, batch = np.zeros(1, np.int64), Batch(1, PAPER)
    batch.start(slots, slots)
    for config in OBSERVATIONS.values():
        obs = np.zeros((1, config.n_bytes), np.uint8)
        config.look(batch.games, batch.stages, slots, np.array([-1]), obs)
    if folder is not None:
        (folder / _MARK).touch()
