"""What others do to Mario (A.6.2, B.5): hurt him, feed him, throw him up, end the game."""

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
    """The game is lost."""
    game.paused, game.death_time, game.status = 1, 25, DEAD


@compiled
def win(game: Game) -> None:
    """The game is won; later deaths in the same tick do not count."""
    game.paused, game.win_time, game.status = 1, 1, WON


@compiled
def untouchable(game: Game) -> bool:
    """After a transformation nothing more happens to him in the same tick."""
    return game.death_time > 0 or game.paused != 0


@compiled
def transform(game: Game, large: int, fire: int) -> None:
    """Become small, large or fiery; the world stands still for a tick (B.5)."""
    game.paused, game.large, game.fire = 1, large, fire
    game.height = 24 if large and not game.ducking else 12


@compiled
def hurt(game: Game) -> None:
    """Lose a power, or the game."""
    if untouchable(game) or game.invulnerable > 0:
        return
    if not game.large:
        die(game)
        return
    transform(game, game.fire, 0)
    game.invulnerable = 32


@compiled
def eat_mushroom(game: Game) -> None:
    """Grow, or take a coin."""
    if untouchable(game):
        return
    if game.large:
        take_coin(game)
    else:
        transform(game, 1, 0)


@compiled
def pick_flower(game: Game) -> None:
    """Become fiery, or take a coin."""
    if untouchable(game):
        return
    if game.fire:
        take_coin(game)
    else:
        transform(game, 1, 1)


@compiled
def bounce_off(game: Game, stage: Stage, target: Body) -> None:
    """Be thrown up from the middle of what he stamped on."""
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
    """Walk into a shell at rest: take it with SPEED held, else push it without harm."""
    if untouchable(game):
        return
    if game.keys & SPEED:
        take(game, slot)
    else:
        game.invulnerable = 1


@compiled
def take(game: Game, slot: int) -> None:
    """Carry a shell."""
    game.carried = slot
    game.sprites[slot].carried = 1
