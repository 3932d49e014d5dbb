"""Numbers of the original that were measured apart from this program, and our own golden ones."""

from __future__ import annotations

import hashlib
import json

import numba
import numpy as np
import pytest

from dagger_cli.envs.mario import replay
from dagger_cli.envs.mario.simulator.state import WON
from dagger_cli.envs.mario.stages.java_random import below, seed_random
from tests.mario.playing import JUMP, RIGHT_SPEED, leaping, mario, play_out, started


def test_java_random_draws_what_java_draws():
    @numba.njit
    def draw(random, n):
        seed_random(random, 42)
        return [below(random, n) for _ in range(4)]

    # new Random(42).nextInt() is -1170105035, 234785527, -1360544799, 205897768.
    unsigned = [-1170105035 % 2**32, 234785527, -1360544799 % 2**32, 205897768]
    random = np.zeros(1, np.int64)
    assert draw(random, 10) == [bits // 2 % 10 for bits in unsigned] == [0, 3, 8, 4]
    assert draw(random, 16) == [bits // 2**28 for bits in unsigned]


@pytest.mark.parametrize(
    ("difficulty", "exit_line", "templates", "flowers", "winged", "coins", "cannons"),
    [
        (0, 4310.0, 7.28, 0.25, 0, None, 0),
        (1, 4308.3, 13.36, 0.67, 0.35, 37.28, 0),
        (3, 4304.0, 21.35, 1.65, 1.69, None, 3.95),
        (5, 4301.2, 25.35, None, None, None, 8.91),
    ],
)
def test_means_of_two_thousand_stages(
    difficulty, exit_line, templates, flowers, winged, coins, cannons
):
    batch = started(2000, difficulty=difficulty)
    stages = batch.stages
    codes = stages["templates"].astype(int) - 1
    assert round(16 * stages["x_exit"].mean(), 1) == exit_line
    assert round((codes >= 0).sum() / 2000, 2) == templates
    for code, wanted in ((codes // 2 == 4, flowers), (codes % 2 == 1, winged)):
        if wanted is not None:
            assert round((code & (codes >= 0)).sum() / 2000, 2) == wanted
    for tile, wanted in ((34, coins), (14, cannons)):
        if wanted is not None:
            assert round((stages["tiles"] == tile).sum() / 2000, 2) == wanted


@pytest.mark.parametrize(("mode", "mean", "wins"), [(0, 1783, 12), (1, 2800, 30), (2, 3308, 46)])
def test_running_and_leaping_on_two_hundred_stages(mode, mean, wins):
    batch = started(200, mode=mode)
    play_out(batch, leaping)
    assert round(float(mario(batch)["x"].mean(dtype=float))) == mean
    assert round(100 * (batch.games["status"] == WON).mean()) == wins


def test_a_held_jump_gains_66_and_a_half_pixels():
    batch = started(1)
    slot = np.zeros(1, int)
    batch.advance(slot, slot, 25)
    ground = float(mario(batch)["y"][0])
    heights = []
    for _ in range(16):
        batch.advance(slot, np.array([JUMP]), 1)
        heights.append(ground - float(mario(batch)["y"][0]))
    assert max(heights) == 66.5
    assert heights[-1] == 0 and mario(batch)["on_ground"][0] == 1


def test_speeds_approach_their_limit_in_float32():
    batch = started(1, difficulty=0)
    slot = np.zeros(1, int)
    batch.advance(slot, slot, 25)
    batch.advance(slot, np.array([RIGHT_SPEED]), 1)
    assert mario(batch)["xa"][0] == np.float32(1.0680001)
    batch.advance(slot, np.array([RIGHT_SPEED]), 1)
    assert mario(batch)["xa"][0] == np.float32(2.0185201)


def test_standing_still_keeps_a_denormal_speed():
    batch = started(1, time_limit=0)
    slot = np.zeros(1, int)
    batch.games["killed"] = 0xFFFF  # nobody comes
    batch.advance(slot, slot, 900)
    smallest = np.finfo(np.float32).smallest_subnormal
    assert mario(batch)["ya"][0] == np.float32(3) * smallest
    assert mario(batch)["on_ground"][0] == 1


# (seed, difficulty, kind, mode): rows of the run, digest of all of them.
GOLDEN = {
    (1, 1, 0, 2): (131, "dd665f3f75b5b29a"),
    (2, 5, 0, 2): (140, "65eeb0439839c4bb"),
    (3, 8, 1, 1): (266, "6504cc7ce0e83df4"),
    (4, 12, 2, 0): (66, "e0e12527aba0fdeb"),
    (-5, 3, 0, 0): (56, "06240cb7ce82bff4"),
    (2**40, 5, 2, 2): (602, "75417f9f0a945a4b"),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_random_runs_are_what_the_verified_simulator_made(case):
    seed, difficulty, kind, mode = case
    rng = np.random.default_rng(abs(seed))
    actions = np.repeat(rng.choice([2, 10, 18, 26, 26, 26, 1, 9, 4, 30], 200), 3)
    rows = replay(seed, difficulty, kind, 320, 60, mode, [0, *actions.tolist()])
    digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()
    assert (len(rows), digest[:16]) == GOLDEN[case]
