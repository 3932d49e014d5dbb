"""A batch of games: start, advance, observe, save and restore, on several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from dagger_cli.envs.mario import kernels
from dagger_cli.envs.mario.observations.grids import SIDE, ZOOMS
from dagger_cli.envs.mario.rules import Rules
from dagger_cli.envs.mario.simulator.state import Array, games_of, new_games, new_stages, rows_of

# A tick takes some tenths of a microsecond, submitting work to a thread some tens of microseconds.
TICKS_WORTH_A_THREAD = 1000


class Batch:
    """`n` games under the same rules, each with its own stage.

    `games` (n,) and `stages` (n,) are the records of `state`; a game that is over keeps its last
    state until it is started again. Results do not depend on `threads`.
    """

    def __init__(self, n: int, rules: Rules, threads: int = 1) -> None:
        self.rules, self.threads = rules, threads
        self.games, self.stages = new_games(n), new_stages(n)

    def start(self, slots: Array, seeds: Array) -> None:
        """Starts a game on a new stage in each of `slots` (k,), from int64 `seeds` (k,)."""
        rules, slots = self.rules, np.asarray(slots, np.int64)
        seeds = np.asarray(seeds, np.int64)
        shared = (rules.difficulty, rules.kind, rules.columns)
        kernels.name_games(self.games, slots, seeds, *shared)
        kernels.make_stages(self.games, self.stages, slots)
        kernels.begin_games(self.games, slots, rules.time_limit, rules.mode)

    def advance(self, slots: Array, actions: Array, ticks: int) -> None:
        """Holds the buttons `actions` (k,), 0 to 31, in `slots` (k,) for `ticks` ticks."""

        def advance(here: slice) -> None:
            kernels.advance_games(self.games, self.stages, slots[here], actions[here], ticks)

        slots, actions = np.asarray(slots, np.int64), np.asarray(actions, np.int64)
        self._on_threads(advance, len(slots), ticks)

    def grids(self, slots: Array, zoom_level: int, zoom_enemies: int, out: Array) -> None:
        """Draws the merged grids of `slots` (k,) into `out` (k, 22, 22) int8."""
        if not (0 <= zoom_level < ZOOMS and 0 <= zoom_enemies < ZOOMS):
            raise ValueError(f"zooms are 0 to {ZOOMS - 1}, got {zoom_level} and {zoom_enemies}")
        if out.shape != (len(slots), SIDE, SIDE) or out.dtype != np.int8:
            raise ValueError(f"out must be ({len(slots)}, {SIDE}, {SIDE}) int8, got {out.shape}")
        slots = np.asarray(slots, np.int64)
        kernels.draw_grids(self.games, self.stages, slots, zoom_level, zoom_enemies, out)

    @property
    def rows(self) -> Array:
        """The bytes of all games, (n, GAME_BYTES) uint8, in the same memory."""
        return rows_of(self.games)

    def load(self, slots: Array, rows: Array) -> None:
        """Restores saved `rows` (k, GAME_BYTES) in `slots` (k,), with the stages they refer to."""
        slots = np.asarray(slots, np.int64)
        self.games[slots] = games_of(rows)
        kernels.make_stages(self.games, self.stages, slots)

    def _on_threads(self, work: Callable[[slice], Any], n: int, ticks: int) -> None:
        parts = min(self.threads, n, max(1, n * ticks // TICKS_WORTH_A_THREAD))
        if parts == 1:
            work(slice(0, n))
            return
        edges = np.linspace(0, n, parts + 1).astype(int)
        jobs = [slice(a, b) for a, b in pairwise(edges)]
        running = [_pool(self.threads).submit(work, job) for job in jobs]
        for future in wait(running).done:
            future.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="mario")
