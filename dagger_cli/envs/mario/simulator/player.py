"""Mario's update (docs/mario_rules.md, B.6)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.motion import move_aside, move_up_or_down
from dagger_cli.envs.mario.simulator.player_events import die, win
from dagger_cli.envs.mario.simulator.sprite_kinds import DOWN, FIREBALL, JUMP, LEFT, RIGHT, SPEED
from dagger_cli.envs.mario.simulator.sprite_list import add
from dagger_cli.envs.mario.simulator.state import NO_SHELL, ROWS, TILE, Body, Game, Stage
from dagger_cli.envs.mario.simulator.walkers import face_motion, update_fireball

ZERO = np.float32(0)
WALK, RUN = np.float32(0.6), np.float32(1.2)  # px per tick, per tick
LEAP, WALL_LEAP = np.float32(-1.9), np.float32(-2)
SLOWEST = np.float32(0.5)
FRICTION, RESISTANCE, GRAVITY = np.float32(0.89), np.float32(0.85), np.float32(3)


@compiled
def update_mario(game: Game, stage: Stage) -> None:
    """Updates Mario for one tick with the buttons `game.keys`."""
    mario = game.sprites[0]
    if game.win_time > 0 or game.death_time > 0:
        _after_the_end(game, mario)
        return
    _look(game, mario)
    _jump(game, mario)
    _walk(game, mario)
    _shoot(game, stage, mario)
    game.paused = 0
    speed_held, jump_held = game.keys & SPEED, game.keys & JUMP
    game.can_shoot = not speed_held
    game.may_jump = (mario.on_ground or game.sliding) and not jump_held
    if abs(mario.xa) < SLOWEST:
        mario.xa = ZERO
    set_height(game)
    if game.sliding:
        mario.ya = mario.ya * SLOWEST
    mario.on_ground = 0
    move_aside(game, stage, mario, mario.xa)
    move_up_or_down(game, stage, mario, mario.ya)
    _borders(game, stage, mario)
    mario.ya = mario.ya * RESISTANCE
    mario.xa = mario.xa * FRICTION
    if not mario.on_ground:
        mario.ya = mario.ya + GRAVITY
    _carry(game, mario)


@compiled
def set_height(game: Game) -> None:
    """Sets Mario's height: 24 px, or 12 if he is small or ducks."""
    game.height = 24 if game.large and not game.ducking else 12


@compiled
def _after_the_end(game: Game, mario: Body) -> None:
    """Step 0: he stands still after a win, and falls off the screen after a death."""
    if game.win_time > 0:
        game.win_time += 1
        mario.xa, mario.ya = ZERO, ZERO
        return
    game.death_time += 1
    if game.death_time < 11:
        mario.xa, mario.ya = ZERO, ZERO
    elif game.death_time == 11:
        mario.ya = np.float32(-15)
    else:
        mario.ya = mario.ya + np.float32(2)
    mario.x = mario.x + mario.xa
    mario.y = mario.y + mario.ya


@compiled
def _look(game: Game, mario: Body) -> None:
    """Step 1: countdown, ducking, facing."""
    if game.invulnerable > 0:
        game.invulnerable -= 1
    game.was_on_ground = mario.on_ground
    if mario.on_ground:
        game.ducking = (game.keys & DOWN) != 0 and game.large != 0
    face_motion(mario)


@compiled
def _jump(game: Game, mario: Body) -> None:
    """Step 2: he rises while JUMP is held; a wall jump continues by itself."""
    from_wall = game.jump_time < 0 and not mario.on_ground and not game.sliding
    if not (game.keys & JUMP or from_wall):
        game.jump_time = 0
    elif game.jump_time < 0:
        mario.xa = game.x_jump
        mario.ya = np.float32(-game.jump_time) * game.y_jump
        game.jump_time += 1
    elif mario.on_ground and game.may_jump:
        game.x_jump, game.y_jump, game.jump_time = ZERO, LEAP, 7
        mario.ya = np.float32(7) * LEAP
        mario.on_ground, game.sliding = 0, 0
    elif game.sliding and game.may_jump:
        game.x_jump, game.y_jump = np.float32(-6 * mario.facing), WALL_LEAP
        game.jump_time = -6
        mario.xa = game.x_jump
        mario.ya = np.float32(6) * WALL_LEAP
        mario.on_ground, game.sliding = 0, 0
        mario.facing = -mario.facing
    elif game.jump_time > 0:
        mario.xa = mario.xa + game.x_jump
        mario.ya = np.float32(game.jump_time) * game.y_jump
        game.jump_time -= 1


@compiled
def _walk(game: Game, mario: Body) -> None:
    """Steps 3 and 4: with both directions held they cancel, and he faces right."""
    gain = RUN if game.keys & SPEED else WALK
    left = game.keys & LEFT and not game.ducking
    right = game.keys & RIGHT and not game.ducking
    if left:
        if mario.facing == 1:
            game.sliding = 0
        mario.xa = mario.xa - gain
        if game.jump_time >= 0:
            mario.facing = -1
    if right:
        if mario.facing == -1:
            game.sliding = 0
        mario.xa = mario.xa + gain
        if game.jump_time >= 0:
            mario.facing = 1
    if not (left or right) or mario.ya < ZERO or mario.on_ground:
        game.sliding = 0


@compiled
def _shoot(game: Game, stage: Stage, mario: Body) -> None:
    """Step 5: a fireball, if SPEED is newly pressed and fewer than two fly."""
    if game.keys & SPEED and game.can_shoot and game.fire and game.fireballs < 2:
        x = mario.x + np.float32(6 * mario.facing)
        slot = add(game, FIREBALL, x, mario.y - np.float32(20), mario.facing)
        ball = game.sprites[slot]
        ball.ya = np.float32(4)
        update_fireball(game, stage, ball)


@compiled
def _borders(game: Game, stage: Stage, mario: Body) -> None:
    """Step 8: the pit, the left border, the exit, the right border."""
    exit_line = np.float32(stage.x_exit * TILE)
    right_end = np.float32(stage.columns * TILE)
    if mario.y > np.float32(ROWS * TILE + TILE):
        die(game)
    if mario.x < ZERO:
        mario.x, mario.xa = ZERO, ZERO
    if mario.x > exit_line:
        mario.x = exit_line
        win(game)
    if mario.x > right_end:
        mario.x, mario.xa = right_end, ZERO


@compiled
def _carry(game: Game, mario: Body) -> None:
    """Step 10: a carried shell moves with him until SPEED is released."""
    if game.carried == NO_SHELL:
        return
    held = (game.keys & SPEED) != 0
    if game.carried > 0:
        shell = game.sprites[game.carried]
        shell.x = mario.x + np.float32(8 * mario.facing)
        shell.y = mario.y - np.float32(2)
        if not held:
            shell.carried = 0
            shell.facing = mario.facing
            shell.x = shell.x + np.float32(8 * shell.facing)
    if not held:
        game.carried = NO_SHELL
