"""Entry points from Python: many games advanced, started or drawn in one compiled call.

Only these functions are compiled separately and cached on disk. `slots` (k,) int64 are indices into
arrays of (n,) games and stages.
"""

from __future__ import annotations

from dagger_cli.envs.mario.observations.grids import draw_grid
from dagger_cli.envs.mario.simulator.engine import begin, tick
from dagger_cli.envs.mario.simulator.jit import entry_point
from dagger_cli.envs.mario.simulator.state import Array
from dagger_cli.envs.mario.stages.generator import make_stage


@entry_point
def name_games(
    games: Array, slots: Array, seeds: Array, difficulty: int, kind: int, columns: int
) -> None:
    """Stores the stage of each game: `seeds` (k,) int64 and the shared settings."""
    for i in range(len(slots)):
        game = games[slots[i]]
        game.seed, game.difficulty = seeds[i], difficulty
        game.kind, game.columns = kind, columns


@entry_point
def make_stages(games: Array, stages: Array, slots: Array) -> None:
    """Generates the stages of the games."""
    for i in range(len(slots)):
        game = games[slots[i]]
        make_stage(
            stages[slots[i]], game.seed, int(game.difficulty), int(game.kind), int(game.columns)
        )


@entry_point
def begin_games(games: Array, slots: Array, time_limit: int, mode: int) -> None:
    """Puts Mario at the start of each stage, before the first tick."""
    for i in range(len(slots)):
        begin(games[slots[i]], time_limit, mode)


@entry_point
def advance_games(games: Array, stages: Array, slots: Array, actions: Array, ticks: int) -> None:
    """Holds `actions` (k,) int64 for `ticks` ticks; finished games keep their state."""
    for i in range(len(slots)):
        slot = slots[i]
        for _ in range(ticks):
            tick(games[slot], stages[slot], actions[i])


@entry_point
def draw_grids(
    games: Array, stages: Array, slots: Array, zoom_level: int, zoom_enemies: int, grids: Array
) -> None:
    """Draws into `grids` (k, 22, 22) int8."""
    for i in range(len(slots)):
        draw_grid(games[slots[i]], stages[slots[i]], zoom_level, zoom_enemies, grids[i])
