"""Helpers: play whole batches by simple policies, compare rows as float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.rules import PAPER, Rules
from dagger_cli.envs.mario.simulator.state import RUNNING

RIGHT_SPEED, JUMP = 10, 16
FLOATS = (6, 7, 8, 9, 19, 20)  # columns of a row
SPRITES = 30


def rules(**changes: int) -> Rules:
    return replace(PAPER, **changes)


def started(n: int, first_seed: int = 0, **changes: int) -> Batch:
    batch = Batch(n, rules(**changes))
    batch.start(np.arange(n), first_seed + np.arange(n))
    return batch


def mario(batch: Batch) -> np.ndarray:
    """(n,) the sprite records of Mario."""
    return batch.games["sprites"][:, 0]


def leaping(batch: Batch) -> np.ndarray:
    """RIGHT and SPEED always, JUMP whenever he may jump or is in the air."""
    jumps = (batch.games["may_jump"] > 0) | (mario(batch)["on_ground"] == 0)
    return RIGHT_SPEED + JUMP * jumps


def play_out(batch: Batch, policy) -> None:
    slots = np.arange(len(batch.games))
    batch.advance(slots, np.zeros(len(slots)), 1)
    while (batch.games["status"] == RUNNING).any():
        batch.advance(slots, policy(batch), 1)


def differences(row: list, wanted: list) -> list[int]:
    """The columns in which two rows differ; floats count as float32."""
    return [i for i in range(len(wanted)) if not _same(i, row[i], wanted[i])]


def _same(column: int, one, other) -> bool:
    if column in FLOATS:
        return np.float32(one) == np.float32(other)
    if column == SPRITES:
        return len(one) == len(other) and all(
            np.array_equal(np.float32(a), np.float32(b)) for a, b in zip(one, other, strict=True)
        )
    return one == other
