"""Check of saved games, which compiled code reads without any checks of its own.

A game of a checkpoint may have been altered: a wrong slot is written to outside of the memory of
the game, and an absurd speed makes a loop endless.
"""

from __future__ import annotations

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.envs.mario.rules import Rules
from dagger_cli.envs.mario.simulator.engine import TICKS_PER_SECOND
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    FIRE_FLOWER,
    FIREBALL,
    FLOWER,
    GOOMBA,
    MARIO,
    MUSHROOM,
    SHELL,
    SPIKY,
    WINGED_SPIKY,
)
from dagger_cli.envs.mario.simulator.state import LOST, MAX_SPRITES, TILE, Array

SPRITES = [*range(GOOMBA, BULLET + 1), SPIKY, WINGED_SPIKY, FLOWER, SHELL, MUSHROOM]
KINDS = [*SPRITES, FIRE_FLOWER, FIREBALL]
FLAGS = ("paused", "large", "fire", "was_on_ground", "ducking", "can_shoot", "may_jump", "sliding")
SPRITE_FLAGS = ("winged", "on_ground", "fly_death", "carried", "leaving", "hunting")
FAST = 1000.0  # px per tick; bodies move in steps of 8 px
OUTSIDE = 1000.0  # px beyond the stage
COUNT = 2**30


def check_games(games: Array, rules: Rules) -> None:
    """Raises EnvError unless these (n,) games were started under the rules and can be continued."""
    width = TILE * rules.columns
    _check_range(games, "difficulty", rules.difficulty, rules.difficulty)
    _check_range(games, "columns", rules.columns, rules.columns)
    _check_range(games, "kind", rules.kind, rules.kind)
    limit = TICKS_PER_SECOND * rules.time_limit
    ranges = {
        "status": (0, 2),
        "time_left": (0, limit),
        "tick": (0, limit),
        "coins": (0, COUNT),
        "lives": (0, COUNT),
        "x_jump": (-FAST, FAST),
        "y_jump": (-FAST, FAST),
        "x_camera": (-OUTSIDE, width + OUTSIDE),
        "n_sprites": (1, MAX_SPRITES - 1),
        "n_added": (0, 0),
        "carried": (LOST, MAX_SPRITES - 2),
        "first_column": (-100, rules.columns + 100),
        "last_column": (-100, rules.columns + 100),
        "jump_time": (-100, 100),
        "invulnerable": (0, 100),
        "death_time": (0, 100),
        "win_time": (0, 100),
        "height": (12, 24),
        "fireballs": (0, MAX_SPRITES),
        "keys": (0, 31),
        **dict.fromkeys((*FLAGS, "overflow"), (0, 1)),
    }
    for name, (low, high) in ranges.items():
        _check_range(games, name, low, high)
    if (games["carried"] >= games["n_sprites"]).any() or (games["carried"] == 0).any():
        raise _wrong("carried")
    used = np.arange(MAX_SPRITES) < games["n_sprites"][:, None]
    _check_sprites(games["sprites"][used], rules.columns)
    if (games["sprites"]["kind"][:, 0] != MARIO).any():
        raise _wrong("sprites.kind")
    others = games["sprites"]["kind"][:, 1:][used[:, 1:]]
    if not np.isin(others, KINDS).all():
        raise _wrong("sprites.kind")


def _check_sprites(sprites: Array, columns: int) -> None:
    """Checks the sprites in use, Mario among them."""
    width = TILE * columns
    ranges = {
        "x": (-OUTSIDE, width + OUTSIDE),
        "y": (-OUTSIDE, OUTSIDE),
        "xa": (-FAST, FAST),
        "ya": (-FAST, FAST),
        "map_x": (-100, columns + 100),
        "home": (-1, width - 1),  # 16 column + row
        "timer": (0, 2**15 - 1),
        "facing": (-1, 1),
        "dead_time": (0, 100),
        **dict.fromkeys(SPRITE_FLAGS, (0, 1)),
    }
    for name, (low, high) in ranges.items():
        _check_range(sprites, name, low, high, "sprites.")


def _check_range(records: Array, name: str, low: float, high: float, place: str = "") -> None:
    values = records[name]
    if not ((values >= low) & (values <= high)).all():  # also for nan
        raise _wrong(place + name)


def _wrong(name: str) -> EnvError:
    return EnvError(f"the saved games are altered: '{name}' has a value that no game can have")
