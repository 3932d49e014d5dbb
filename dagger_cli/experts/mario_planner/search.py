"""Best-first search from one position."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from dagger_cli.envs.mario.simulator.engine import tick
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import JUMP
from dagger_cli.envs.mario.simulator.state import DEAD, RUNNING, WON, copy_game
from dagger_cli.experts.mario_planner.danger import danger
from dagger_cli.experts.mario_planner.rules import BEST, LOSES, MOVES, can_rise, reach, state_key
from dagger_cli.experts.mario_planner.tree import Queue, Settings, Tree, child_of, queue_key

FOREVER = 1 << 30  # ticks: the cost of death, and the time left in the copies, which never ends
AIRBORNE = 50.0  # px by which a position in the air ranks behind an equal one on the ground


@compiled
def search(tree: Tree, settings: Settings) -> tuple[int, int]:
    """Returns the buttons to hold in `tree.games[0]`, and the number of positions searched."""
    if tree.games[0].status != RUNNING:
        return 0, 0
    tree.games[0].time_left = FOREVER
    tree.lost[0], tree.risk[0], tree.depth[0], tree.first[0] = 0.0, 0.0, 0, 0
    queue = [np.int64(0)]
    queue.pop()
    seen = {np.int64(0)}
    used, children = 0, open_children(tree, settings, queue, 0, 0)
    while len(queue) > 0 and used < settings.nodes:
        key = heappop(queue)
        child = child_of(key)
        place = tree.place[child]
        if place == 0:
            used += 1
            place = used
            simulate(tree, settings, child, place)
            game = tree.games[place]
            if game.status == DEAD:
                tree.lost[place] = FOREVER
                continue
            like = state_key(game, tree.depth[place])
            if like in seen:
                continue
            seen.add(like)
            tree.place[child] = place
            true_key = queue_key(cost(tree, settings, place), tree.depth[place], child)
            if true_key > key and len(queue) > 0 and true_key > queue[0]:
                heappush(queue, true_key)
                continue
        if arrived(tree, settings, place):
            return tree.first[place], used
        children = open_children(tree, settings, queue, place, children)
    return tree.first[fallback(tree, used, len(queue) > 0)], used


@compiled
def cost(tree: Tree, settings: Settings, place: int) -> float:
    """Returns the cost: lost ticks, minus `greed` times the ticks gained."""
    steps = tree.depth[place] * settings.ticks_per_action
    return float(tree.lost[place] - settings.greed * (steps - tree.lost[place]))


@compiled
def open_children(tree: Tree, settings: Settings, queue: Queue, place: int, children: int) -> int:
    """Queues every move from a position at its lower bound; returns the number of children.

    Ties go to the child opened first: Mario jumps wherever it costs nothing, and rises as long as
    he can. This makes the labels a simpler rule, whose exceptions depend on what is observed.
    """
    jumps = can_rise(tree.games[place])
    base, depth = cost(tree, settings, place), tree.depth[place] + 1
    for move in range(len(MOVES)):
        loses = LOSES[move] * settings.ticks_per_action
        guess = base + loses - settings.greed * (settings.ticks_per_action - loses)
        for jump in (JUMP, 0):
            if jump and not jumps:
                continue
            tree.parent[children], tree.place[children] = place, 0
            tree.keys[children] = MOVES[move] | jump
            heappush(queue, queue_key(guess, depth, children))
            children += 1
    return children


@compiled
def simulate(tree: Tree, settings: Settings, child: int, place: int) -> None:
    """Simulates a move from a copy of its parent's position."""
    parent, keys = tree.parent[child], tree.keys[child]
    copy_game(tree.games, tree.words, parent, place)
    game, stage = tree.games[place], tree.stages[0]
    power = game.large + game.fire
    for _ in range(settings.ticks_per_action):
        tick(game, stage, keys)
    tree.depth[place] = tree.depth[parent] + 1
    tree.first[place] = keys if parent == 0 else tree.first[parent]
    tree.risk[place] = danger(game, stage)
    gained = (reach(game) - reach(tree.games[parent])) / BEST
    harm = max(power - game.large - game.fire, 0) * settings.damage
    extra = harm + settings.caution * tree.risk[place]
    tree.lost[place] = tree.lost[parent] + settings.ticks_per_action - gained + extra


@compiled
def arrived(tree: Tree, settings: Settings, place: int) -> bool:
    """Returns whether the goal is reached: far enough, standing without danger, or the exit."""
    game = tree.games[place]
    if game.status == WON:
        return True
    mario = game.sprites[0]
    far = mario.x - tree.games[0].sprites[0].x > settings.horizon
    return bool(far and mario.on_ground and tree.risk[place] == 0)


@compiled
def fallback(tree: Tree, used: int, hopeful: bool) -> int:
    """Returns the best position without a goal: the furthest, or the longest life."""
    best, worth = 0, -np.inf
    for place in range(1, used + 1):
        if tree.lost[place] >= FOREVER:
            continue
        game = tree.games[place]
        value = np.float64(tree.depth[place])
        if hopeful:
            value = np.float64(game.sprites[0].x) - (0.0 if game.sprites[0].on_ground else AIRBORNE)
        if value > worth:
            best, worth = place, value
    return best
