"""What Mario does with a shell, worked by hand on games whose sprites were put in place."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.batch import Batch
from dagger_cli.envs.mario.simulator.sprite_kinds import GOOMBA, SHELL, SPEED
from dagger_cli.envs.mario.simulator.state import LOST, NO_SHELL
from tests.mario.playing import mario, started

SLOT = np.zeros(1, int)


def standing(mode: int = 2) -> Batch:
    """Mario on the ground at the beginning of a stage where nobody comes."""
    batch = started(1, mode=mode)
    batch.games["killed"] = 0xFFFF
    batch.advance(SLOT, SLOT, 25)
    return batch


def place(batch: Batch, kind: int, dx: float, dy: float = 0) -> np.ndarray:
    """A sprite beside Mario; returns its record."""
    game = batch.games[0]
    sprite = game["sprites"][game["n_sprites"] : game["n_sprites"] + 1]
    sprite[:] = np.zeros(1, sprite.dtype)
    sprite["kind"], sprite["home"] = kind, -1
    sprite["x"], sprite["y"] = mario(batch)["x"] + dx, mario(batch)["y"] + dy
    game["n_sprites"] += 1
    batch.games[0] = game
    return batch.games[0:1]["sprites"][0, 1:2]


def press(batch: Batch, keys: int, ticks: int = 1) -> None:
    batch.advance(SLOT, np.array([keys]), ticks)


def test_a_kicked_shell_rolls_away_at_eleven_pixels_a_tick():
    batch = standing()
    shell = place(batch, SHELL, 6)
    press(batch, 0)
    assert shell["facing"][0] == 1 and batch.games["invulnerable"][0] == 1
    x = shell["x"][0]
    press(batch, 0)
    assert shell["x"][0] - x == 11


def test_a_shell_is_carried_while_speed_is_held():
    batch = standing(mode=0)
    shell = place(batch, SHELL, 6)
    press(batch, SPEED, 5)
    assert batch.games["carried"][0] == 1 and shell["carried"][0] == 1
    assert shell["x"][0] == mario(batch)["x"][0] + 8 and shell["y"][0] == mario(batch)["y"][0] - 2
    press(batch, 0)
    assert batch.games["carried"][0] == NO_SHELL
    assert shell["x"][0] == mario(batch)["x"][0] + 16


def test_a_shell_that_leaves_the_screen_in_his_hands_still_fills_them():
    batch = standing(mode=0)
    place(batch, SHELL, 6)
    press(batch, SPEED, 2)
    mario(batch)["y"] = -90
    press(batch, SPEED, 2)
    assert batch.games["n_sprites"][0] == 1 and batch.games["carried"][0] == LOST
    press(batch, 0)
    assert batch.games["carried"][0] == NO_SHELL


def test_a_goomba_hurts_from_the_side_and_the_world_stands_still_for_a_tick():
    batch = standing(mode=2)
    goomba = place(batch, GOOMBA, 10)
    goomba["facing"] = -1
    press(batch, 0)
    game = batch.games
    assert game["paused"][0] == 1 and game["large"][0] == 1 and game["fire"][0] == 0
    assert game["invulnerable"][0] == 32
    ticks, x = game["tick"][0], goomba["x"][0].copy()
    press(batch, 0)
    assert game["tick"][0] == ticks and goomba["x"][0] == x and game["paused"][0] == 0
    press(batch, 0)
    assert game["tick"][0] == ticks + 1 and goomba["x"][0] != x


def test_a_stamped_goomba_lies_about_for_ten_ticks():
    batch = standing(mode=0)
    goomba = place(batch, GOOMBA, 0)
    mario(batch)["y"] -= 14
    mario(batch)["ya"], mario(batch)["on_ground"] = 3, 0
    press(batch, 0)
    assert batch.games["status"][0] == 2 and goomba["dead_time"][0] == 10
    assert mario(batch)["ya"][0] < 0
    press(batch, 0, 9)
    assert batch.games["n_sprites"][0] == 2
    press(batch, 0)
    assert batch.games["n_sprites"][0] == 1
