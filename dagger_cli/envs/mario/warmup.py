"""Compilation of the simulator; `prepare` prints the message."""

from __future__ import annotations

import time

import numpy as np

from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.observations.grids import SIDE
from dagger_cli.envs.mario.rules import PAPER
from dagger_cli.envs.mario.simulator.jit import machine_code

SECONDS = 25  # on one core
_MARK = "complete"


def is_compiled() -> bool:
    """Returns whether machine code of exactly these sources is cached on disk."""
    folder = machine_code()
    return folder is not None and (folder / _MARK).exists()


def warm_up() -> float:
    """Compiles all simulator functions or loads them from disk; returns the seconds it took."""
    begin = time.perf_counter()
    slots, batch = np.zeros(1, np.int64), Batch(1, PAPER)
    batch.start(slots, slots)
    batch.advance(slots, slots, 1)
    batch.grids(slots, 1, 0, np.empty((1, SIDE, SIDE), np.int8))
    folder = machine_code()
    if folder is not None:
        (folder / _MARK).touch()
    return time.perf_counter() - begin
