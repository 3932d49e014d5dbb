"""Search for any continuation that Mario survives, not for the best one.

Depth first, the fastest moves first; without a threat it ends after one or two positions.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.engine import tick
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import JUMP
from dagger_cli.envs.mario.simulator.state import DEAD, WON, Game, Stage, copy_game
from dagger_cli.experts.mario_planner.danger import ALARM, danger
from dagger_cli.experts.mario_planner.rules import MOVES, can_rise
from dagger_cli.experts.mario_planner.tree import Tree

SURELY = ALARM  # ticks to survive at least: `danger` is not certain within them
LONGEST = 36  # ticks after which Mario counts as saved
DEEPEST = LONGEST  # steps of one tick
MOST = 300  # positions; a continuation that is harder to find is of no use to a learner


@compiled
def survives(tree: Tree, ticks_per_action: int) -> bool:
    """Returns whether a continuation of `tree.games[0]` is found; uses up to `DEEPEST` games."""
    stage = tree.stages[0]
    if tree.games[0].status == DEAD:
        return False
    used, depth = 0, 0
    tried = np.zeros(DEEPEST, np.int64)  # by depth: moves tried, with and without JUMP
    while depth >= 0:
        step = tried[depth]
        if step == 2 * len(MOVES):
            depth -= 1
            continue
        tried[depth] += 1
        jump = JUMP if step % 2 == 0 else 0
        if jump and not can_rise(tree.games[depth]):
            continue
        if used == MOST:
            return False
        used += 1
        copy_game(tree.games, tree.words, depth, depth + 1)
        game = tree.games[depth + 1]
        for _ in range(ticks_per_action):
            tick(game, stage, MOVES[step // 2] | jump)
        if game.status == DEAD:
            continue
        depth += 1
        ticks = depth * ticks_per_action
        if ticks >= LONGEST or game.status == WON or (ticks >= SURELY and is_safe(game, stage)):
            return True
        tried[depth] = 0
    return False


@compiled
def is_safe(game: Game, stage: Stage) -> bool:
    """Returns whether Mario stands where keeping the speed is no danger."""
    return bool(game.sprites[0].on_ground and danger(game, stage) == 0)
