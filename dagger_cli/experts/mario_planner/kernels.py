"""Entry points from Python: labels or unsafe actions of many positions in one compiled call."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.engine import tick
from dagger_cli.envs.mario.simulator.jit import compiled, entry_point
from dagger_cli.envs.mario.simulator.sprite_kinds import JUMP, LEFT, RIGHT, SPEED
from dagger_cli.envs.mario.simulator.state import HEAD_WORDS, RUNNING, SPRITE_WORDS, Array
from dagger_cli.envs.mario.stages.generator import make_stage
from dagger_cli.experts.mario_planner.escape import survives
from dagger_cli.experts.mario_planner.search import FOREVER, search
from dagger_cli.experts.mario_planner.tree import Settings, Tree

BUTTONS = np.array([LEFT, RIGHT, JUMP, SPEED])  # in the order of an action
# Every action, the last button changing fastest, in the order of `core.actions.all_actions`.
BUTTON_SETS = ((np.arange(16)[:, None] >> np.arange(3, -1, -1) & 1) * BUTTONS).sum(1)


@entry_point
def plan(
    games: Array, words: Array, tree: Tree, settings: Settings, out: Array, used: Array
) -> None:
    """Writes the buttons to hold to `out` (n,) and the number of positions searched to `used`."""
    for i in range(len(games)):
        make_stage_of(games, tree, i)
        load_game(games, words, tree, i)
        out[i], used[i] = search(tree, settings)


@entry_point
def mark_unsafe(games: Array, words: Array, tree: Tree, settings: Settings, out: Array) -> None:
    """Marks in `out` (n, K) bool which of the buttons k of `BUTTON_SETS` (K,) lose the game."""
    for i in range(len(games)):
        make_stage_of(games, tree, i)
        for k in range(len(BUTTON_SETS)):
            load_game(games, words, tree, i)
            game = tree.games[0]
            if game.status != RUNNING:
                out[i, k] = False
                continue
            game.time_left = FOREVER
            for _ in range(settings.ticks_per_action):
                tick(game, tree.stages[0], BUTTON_SETS[k])
            out[i, k] = not survives(tree, settings.ticks_per_action)


@compiled
def make_stage_of(games: Array, tree: Tree, i: int) -> None:
    """Generates the stage of game i in the tree, unless it is that of the game before."""
    if i == 0 or not same_stage(games, i, i - 1):
        game = games[i]
        make_stage(
            tree.stages[0], game.seed, int(game.difficulty), int(game.kind), int(game.columns)
        )


@compiled
def load_game(games: Array, words: Array, tree: Tree, i: int) -> None:
    """Copies game i to the tree's position 0."""
    for word in range(HEAD_WORDS + games[i].n_sprites * SPRITE_WORDS):
        tree.words[0, word] = words[i, word]


@compiled
def same_stage(games: Array, one: int, other: int) -> bool:
    """Returns whether two games have the same stage."""
    a, b = games[one], games[other]
    return bool(
        a.seed == b.seed
        and a.difficulty == b.difficulty
        and a.kind == b.kind
        and a.columns == b.columns
    )
