"""The paper's binary features, each worked out a second time from the state of the game."""

from __future__ import annotations

import numpy as np

from dagger_cli.envs.mario.observations import paper_features as features
from dagger_cli.envs.mario.simulator import sprite_kinds as kinds
from dagger_cli.envs.mario.simulator.state import RUNNING
from dagger_cli.envs.mario.simulator.tiles import tile_at
from tests.mario.test_env import leaping, opened

N, STEPS = 4, 45
GROUND = {4, 9, *range(128, 132), *range(136, 148), *range(152, 160), *range(168, 176), 187, 191}
TILES = [
    GROUND, {132, 133, 134, 180, 182}, {16, 17, 18}, {21, 22}, {10, 11, 26, 27, 14, 30, 46},
    {32, 33, 34, 35},
]  # fmt: skip
SPRITES = [
    ["GOOMBA"], ["RED_KOOPA", "GREEN_KOOPA"],
    ["WINGED_GOOMBA", "WINGED_RED_KOOPA", "WINGED_GREEN_KOOPA"],
    ["SPIKY", "WINGED_SPIKY", "FLOWER"], ["BULLET"], ["SHELL"], ["MUSHROOM", "FIRE_FLOWER"],
    ["FIREBALL"],
]  # fmt: skip
KINDS = {getattr(kinds, name): 6 + i for i, names in enumerate(SPRITES) for name in names}


def image(game, stage) -> np.ndarray:
    """(22 rows, 22 columns, 14 kinds): Mario is in row 11, column 11."""
    seen, mario = np.zeros((22, 22, 14), bool), game["sprites"][0]
    left, top = int(mario["x"] / 16) - 11, int(mario["y"] / 16) - 11
    for row, column in np.ndindex(22, 22):
        if left + column >= 0 and 0 <= top + row < 15:
            tile = int(tile_at(game, stage, left + column, top + row)) % 256
            seen[row, column, :6] = [tile in some for some in TILES]
    for sprite in game["sprites"][1 : game["n_sprites"]]:
        row, column = int(sprite["y"] / 16) - top, int(sprite["x"] / 16) - left
        alive = sprite["dead_time"] == 0 and not sprite["carried"]
        if alive and sprite["kind"] in KINDS and 0 <= row < 22 and 0 <= column < 22:
            seen[row, column, KINDS[int(sprite["kind"])]] = True
    return seen


def flags(game) -> list[bool]:
    mario = game["sprites"][0]
    speed, rise = float(mario["xa"]), int(game["jump_time"])
    large, fire, ground = bool(game["large"]), bool(game["fire"]), bool(mario["on_ground"])
    falls = 0.0 if ground else float(mario["ya"])
    return [
        *(not large and not fire, large and not fire, fire, ground, bool(game["may_jump"])),
        *(game["invulnerable"] > 0, game["carried"] != -1, bool(game["can_shoot"])),
        *(mario["facing"] < 0, bool(game["sliding"]), rise > 0, rise > 2, rise > 5),
        *(speed < 0, speed > 0, abs(speed) > 4, abs(speed) > 7, abs(speed) > 9),
        *(falls < 0, falls >= 3, falls >= 8, *(mario["x"] % 16 >= px for px in (4, 8, 12))),
    ]


def test_every_feature_is_where_the_page_says():
    env, rng = opened(N, difficulty=4, start_mode="fire"), np.random.default_rng(0)
    images, pressed = [[] for _ in range(N)], [[] for _ in range(N)]
    shown = np.zeros(features.N_BYTES * 8, bool)
    for step in range(STEPS):
        bits = np.unpackbits(env.observation.obs, axis=1, bitorder="little")
        shown |= bits.any(0)
        running = np.flatnonzero(env.batch.games["status"] == RUNNING)
        for slot in running:
            game, stage = env.batch.games[slot], env.batch.stages[slot]
            images[slot].insert(0, image(game, stage))
            blank = np.zeros((22, 22, 14), bool)
            wanted = [*images[slot], blank, blank, blank][:4]
            found = bits[slot, :27104].reshape(4, 22, 22, 14)
            assert np.array_equal(found, wanted), (step, slot)
            acted = [*pressed[slot], *np.zeros((6, 4))][:6]
            assert np.array_equal(bits[slot, 27104:27128].reshape(6, 4), acted)
            assert bits[slot, 27128:].tolist() == flags(game), (step, slot)
        actions = leaping(env.batch.games)
        actions[rng.random(N) < 0.3] = rng.integers(0, 2, 4)
        env.step(running, actions[running])
        for slot in running:
            pressed[slot].insert(0, actions[slot])
    # Nearly all kinds and flags were seen, so that the comparison says something of them.
    assert shown[:27104].reshape(4, -1, 14).any((0, 1)).sum() >= 11 and shown[27128:].sum() >= 20
