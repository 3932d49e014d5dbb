"""Everything that walks, rolls or bounces: goombas, koopas, spikies, mushrooms, shells, fireballs.

A.7, A.10 to A.12, B.8. All share one gait: face the way one is thrown, walk until something is in
the way, turn, fall.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.deaths import count_down, fly, throw_back
from dagger_cli.envs.mario.simulator.items import rise
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.motion import move_aside, move_up_or_down
from dagger_cli.envs.mario.simulator.state import Body, Float, Game, Stage

TWO = np.float32(2)
WALK, ROLL, SHOT = np.float32(1.75), np.float32(11), np.float32(8)  # pixels per tick
FRICTION = np.float32(0.89)
FALL, FLAP = np.float32(0.85), np.float32(0.95)


@compiled
def face_the_way_it_flies(body: Body) -> None:
    """What has been thrown sideways goes on in that direction."""
    if body.xa > TWO:
        body.facing = 1
    if body.xa < -TWO:
        body.facing = -1


@compiled
def go(game: Game, stage: Stage, body: Body, speed: Float) -> bool:
    """One step sideways in the direction it faces; False where something was in the way."""
    face_the_way_it_flies(body)
    body.xa = np.float32(body.facing) * speed
    return move_aside(game, stage, body, body.xa)


@compiled
def fall(game: Game, stage: Stage, body: Body, resistance: Float) -> None:
    """The vertical half of the gait; both speeds lose their share, gravity comes after."""
    body.on_ground = 0
    move_up_or_down(game, stage, body, body.ya)
    body.ya = body.ya * resistance
    body.xa = body.xa * FRICTION


@compiled
def update_walker(game: Game, stage: Stage, walker: Body) -> None:
    """Goombas, koopas, spikies; winged ones jump as soon as they land."""
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
    """It comes out of its block, then walks."""
    if rise(mushroom):
        return
    if not go(game, stage, mushroom, WALK):
        mushroom.facing = -mushroom.facing
    fall(game, stage, mushroom, FALL)
    if not mushroom.on_ground:
        mushroom.ya += TWO


@compiled
def update_shell(game: Game, stage: Stage, shell: Body) -> None:
    """In Mario's hands, a body, at rest (facing 0) or rolling; the first and last hit others."""
    if shell.carried:
        shell.hunting = 1
        return
    if shell.dead_time > 0:
        count_down(shell)
        fly(shell)
        return
    face_the_way_it_flies(shell)
    shell.hunting = shell.facing != 0  # before the step: a block it hits may turn it
    if not go(game, stage, shell, ROLL):
        shell.facing = -shell.facing
    fall(game, stage, shell, FALL)
    if not shell.on_ground:
        shell.ya += TWO


@compiled
def update_fireball(game: Game, stage: Stage, ball: Body) -> None:
    """It bounces along the ground and dies at walls, at the end of the same update."""
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
