"""Contacts of Mario with other sprites (docs/mario_rules.md, A.7 to A.12, B.8)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.deaths import drop_dead, never_return
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.player_events import (
    bounce_off,
    eat_mushroom,
    hurt,
    kick,
    pick_flower,
    take,
    untouchable,
)
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FIRE_FLOWER,
    FIREBALL,
    FLOWER,
    GREEN_KOOPA,
    HEIGHT,
    MUSHROOM,
    RED_KOOPA,
    SHELL,
    SPEED,
    SPIKY,
    WINGED_SPIKY,
)
from dagger_cli.envs.mario.simulator.sprite_list import add
from dagger_cli.envs.mario.simulator.state import Body, Game, Stage
from dagger_cli.envs.mario.simulator.walkers import update_shell

WALKER_REACH, FLOWER_REACH, REACH = np.float32(12), np.float32(8), np.float32(16)


@compiled
def touch(game: Game, stage: Stage, slot: int) -> None:
    """Applies the effects of Mario's contact with a sprite in this tick, if there is one."""
    sprite = game.sprites[slot]
    kind = sprite.kind
    if kind == FIREBALL or sprite.dead_time != 0 or sprite.carried or not _meets(game, sprite):
        return
    if kind == MUSHROOM:
        eat_mushroom(game)
        sprite.leaving = 1
    elif kind == FIRE_FLOWER:
        pick_flower(game)
        sprite.leaving = 1
    elif kind == SHELL:
        _touch_shell(game, stage, slot)
    elif kind in (SPIKY, WINGED_SPIKY, FLOWER) or not _comes_from_above(game, sprite):
        hurt(game)
    elif kind == BULLET:
        bounce_off(game, stage, sprite)
        drop_dead(sprite)
    else:
        _stomp(game, stage, sprite)


@compiled
def _meets(game: Game, sprite: Body) -> bool:
    mario = game.sprites[0]
    dx, dy = mario.x - sprite.x, mario.y - sprite.y
    kind = sprite.kind
    reach = WALKER_REACH
    if kind == FLOWER:
        reach = FLOWER_REACH
    elif kind in (BULLET, SHELL, MUSHROOM, FIRE_FLOWER):
        reach = REACH
    near = -reach < dx and dx < reach
    return near and -np.float32(HEIGHT[kind]) < dy and dy < np.float32(game.height)


@compiled
def _comes_from_above(game: Game, sprite: Body) -> bool:
    mario = game.sprites[0]
    walks = mario.on_ground and game.was_on_ground
    return mario.ya > np.float32(0) and mario.y - sprite.y <= np.float32(0) and not walks


@compiled
def _stomp(game: Game, stage: Stage, walker: Body) -> None:
    """Winged walkers lose their wings, koopas leave a shell without a template."""
    bounce_off(game, stage, walker)
    if walker.winged:
        walker.winged = 0
        walker.ya = np.float32(0)
        return
    walker.dead_time = 10
    never_return(game, walker)
    if RED_KOOPA <= walker.kind <= GREEN_KOOPA + 1:
        slot = add(game, SHELL, walker.x, walker.y, 0)
        shell = game.sprites[slot]
        shell.ya = np.float32(-5)
        update_shell(game, stage, shell)


@compiled
def _touch_shell(game: Game, stage: Stage, slot: int) -> None:
    """From above it stops, starts or is taken; from the side it is kicked or hurts Mario."""
    shell = game.sprites[slot]
    if _comes_from_above(game, shell):
        if not (game.keys & SPEED and shell.facing == 0):
            bounce_off(game, stage, shell)
        elif not untouchable(game):
            take(game, slot)
        if shell.facing == 0:
            shell.facing = game.sprites[0].facing
        else:
            shell.xa, shell.facing = np.float32(0), 0
    elif shell.facing == 0:
        kick(game, slot)
        shell.facing = game.sprites[0].facing
    else:
        hurt(game)
