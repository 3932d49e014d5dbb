"""How karts move, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.envs.kart.driving import (
    CENTRING,
    HEADING,
    LEFT,
    N_NUMBERS,
    RADIUS,
    SPEED_NOW,
    STEERING,
    TRAVELLED,
    X,
    Y,
    move,
    normal,
    uniform,
)
from dagger_cli.envs.kart.track import HALF_WIDTH
from tests.kart.karts import driver, started, straight

SLOT = np.zeros(1, np.int64)


def kart(**numbers: float) -> np.ndarray:
    row = np.zeros(N_NUMBERS)
    row[SPEED_NOW] = 12.0
    for name, value in numbers.items():
        row[{"x": X, "heading": HEADING, "steering": STEERING, "speed": SPEED_NOW}[name]] = value
    return row


def test_straight_ahead_a_step_is_sixty_centimetres():
    row = kart(heading=np.pi / 2)
    move(row, 0.0, 0.0)
    assert row[[X, Y, HEADING]] == pytest.approx([0, 0.6, np.pi / 2])


def test_full_steering_goes_round_a_circle_of_six_metres_to_the_left():
    row = kart(steering=1.0)
    places = []
    for _ in range(63):  # 2 pi 6 m in steps of 0.6 m
        places.append(row[[X, Y]].copy())
        move(row, 1.0, 0.0)
    distances = np.linalg.norm(np.array(places) - [0.0, RADIUS], axis=1)
    assert distances == pytest.approx(RADIUS, rel=0.002)
    assert row[HEADING] == pytest.approx(63 * 0.1)


def test_the_steering_goes_two_fifths_of_the_way_in_a_step_and_stays_within_its_range():
    row = kart()
    for expected in (0.4, 0.64, 0.784):
        move(row, 5.0, 0.0)
        assert row[STEERING] == pytest.approx(expected)


def test_throttle_brake_and_grip():
    row = kart()
    move(row, 0.0, 1.0)
    assert row[SPEED_NOW] == pytest.approx(12.3)
    move(row, 0.0, -0.5)
    assert row[SPEED_NOW] == pytest.approx(12.0)
    fast = kart(speed=20.0, steering=1.0)
    move(fast, 1.0, 9.0)
    assert fast[SPEED_NOW] == 20.0  # the highest
    assert fast[HEADING] == pytest.approx(0.05 * 24 / 20)  # v / R with R = v^2 / 24
    still = kart(speed=0.1)
    move(still, 0.0, -1.0)
    assert still[SPEED_NOW] == 0.0


def test_a_kart_that_leaves_the_track_falls_once_and_drives_on_from_its_middle():
    env = started(noise=0.0)
    rewards = straight(env, 60)
    fell = int(np.flatnonzero(np.array(rewards) < -0.5)[0])
    assert env.falls[0] == sum(reward < -0.5 for reward in rewards) >= 1
    env = started(noise=0.0)
    straight(env, fell)
    assert abs(env.numbers[0, LEFT]) > HALF_WIDTH - 0.6
    along = env.numbers[0, TRAVELLED]
    straight(env, 1)
    row = env.numbers[0]
    assert row[LEFT] == row[STEERING] == 0 and row[SPEED_NOW] == 12
    assert 0 < row[TRAVELLED] - along < 0.7  # a fall costs no way and gains none
    place = env.track.locate(row[None, [X, Y]])
    assert place[1][0] == pytest.approx(0, abs=0.01)
    ahead = env.observation.privileged[0]
    assert ahead[:2] == pytest.approx([0, 0], abs=0.05)  # in the middle, along the track


def test_the_return_is_exactly_minus_the_falls_and_the_potential_is_seen_on_the_way():
    env, rewards = started(noise=0.3), []
    running = True
    rng = np.random.default_rng(1)
    while running:
        steering = driver().act(env.observation, rng).actions + rng.normal(0, 1.0, (1, 1))
        step = env.step(SLOT, steering)
        rewards.append(float(step.rewards[0]))
        running = not step.ended[0]
        if running:
            edge = (env.numbers[0, LEFT] / HALF_WIDTH) ** 2
            assert sum(rewards) + env.falls[0] == pytest.approx(-CENTRING * edge, abs=1e-6)
    assert env.falls[0] > 0 and sum(rewards) == -env.falls[0]


def test_random_numbers_depend_on_seed_and_counter_and_have_mean_and_deviation():
    drawn = np.array([[uniform(s, c) for c in range(200)] for s in range(50)])
    assert len(np.unique(drawn)) == drawn.size and 0 <= drawn.min() <= drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert np.abs(np.corrcoef(drawn)[np.triu_indices(50, 1)]).max() < 0.35
    bells = np.array([normal(5, c) for c in range(4000)])
    assert (bells.mean(), bells.std()) == pytest.approx((0, 1), abs=0.05)
