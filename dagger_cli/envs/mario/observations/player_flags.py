"""24 binary features of Mario's own state."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.sprite_kinds import JUMP, LEFT, RIGHT, SPEED
from dagger_cli.envs.mario.simulator.state import NO_SHELL, TILE, Game

# Bit i is the answer to question i.
QUESTIONS = (
    *("small", "large without fire", "fire", "on the ground", "may jump", "invulnerable"),
    *("carries a shell", "may shoot", "looks left", "slides down a wall"),
    *("a jump can rise on", "for more than 2 ticks", "for more than 5 ticks"),
    *("moves left", "moves right", "faster than 4 px a tick", "faster than 7", "faster than 9"),
    *("rises", "falls", "falls faster than 8 px a tick"),
    *("4 px or more into his cell", "8 px or more", "12 px or more"),
)
N_QUESTIONS = len(QUESTIONS)
N_BUTTONS = 4  # left, right, jump, speed: also their order in an action

# In the air `ya` is at least 3, the gravity of one tick, as soon as he falls.
FALLING, FAST_FALL = np.float32(3), np.float32(8)


@compiled
def state_bits(game: Game) -> int:
    """Returns the flags as one integer, bit i for question i."""
    mario = game.sprites[0]
    in_the_air = mario.on_ground == 0
    bits = 1 << (2 if game.fire else (1 if game.large else 0))
    bits |= (mario.on_ground != 0) << 3 | (game.may_jump != 0) << 4
    bits |= (game.invulnerable > 0) << 5 | (game.carried != NO_SHELL) << 6
    bits |= (game.can_shoot != 0) << 7 | (mario.facing < 0) << 8 | (game.sliding != 0) << 9
    rise = game.jump_time
    bits |= (rise > 0) << 10 | (rise > 2) << 11 | (rise > 5) << 12
    speed = abs(mario.xa)
    bits |= (mario.xa < 0) << 13 | (mario.xa > 0) << 14
    bits |= (speed > 4) << 15 | (speed > 7) << 16 | (speed > 9) << 17
    bits |= (in_the_air and mario.ya < 0) << 18
    bits |= (in_the_air and mario.ya >= FALLING) << 19
    bits |= (in_the_air and mario.ya >= FAST_FALL) << 20
    inside = int(mario.x) % TILE
    bits |= (inside >= 4) << 21 | (inside >= 8) << 22 | (inside >= 12) << 23
    return int(bits)


@compiled
def buttons(keys: int) -> int:
    """Returns the four buttons as bits, in the order of an action."""
    left, right = (keys & LEFT) != 0, (keys & RIGHT) != 0
    return int(left | right << 1 | ((keys & JUMP) != 0) << 2 | ((keys & SPEED) != 0) << 3)
