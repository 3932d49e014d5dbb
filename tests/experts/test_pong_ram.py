"""The player of Pong that reads the console's memory: its model of the game, and what it wins."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Observation
from dagger_cli.envs.atari import atari
from dagger_cli.experts import pong_ram
from dagger_cli.experts.pong_ram import DIRECTIONS, DOWN, STAY, UP, PongRam
from dagger_cli.loop.evaluate import evaluate

PICTURE = np.full((1, 84, 84), pong_ram.GREY, np.uint8)


def memory(**bytes_of) -> np.ndarray:
    """A memory with a level ball 24 frames before the paddle, which rests where it meets it."""
    ram = np.zeros((1, 128), np.uint8)
    known = {"BALL_X": 164, "BALL_Y": 100, "PADDLE": 87, "NEXT": 87, "KNOB": 87,
             "SPEED_X": 255, "SPEED_Y": 0, "FRAME": 42, **bytes_of}  # fmt: skip
    for name, value in known.items():
        ram[0, getattr(pong_ram, name)] = value % 256
    return ram


def opened(hidden="ram", steps=None):
    pytest.importorskip("envpool", reason="EnvPool is not installed")
    return atari(
        game="pong", imports=None, kwargs={}, max_episode_steps=steps, fresh_simulator=False,
        workers=1, backend="auto", failure="none", hidden=hidden,
    )  # fmt: skip


def played(episodes, steps=None):
    source = opened(steps=steps)
    expert = PongRam().load(source.id, source.observation_space, source.action_space)
    with closing(source.open(4)) as env:
        return evaluate(env, expert, range(1000, 1000 + episodes), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("given", "action"),
    [
        ({}, STAY),
        ({"BALL_Y": 120}, DOWN),
        ({"BALL_Y": 80}, UP),
        ({"BALL_Y": 80, "BALL_X": 139}, STAY),  # 49 frames before: too early
        ({"BALL_Y": 80, "SPEED_X": 1}, STAY),  # away
        ({"BALL_Y": 0}, STAY),  # before the serve
        ({"BALL_Y": 80, "BALL_X": 189}, STAY),  # too late
    ],
)
def test_it_moves_to_where_the_ball_comes(given, action):
    assert pong_ram.actions(memory(**given), PICTURE).tolist() == [action]


@pytest.mark.parametrize(
    ("y", "speed", "heights"),
    [(47, -2, [45, 48, 50]), (46, -1, [45, 47, 48]), (205, 2, [207, 204, 202])],
)
def test_walls_reflect_the_ball_as_recorded(y, speed, heights):
    for frames, height in enumerate(heights, 1):
        ram = memory(BALL_Y=y, SPEED_Y=speed).astype(np.int64)
        assert pong_ram._height(ram, np.array([frames])).tolist() == [height]


def test_the_paddle_moves_as_recorded():
    """An action down from rest: places in frames 2 to 18 of EnvPool's game, to 2 pixels."""
    ram = memory(PADDLE=109, NEXT=109, KNOB=110, FRAME=44).astype(np.int64)
    sequence = DIRECTIONS.tolist().index([1, 0, 0, 0, 0])
    recorded = {2: 109, 3: 114, 5: 123, 7: 127, 9: 129, 11: 130}
    for frames, place in recorded.items():
        places = pong_ram._places(ram, np.array([110]), np.array([frames]))
        assert places[0, sequence] == pytest.approx(place, abs=2)


def test_the_edge_that_beats_the_other_player():
    balls = np.array([46, 100, 140, 180])
    met = balls - pong_ram._wanted(balls)
    assert met.tolist() == [pong_ram.UPPER, pong_ram.LOWER, pong_ram.UPPER, pong_ram.LOWER]


@pytest.mark.parametrize(("moved", "knob"), [(0, 100), (-4, 96), (8, 114)])
def test_in_odd_frames_the_picture_shows_the_knob(moved, knob):
    """The last motion was half of the way; from 5 pixels on the knob is still being turned."""
    screen = np.full(210, float(pong_ram.GREY))
    upper = sorted((100 - moved, 100))
    screen[upper[0] - 14 : upper[1] - 14 + 16] += pong_ram.BRIGHTER
    picture = PICTURE.copy()
    picture[0] = np.rint(screen.reshape(42, 5).repeat(2, 1).reshape(84, 5).mean(1))[:, None]
    ram = memory(PADDLE=100, NEXT=100, FRAME=43).astype(np.int64)
    assert pong_ram._knob(ram, picture)[0] == pytest.approx(knob, abs=2)


def test_rows_do_not_depend_on_each_other():
    rng = np.random.default_rng(0)
    rams = rng.integers(0, 256, (50, 128)).astype(np.uint8)
    rams[:, pong_ram.BALL_X] = rng.integers(140, 188, 50)
    pictures = rng.integers(0, 256, (50, 84, 84)).astype(np.uint8)
    alone = [pong_ram.actions(rams[k : k + 1], pictures[k : k + 1])[0] for k in range(50)]
    np.testing.assert_array_equal(pong_ram.actions(rams, pictures), alone)
    assert set(alone) == {STAY, UP, DOWN}


def test_other_games_and_hidden_memories_are_refused():
    source = opened(hidden=None)
    with pytest.raises(ExpertError, match=r"plays Pong, not 'CartPole-v1'"):
        PongRam().load("CartPole-v1", source.observation_space, source.action_space)
    with pytest.raises(ExpertError, match=r"needs the 6 actions .* has \(18,\) and \(4, 84, 84\)"):
        many = replace(source.action_space, sizes=(18,))
        PongRam().load(source.id, source.observation_space, many)
    expert = PongRam().load(source.id, source.observation_space, source.action_space)
    seen = Observation(np.zeros((1, 4, 84, 84), np.uint8), np.zeros(1, np.int64))
    with pytest.raises(ExpertError, match=r"needs .* env\.hidden=ram"):
        expert.act(seen, np.random.default_rng(0))


@pytest.mark.slow
def test_it_wins_the_first_points():
    assert played(4, steps=400).returns.min() >= 2


@pytest.mark.slow
def test_it_wins_every_point_but_a_few():
    assert played(4).returns.min() >= 19
