"""What a step costs, which steps there are, and when two positions count as one.

Held still, the buttons change Mario's speed by a = ±1.2 or ±0.6 pixels a tick, and friction leaves
0.89 of it. So x + xa / 0.11, the place where he would come to rest, moves by a / 0.11 each tick as
long as nothing is in the way: 10.9 pixels at best. The ticks lost to that best are known for
every set of buttons before it is simulated, and what a simulation shows can only be worse.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import LEFT, RIGHT, SPEED
from dagger_cli.envs.mario.simulator.state import Game

REST = 1 / 0.11
BEST = 1.2 * REST  # pixels a tick

RUN_RIGHT, RUN_LEFT = RIGHT | SPEED, LEFT | SPEED
# Without JUMP, from the fastest to the slowest; the ticks that each loses in a tick.
MOVES = np.array([RUN_RIGHT, RIGHT, 0, RUN_LEFT], np.int64)
LOSES = np.array([0.0, 0.5, 1.0, 2.0])


@compiled
def reach(game: Game) -> float:
    """Pixels: where Mario would come to rest."""
    mario = game.sprites[0]
    return float(np.float64(mario.x) + np.float64(mario.xa) * REST)


@compiled
def can_rise(game: Game) -> bool:
    """Whether holding JUMP makes a difference: he may take off, or rises still."""
    stands = game.sprites[0].on_ground or game.sliding
    return bool(game.jump_time > 0 or (game.may_jump and stands))


@compiled
def likeness(game: Game, depth: int) -> int:
    """The same for positions that are not worth telling apart: one of them is searched on."""
    mario = game.sprites[0]
    key = np.int64(mario.x * np.float32(0.25))
    key = (key << 8) | (np.int64(mario.y * np.float32(0.25)) & 0xFF)
    key = (key << 6) | (np.int64(mario.xa * np.float32(1.5)) & 0x3F)
    key = (key << 6) | (np.int64(mario.ya) & 0x3F)
    key = (key << 5) | (game.jump_time & 0x1F)
    key = (key << 1) | (game.may_jump != 0)
    key = (key << 1) | (mario.on_ground != 0)
    return int((key << 8) | ((depth >> 1) & 0xFF))
