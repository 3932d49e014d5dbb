"""The compact observation, feature by feature."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.observations import compact
from dagger_cli.envs.mario.simulator.spawning import RELOAD
from dagger_cli.envs.mario.simulator.sprite_kinds import (
    BULLET,
    GOOMBA,
    RIGHT,
    WINGED_GOOMBA,
    WINGED_GREEN_KOOPA,
    WINGED_RED_KOOPA,
    WINGED_SPIKY,
)
from dagger_cli.envs.mario.simulator.tiles import BEHAVIOUR, SOLID, cell
from tests.mario.test_env import opened

WINGED = (WINGED_GOOMBA, WINGED_RED_KOOPA, WINGED_GREEN_KOOPA, WINGED_SPIKY)
FIRST = slice(compact.THINGS_AT, compact.THINGS_AT + compact.THING_NUMBERS)


def looked(env) -> np.ndarray:
    slots = np.arange(env.n_envs)
    compact.look(env.batch.games, env.batch.stages, slots, np.full(len(slots), RIGHT), env._obs)
    return env._obs


def test_the_window_shows_the_ground_under_mario():
    env = opened(3, observation="compact")
    for _ in range(12):  # he falls from the sky
        env.step(np.arange(3), np.zeros((3, 4), np.int8))
    rows = looked(env)
    solid = rows[:, : compact.PLANE].reshape(-1, compact.LINES, compact.COLUMNS)
    for game, stage, plane in zip(env.batch.games, env.batch.stages, solid, strict=True):
        mario = game["sprites"][0]
        left = cell(mario["x"]) - compact.BEHIND
        top = cell(mario["y"]) - compact.ABOVE
        for column in range(max(0, -left), compact.COLUMNS):
            for line in range(max(0, -top), min(compact.LINES, 15 - top)):
                tile = stage["tiles"][left + column, top + line]
                assert plane[line, column] == ((BEHAVIOUR[tile] & SOLID) != 0)
    assert solid.any(axis=(1, 2)).all()


def test_the_nearest_sprite_comes_first_with_its_place_speed_and_kind():
    env = opened(1, observation="compact")
    game = env.batch.games[0]
    mario = game["sprites"][0]
    for slot, ahead in ((1, 60), (2, 20)):
        sprite = game["sprites"][slot]
        sprite["kind"], sprite["dead_time"], sprite["carried"] = GOOMBA, 0, 0
        sprite["x"], sprite["y"], sprite["xa"] = mario["x"] + ahead, mario["y"] - 3, -1.5
        sprite["winged"], sprite["on_ground"], sprite["facing"] = 0, 1, -1
    game["n_sprites"] = 3
    row = looked(env)[0]
    assert row[FIRST][:7].tolist() == [100, 125, 208, 116, 113, 128, 0]
    assert row[FIRST][7:].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0]
    assert row[FIRST.stop] == 140  # the one that is further away
    assert not row[FIRST.stop + compact.THING_NUMBERS :].any()


def test_sprites_that_behave_differently_look_different():
    env = opened(1, observation="compact")
    game = env.batch.games[0]
    mario, sprite = game["sprites"][0], game["sprites"][1]
    game["n_sprites"] = 2
    sprite["dead_time"], sprite["carried"], sprite["timer"] = 0, 0, 7
    sprite["x"], sprite["y"] = mario["x"] + 20, mario["y"]
    seen = []
    for kinds in compact.KINDS:
        for kind in kinds:
            sprite["kind"], sprite["winged"] = kind, kind in WINGED
            seen.append(looked(env)[0, FIRST].tolist())
    flags = {tuple(row[compact.THING_MEASURES :]) for row in seen}
    assert len(flags) == sum(map(len, compact.KINDS)) - 1  # both items are worth having
    assert [row[6] for row in seen].count(7) == 1  # the flower's wait, no other's timer


def test_a_cannon_is_seen_with_the_ticks_until_its_next_bullet():
    env = opened(1, observation="compact", difficulty=8, ticks_per_action=1)
    game, column = env.batch.games[0], int(np.flatnonzero(env.batch.stages[0]["cannon_rows"])[0])
    game["sprites"][0]["x"], game["n_sprites"] = 16 * column - 60, 1
    shown = looked(env)[0, compact.THINGS_AT :].reshape(compact.NEAREST, -1)
    cannon = shown[shown[:, compact.THING_MEASURES + compact.CANNON] == 1][0]
    assert cannon[0] == 80 + 60 + 8  # the middle of its tile, in px from Mario
    wait, ticks = int(cannon[6]), 0
    assert 0 < wait < RELOAD
    while not (game["sprites"]["kind"][1 : game["n_sprites"]] == BULLET).any():
        env.step([0], np.int8([[0, 0, 0, 0]]))
        ticks += 1
        assert ticks <= RELOAD
    assert ticks == wait


def test_near_things_are_placed_to_a_quarter_of_a_pixel():
    env = opened(1, observation="compact")
    game = env.batch.games[0]
    mario, sprite = game["sprites"][0], game["sprites"][1]
    game["n_sprites"], sprite["kind"], sprite["dead_time"], sprite["carried"] = 2, GOOMBA, 0, 0
    for ahead, seen in ((10.0, 168), (10.25, 169), (-10.25, 87), (40.0, 255), (-40.0, 0)):
        sprite["x"], sprite["y"] = mario["x"] + np.float32(ahead), mario["y"]
        assert looked(env)[0, FIRST][2] == seen


def test_the_last_two_actions_are_seen_newest_first():
    env = opened(1, observation="compact")
    env.step([0], np.int8([[0, 1, 0, 1]]))
    env.step([0], np.int8([[0, 1, 1, 0]]))
    seen = env.observation.obs[0, compact.ACTIONS_AT : compact.SCALARS_AT]
    assert seen.tolist() == [0, 1, 1, 0, 0, 1, 0, 1]
