"""Whether the simulator must still be compiled, and doing so; `ready` says it to the user."""

from __future__ import annotations

import time

import numpy as np

from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.observations.grids import SIDE
from dagger_cli.envs.mario.rules import PAPER
from dagger_cli.envs.mario.simulator.jit import machine_code

SECONDS = 25  # one core of an ordinary machine
_MARK = "complete"


def is_compiled() -> bool:
    """Whether the disk holds machine code of exactly these sources (False: where it cannot)."""
    folder = machine_code()
    return folder is not None and (folder / _MARK).exists()


def warm_up() -> float:
    """Have every compiled function ready, from the disk or by compiling; the seconds it took."""
    begin = time.perf_counter()
    slots, batch = np.zeros(1, np.int64), Batch(1, PAPER)
    batch.start(slots, slots)
    batch.advance(slots, slots, 1)
    batch.grids(slots, 1, 0, np.empty((1, SIDE, SIDE), np.int8))
    folder = machine_code()
    if folder is not None:
        (folder / _MARK).touch()
    return time.perf_counter() - begin
