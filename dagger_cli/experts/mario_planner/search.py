"""Best-first search from one position."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from dagger_cli.envs.mario.compiled import compiled
from dagger_cli.envs.mario.engine import tick
from dagger_cli.envs.mario.kinds import HEIGHT, JUMP
from dagger_cli.envs.mario.layout import DEAD, RUNNING, WON, copy_game
from dagger_cli.experts.mario_planner.rules import (
    BEST,
    LOSES,
    MOVES,
    can_rise,
    likeness,
    reach,
)
from dagger_cli.experts.mario_planner.tree import Queue, Settings, Tree, child_of, queue_key

FOREVER = 1 << 30


@compiled
def search(tree: Tree, settings: Settings) -> tuple[int, int]:
    """The buttons to hold in the position `tree.games[0]`, and how many positions it took."""
    if tree.games[0].status != RUNNING:
        return 0, 0
    tree.games[0].time_left = FOREVER
    tree.lost[0], tree.depth[0], tree.first[0] = 0.0, 0, 0
    queue = [np.int64(0)]
    queue.pop()
    seen = {np.int64(0)}
    start = reach(tree.games[0])
    used, children = 0, open_children(tree, settings, queue, 0, 0)
    while len(queue) > 0 and used < settings.nodes:
        key = heappop(queue)
        child = child_of(key)
        place = tree.place[child]
        if place == 0:
            used += 1
            place = used
            simulate(tree, settings, child, place, start)
            game = tree.games[place]
            if game.status == DEAD:
                tree.lost[place] = FOREVER
                continue
            like = likeness(game, tree.depth[place])
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
    """Lost ticks, less a part of the ticks gained."""
    steps = tree.depth[place] * settings.ticks_per_action
    return tree.lost[place] - settings.greed * (steps - tree.lost[place])


@compiled
def open_children(tree: Tree, settings: Settings, queue: Queue, place: int, children: int) -> int:
    """Queue every step from a position with what it must lose at least; the children so far."""
    game = tree.games[place]
    jumps = can_rise(game)
    rising = game.jump_time > 0
    base, depth = cost(tree, settings, place), tree.depth[place] + 1
    for move in range(len(MOVES)):
        loses = LOSES[move] * settings.ticks_per_action
        guess = base + loses - settings.greed * (settings.ticks_per_action - loses)
        for turn in range(2):
            jump = (turn == 0) == rising
            if jump and not jumps:
                continue
            tree.parent[children], tree.place[children] = place, 0
            tree.keys[children] = MOVES[move] | (JUMP if jump else 0)
            heappush(queue, queue_key(guess, depth, children))
            children += 1
    return children


@compiled
def simulate(tree: Tree, settings: Settings, child: int, place: int, start: float) -> None:
    """Play a step from a copy of its parent's position."""
    parent, keys = tree.parent[child], tree.keys[child]
    copy_game(tree.games, tree.words, parent, place)
    game, stage = tree.games[place], tree.stages[0]
    power = game.large + game.fire
    for _ in range(settings.ticks_per_action):
        tick(game, stage, keys)
    tree.depth[place] = tree.depth[parent] + 1
    tree.first[place] = keys if parent == 0 else tree.first[parent]
    harm = max(power - game.large - game.fire, 0) * settings.damage
    before = tree.games[parent]
    gained = (reach(game) - reach(before)) / BEST
    tree.lost[place] = (
        tree.lost[parent] + settings.ticks_per_action - gained + harm + fear(game, settings)
    )


@compiled
def fear(game, settings):
    mario = game.sprites[0]
    total = 0.0
    for slot in range(1, game.n_sprites):
        e = game.sprites[slot]
        if e.dead_time != 0 or e.carried or e.kind > 13 or (e.kind == 13 and e.facing == 0):
            continue
        dx = abs(np.float64(e.x - mario.x)) - 12
        dy = np.float64(mario.y - e.y)  # >0: mario below
        gap_y = max(-HEIGHT[e.kind] - dy, dy - game.height, 0.0)
        gap = max(dx, gap_y)
        if gap < settings.margin and not (mario.ya > 0 and dy <= 0 and mario.on_ground == 0):
            total += settings.fear * (1 - max(gap, 0.0) / settings.margin)
    return total


@compiled
def arrived(tree: Tree, settings: Settings, place: int) -> bool:
    """Far enough, and standing; or through the exit."""
    game, start = tree.games[place], tree.games[0]
    if game.status == WON:
        return True
    mario = game.sprites[0]
    return mario.on_ground and mario.x - start.sprites[0].x > settings.horizon


@compiled
def fallback(tree: Tree, used: int, hopeful: bool) -> int:
    """Where nothing arrived: the furthest that stands, or if all must die the longest life."""
    best, worth = 0, -1e18
    for place in range(1, used + 1):
        if tree.lost[place] >= FOREVER:
            continue
        game = tree.games[place]
        value = np.float64(tree.depth[place])
        if hopeful:
            value = np.float64(game.sprites[0].x) - (0 if game.sprites[0].on_ground else 50)
        if value > worth:
            best, worth = place, value
    return best
