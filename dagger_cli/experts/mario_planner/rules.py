"""Costs of moves, the set of moves, and the equivalence of positions.

The buttons change Mario's speed by a = ±1.2 or ±0.6 px per tick, and friction keeps 0.89 of it. So
x + xa / 0.11, the place where he would come to rest, moves by a / 0.11 per tick if nothing blocks
him: by 10.9 px at best. The ticks lost relative to that are known for every set of buttons before
it is simulated, and the simulated value can only be larger.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import LEFT, RIGHT, SPEED
from dagger_cli.envs.mario.simulator.state import Game

REST = 1 / 0.11
BEST = 1.2 * REST  # px per tick

RUN_RIGHT, RUN_LEFT = RIGHT | SPEED, LEFT | SPEED
# Without JUMP, from the fastest to the slowest; LOSES: ticks that each loses per tick.
MOVES = np.array([RUN_RIGHT, RIGHT, 0, RUN_LEFT], np.int64)
LOSES = np.array([0.0, 0.5, 1.0, 2.0])


@compiled
def reach(game: Game) -> float:
    """Returns the x at which Mario would come to rest, in px."""
    mario = game.sprites[0]
    return float(np.float64(mario.x) + np.float64(mario.xa) * REST)


@compiled
def can_rise(game: Game) -> bool:
    """Returns whether JUMP has an effect: he may take off, or is still rising."""
    stands = game.sprites[0].on_ground or game.sliding
    return bool(game.jump_time > 0 or (game.may_jump and stands))


@compiled
def state_key(game: Game, depth: int) -> int:
    """Returns a key of a discretized position; of equal ones only one is searched further."""
    mario = game.sprites[0]
    key = np.int64(mario.x * np.float32(0.25))
    key = (key << 8) | (np.int64(mario.y * np.float32(0.25)) & 0xFF)
    key = (key << 6) | (np.int64(mario.xa * np.float32(1.5)) & 0x3F)
    key = (key << 6) | (np.int64(mario.ya) & 0x3F)
    key = (key << 5) | (game.jump_time & 0x1F)
    key = (key << 1) | (game.may_jump != 0)
    key = (key << 1) | (mario.on_ground != 0)
    return int((key << 8) | ((depth >> 1) & 0xFF))
