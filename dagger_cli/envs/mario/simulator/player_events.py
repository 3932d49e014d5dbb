"""Effects on Mario: hurt, power-ups, bounces, the end of the game (docs/mario_rules.md, B.5)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.blocks import take_coin
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.motion import move_up_or_down
from dagger_cli.envs.mario.simulator.sprite_kinds import HEIGHT, SPEED
from dagger_cli.envs.mario.simulator.state import DEAD, WON, Body, Game, Stage

LEAP = np.float32(-1.9)


@compiled
def die(game: Game) -> None:
    """Ends the game as lost."""
    game.paused, game.death_time, game.status = 1, 25, DEAD


@compiled
def win(game: Game) -> None:
    """Ends the game as won; later deaths in the same tick do not count."""
    game.paused, game.win_time, game.status = 1, 1, WON


@compiled
def untouchable(game: Game) -> bool:
    """Returns whether effects are disabled: after a transformation or the end of the game."""
    return game.death_time > 0 or game.paused != 0


@compiled
def transform(game: Game, large: int, fire: int) -> None:
    """Makes Mario small, large or large with fire, and pauses the world for a tick."""
    game.paused, game.large, game.fire = 1, large, fire
    game.height = 24 if large and not game.ducking else 12


@compiled
def hurt(game: Game) -> None:
    """Takes the fire or the size, or ends the game."""
    if untouchable(game) or game.invulnerable > 0:
        return
    if not game.large:
        die(game)
        return
    transform(game, game.fire, 0)
    game.invulnerable = 32


@compiled
def eat_mushroom(game: Game) -> None:
    """Makes Mario large, or gives a coin."""
    if untouchable(game):
        return
    if game.large:
        take_coin(game)
    else:
        transform(game, 1, 0)


@compiled
def pick_flower(game: Game) -> None:
    """Gives Mario fire, or a coin."""
    if untouchable(game):
        return
    if game.fire:
        take_coin(game)
    else:
        transform(game, 1, 1)


@compiled
def bounce_off(game: Game, stage: Stage, target: Body) -> None:
    """Bounces Mario from the middle of the stomped target."""
    if untouchable(game):
        return
    mario = game.sprites[0]
    middle = target.y - np.float32(HEIGHT[target.kind] // 2)
    move_up_or_down(game, stage, mario, middle - mario.y)
    game.x_jump, game.y_jump, game.jump_time = np.float32(0), LEAP, 8
    mario.ya = np.float32(8) * LEAP
    mario.on_ground, game.sliding = 0, 0
    game.invulnerable = 1


@compiled
def kick(game: Game, slot: int) -> None:
    """Kicks a shell at rest, or takes it if SPEED is held."""
    if untouchable(game):
        return
    if game.keys & SPEED:
        take(game, slot)
    else:
        game.invulnerable = 1


@compiled
def take(game: Game, slot: int) -> None:
    """Makes Mario carry a shell."""
    game.carried = slot
    game.sprites[slot].carried = 1
