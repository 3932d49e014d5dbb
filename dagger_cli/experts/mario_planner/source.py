"""`expert=mario_planner`: an expert that plans with the simulator for every observation."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Acts, Array, Card, Expert, Observation, Space
from dagger_cli.core.values import at_least
from dagger_cli.envs.mario.simulator.state import GAME_BYTES, games_of, words_of
from dagger_cli.experts.mario_planner.escape import DEEPEST
from dagger_cli.experts.mario_planner.kernels import BUTTON_SETS, BUTTONS, mark_unsafe, plan
from dagger_cli.experts.mario_planner.ready import make_ready
from dagger_cli.experts.mario_planner.tree import MOST_NODES, Settings, Tree, new_tree
from dagger_cli.utils.system import usable_cores

ROWS_A_JOB = 8  # a label takes some 0.1 ms, submitting a job to a thread half of that
HERE = Path(__file__).parent


@dataclass(frozen=True)
class MarioPlanner:
    """Settings of the search; the keys are those of `Settings`."""

    ticks_per_action: int
    nodes: int
    horizon: float
    greed: float
    damage: float
    caution: float

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= MOST_NODES:
            raise ConfigError(f"expert.nodes must be 1 to {MOST_NODES}, got {self.nodes}")
        at_least("expert.ticks_per_action", self.ticks_per_action, 1)
        for key in ("horizon", "greed", "damage", "caution"):
            at_least(f"expert.{key}", getattr(self, key), 0)

    def load(self, env_id: str, observation_space: Space, action_space: Space) -> Expert:
        """Creates the expert; raises ExpertError where the actions are not Mario's buttons."""
        if action_space.kind != "multi_binary" or action_space.shape != BUTTONS.shape:
            raise ExpertError(
                f"expert=mario_planner plays Mario with four buttons, not '{env_id}'; "
                "use env=mario or another expert"
            )
        settings = Settings(**{f.name: getattr(self, f.name) for f in fields(self)})
        card = Card(
            name="best-first search",
            source="copies of the Mario simulator",
            sha256=_digest(),
            code=True,
        )
        return PlanningExpert(env_id, action_space, settings, card)


@dataclass(frozen=True)
class PlanningExpert:
    """Expert that plans from scratch for every row, so an action depends on that game alone."""

    env_id: str
    action_space: Space
    settings: Settings
    card: Card

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Plans every row; deterministic, so `rng` is not used."""
        keys, _ = self.plan(self._games(observation))
        pressed = (keys[:, None] & BUTTONS) != 0
        return Acts(pressed.astype(self.action_space.dtype), np.ones(len(observation), bool))

    def plan(self, rows: Array) -> tuple[Array, Array]:
        """Returns button masks, (n,), for (n, GAME_BYTES) games, and positions searched, (n,)."""
        games = games_of(rows)
        words, n = words_of(games), len(games)
        keys, used = np.zeros(n, np.int64), np.zeros(n, np.int64)

        def work(here: slice, tree: Tree) -> None:
            plan(games[here], words[here], tree, self.settings, keys[here], used[here])

        self._share_out(n, work)
        return keys, used

    def unsafe_actions(self, observation: Observation) -> Array:
        """Returns (n, 16) bool: actions, as in `all_actions`, without a found continuation.

        See escape.py; the search takes about as long as the labels, on the same cores.
        """
        games = games_of(self._games(observation))
        words, n = words_of(games), len(games)
        marked = np.zeros((n, len(BUTTON_SETS)), bool)

        def work(here: slice, tree: Tree) -> None:
            mark_unsafe(games[here], words[here], tree, self.settings, marked[here])

        self._share_out(n, work)
        return marked

    def _games(self, observation: Observation) -> Array:
        if observation.privileged is None or observation.privileged.shape[1:] != (GAME_BYTES,):
            raise ExpertError(
                f"expert=mario_planner needs the state of the game, which '{self.env_id}' does not "
                "provide: use env=mario, or another expert"
            )
        return observation.privileged

    def _share_out(self, n: int, work: Callable[[slice, Tree], None]) -> None:
        """Distributes n rows over the threads, each with its own tree."""
        jobs = [slice(at, at + ROWS_A_JOB) for at in range(0, n, ROWS_A_JOB)]

        def go_on(tree: Tree) -> None:
            while jobs:
                try:
                    here = jobs.pop()
                except IndexError:  # another thread took the last
                    return
                work(here, tree)

        helpers = [self._threads.submit(go_on, tree) for tree in self._trees[1 : len(jobs)]]
        go_on(self._trees[0])
        for helper in helpers:
            helper.result()  # waits for all rows, and raises their errors

    @cached_property
    def _trees(self) -> list[Tree]:
        """One tree for each usable core; created, and compiled, at the first label."""
        make_ready(self.settings, lambda line: print(line, file=sys.stderr, flush=True))
        return [new_tree(max(self.settings.nodes, DEEPEST)) for _ in range(usable_cores())]

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(len(self._trees), thread_name_prefix="planner")


def _digest() -> str:
    """Returns the sha256 of the planner's source files."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
