"""Walking, rolling and bouncing sprites (docs/mario_rules.md, A.7, A.10 to A.12, B.8).

All share one update: face the direction of motion, walk, turn where blocked, fall.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.deaths import count_down, fly, throw_back
from dagger_cli.envs.mario.simulator.items import rise
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.motion import move_aside, move_up_or_down
from dagger_cli.envs.mario.simulator.state import Body, Float, Game, Stage

TWO = np.float32(2)
WALK, ROLL, SHOT = np.float32(1.75), np.float32(11), np.float32(8)  # px per tick
FRICTION = np.float32(0.89)
FALL, FLAP = np.float32(0.85), np.float32(0.95)


@compiled
def face_motion(body: Body) -> None:
    """Turns a body towards its horizontal motion if it is faster than 2 px per tick."""
    if body.xa > TWO:
        body.facing = 1
    if body.xa < -TWO:
        body.facing = -1


@compiled
def go(game: Game, stage: Stage, body: Body, speed: Float) -> bool:
    """Moves sideways in the facing direction; returns False where blocked."""
    face_motion(body)
    body.xa = np.float32(body.facing) * speed
    return move_aside(game, stage, body, body.xa)


@compiled
def fall(game: Game, stage: Stage, body: Body, resistance: Float) -> None:
    """Moves vertically and applies resistance and friction; gravity is applied by the caller."""
    body.on_ground = 0
    move_up_or_down(game, stage, body, body.ya)
    body.ya = body.ya * resistance
    body.xa = body.xa * FRICTION


@compiled
def update_walker(game: Game, stage: Stage, walker: Body) -> None:
    """Updates a goomba, koopa or spiky; winged ones jump as soon as they land."""
    if walker.dead_time > 0:
        count_down(walker)
        if walker.fly_death:
            fly(walker)
        return
    if not go(game, stage, walker, WALK):
        walker.facing = -walker.facing
    fall(game, stage, walker, FLAP if walker.winged else FALL)
    if not walker.on_ground:
        walker.ya += np.float32(0.6) if walker.winged else TWO
    elif walker.winged:
        walker.ya = np.float32(-10)


@compiled
def update_mushroom(game: Game, stage: Stage, mushroom: Body) -> None:
    """Updates a mushroom: it comes out of its block, then walks."""
    if rise(mushroom):
        return
    if not go(game, stage, mushroom, WALK):
        mushroom.facing = -mushroom.facing
    fall(game, stage, mushroom, FALL)
    if not mushroom.on_ground:
        mushroom.ya += TWO


@compiled
def update_shell(game: Game, stage: Stage, shell: Body) -> None:
    """Updates a shell: carried, dying, at rest (facing 0) or rolling; carried and rolling hit."""
    if shell.carried:
        shell.hunting = 1
        return
    if shell.dead_time > 0:
        count_down(shell)
        fly(shell)
        return
    face_motion(shell)
    shell.hunting = shell.facing != 0  # before the move: a block it hits may turn it
    if not go(game, stage, shell, ROLL):
        shell.facing = -shell.facing
    fall(game, stage, shell, FALL)
    if not shell.on_ground:
        shell.ya += TWO


@compiled
def update_fireball(game: Game, stage: Stage, ball: Body) -> None:
    """Updates a fireball: it bounces on the ground and dies at walls, after the same update."""
    if ball.dead_time > 0:
        ball.leaving = 1
        return
    ball.hunting = 1
    if not go(game, stage, ball, SHOT):
        throw_back(ball)
    ball.on_ground = 0
    move_up_or_down(game, stage, ball, ball.ya)
    if ball.on_ground:
        ball.ya = np.float32(-10)
    ball.ya = ball.ya * FLAP
    ball.xa = ball.xa * FRICTION
    if not ball.on_ground:
        ball.ya += np.float32(1.5)
