"""One tick of the game, and its start (docs/mario_rules.md, B.4 and B.1)."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.simulator.contact import touch
from dagger_cli.envs.mario.simulator.items import rise
from dagger_cli.envs.mario.simulator.jit import compiled
from dagger_cli.envs.mario.simulator.player import set_height, update_mario
from dagger_cli.envs.mario.simulator.player_events import die
from dagger_cli.envs.mario.simulator.projectiles import apply_hits
from dagger_cli.envs.mario.simulator.spawning import SCREEN, scan
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FIRE_FLOWER,
    FIREBALL,
    FLOWER,
    MARIO,
    MUSHROOM,
    SHELL,
)
from dagger_cli.envs.mario.simulator.sprite_list import note_cell, update_list
from dagger_cli.envs.mario.simulator.state import NO_HOME, NO_SHELL, RUNNING, Body, Game, Stage
from dagger_cli.envs.mario.simulator.stationary import update_bullet, update_flower
from dagger_cli.envs.mario.simulator.walkers import (
    update_fireball,
    update_mushroom,
    update_shell,
    update_walker,
)

TICKS_PER_SECOND = 15  # of the game's own clock
FIRST_LIVES = 1024
HALF_SCREEN = np.float32(160)
MARGIN = np.float32(64)  # px outside the screen where sprites are kept
SCREEN_HEIGHT = np.float32(240)


@compiled
def begin(game: Game, time_limit: int, mode: int) -> None:
    """Puts Mario at the start of the stage of `game`; mode 0 small, 1 large, 2 fire."""
    game.status, game.time_left, game.tick = RUNNING, TICKS_PER_SECOND * time_limit, 0
    game.coins, game.lives = 0, FIRST_LIVES
    game.x_jump, game.y_jump, game.x_camera = np.float32(0), np.float32(0), np.float32(0)
    game.n_sprites, game.n_added, game.carried = 1, 0, NO_SHELL
    game.first_column, game.last_column = 0, -1
    game.jump_time, game.invulnerable, game.death_time, game.win_time = 0, 0, 0, 0
    game.fireballs, game.keys, game.paused = 0, 0, 0
    game.large, game.fire, game.overflow = int(mode > 0), int(mode > 1), 0
    game.was_on_ground, game.ducking, game.sliding = 0, 0, 0
    game.can_shoot, game.may_jump = 0, 0
    game.changed[:] = 0
    game.killed[:] = 0
    set_height(game)
    _place_mario(game.sprites[0])


@compiled
def _place_mario(mario: Body) -> None:
    mario.kind, mario.facing, mario.home = MARIO, 1, NO_HOME
    mario.x, mario.y = np.float32(32), np.float32(0)
    mario.xa, mario.ya = np.float32(0), np.float32(0)
    mario.timer, mario.winged, mario.on_ground, mario.dead_time = 0, 0, 0, 0
    mario.fly_death, mario.carried, mario.leaving, mario.hunting = 0, 0, 0, 0
    note_cell(mario)


@compiled
def tick(game: Game, stage: Stage, keys: int) -> None:
    """Advances one tick with the buttons `keys`; a finished game does not change."""
    if game.status != RUNNING:
        return
    game.keys = keys
    game.time_left -= 1
    if game.time_left == 0:
        die(game)
    _follow_mario(game, stage)
    _leave_behind(game)
    if game.paused:
        update_mario(game, stage)
    else:
        _play(game, stage)
    update_list(game)


@compiled
def _play(game: Game, stage: Stage) -> None:
    """Steps 5 to 9 of B.4; sprites are updated from the newest to Mario, the oldest."""
    game.tick += 1
    scan(game, stage)
    for slot in range(game.n_sprites - 1, 0, -1):
        sprite = game.sprites[slot]
        note_cell(sprite)
        _update(game, stage, sprite)
    update_mario(game, stage)
    for slot in range(game.n_sprites - 1, 0, -1):
        touch(game, stage, slot)
    apply_hits(game, SHELL)
    apply_hits(game, FIREBALL)


@compiled
def _update(game: Game, stage: Stage, sprite: Body) -> None:
    kind = sprite.kind
    if kind == FIREBALL:
        update_fireball(game, stage, sprite)
    elif kind == SHELL:
        update_shell(game, stage, sprite)
    elif kind == MUSHROOM:
        update_mushroom(game, stage, sprite)
    elif kind == FIRE_FLOWER:
        rise(sprite)
    elif kind == BULLET:
        update_bullet(sprite)
    elif kind == FLOWER:
        update_flower(game, sprite)
    else:
        update_walker(game, stage, sprite)


@compiled
def _follow_mario(game: Game, stage: Stage) -> None:
    """Step 2 of B.4: moves the camera, within the stage."""
    camera = game.sprites[0].x - HALF_SCREEN
    camera = max(camera, np.float32(0))
    game.x_camera = min(camera, np.float32(16 * stage.columns) - SCREEN)


@compiled
def _leave_behind(game: Game) -> None:
    """Step 3 of B.4: marks sprites far outside the screen for removal and counts fireballs."""
    fireballs = 0
    for slot in range(game.n_sprites - 1, 0, -1):
        sprite = game.sprites[slot]
        dx = sprite.x - game.x_camera
        outside = dx < -MARGIN or dx > SCREEN + MARGIN
        if outside or sprite.y < -MARGIN or sprite.y > SCREEN_HEIGHT + MARGIN:
            sprite.leaving = 1
        elif sprite.kind == FIREBALL:
            fireballs += 1
    game.fireballs = fireballs
