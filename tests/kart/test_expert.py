"""The controller: it never falls, and its steering is pure pursuit worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Observation, Space
from dagger_cli.envs.kart import driving
from dagger_cli.experts import kart_controller
from dagger_cli.experts.kart_controller import KartController
from dagger_cli.loop.evaluate import evaluate
from tests.kart.karts import driver, source


def seen(points: np.ndarray, speed: float = 12.0) -> Observation:
    row = np.concatenate([[0.0, 0.0, speed], points.ravel()])[None]
    return Observation(np.zeros((1, 3)), np.zeros(1, np.int64), row)


def on_circle(radius: float) -> np.ndarray:
    """Points every 2 m on a circle to the left."""
    angles = 2.0 * np.arange(1, 11) / radius
    return radius * np.stack([np.sin(angles), 1 - np.cos(angles)], axis=1)


def actions(observation: Observation, throttle: bool = False) -> np.ndarray:
    return driver(throttle).act(observation, np.random.default_rng(0)).actions[0]


@pytest.mark.parametrize("radius", [8.0, 12.0, 50.0])
def test_on_the_line_it_steers_as_much_as_the_circle_needs(radius):
    assert actions(seen(on_circle(radius)))[0] == pytest.approx(6 / radius, rel=0.05)
    mirrored = on_circle(radius) * [1, -1]
    assert actions(seen(mirrored))[0] == pytest.approx(-6 / radius, rel=0.05)


def test_on_a_straight_it_steers_back_to_the_middle_and_accelerates():
    straight = np.stack([2.0 * np.arange(1, 11), np.full(10, -1.0)], axis=1)
    steering, throttle = actions(seen(straight), throttle=True)
    assert steering == pytest.approx(6 * 2 * -1 / 26, rel=1e-6)  # the point 5 m ahead, 1 m aside
    assert throttle == 1
    slow = actions(seen(on_circle(8.0), speed=10.0), throttle=True)[1]
    assert slow == pytest.approx(0.5 * (0.8 * np.sqrt(24 * 8) - 10), rel=1e-4)
    fast = actions(seen(on_circle(8.0), speed=20.0), throttle=True)
    assert fast[1] == -1 and fast[0] == 1  # brakes; the tyres cannot hold more


def test_its_constants_are_those_of_the_karts():
    names = ("EVERY", "RADIUS", "GRIP")
    assert [getattr(kart_controller, n) for n in names] == [getattr(driving, n) for n in names]


@pytest.mark.parametrize(
    "track", [0, *(pytest.param(track, marks=pytest.mark.slow) for track in (1, 2, 3, 2011))]
)
@pytest.mark.parametrize("throttle", [False, True])
def test_it_never_falls_in_twenty_laps(track, throttle):
    made = source(track=track, throttle=throttle)
    score = evaluate(made.open(20), driver(throttle), range(20), np.random.default_rng(0))
    assert score.failures == 0 and (score.lengths < 1200).all()
    assert throttle or (score.returns == 0).all()


def test_with_throttle_it_is_faster():
    scores = [
        evaluate(source(throttle=t).open(2), driver(t), range(2), np.random.default_rng(0))
        for t in (False, True)
    ]
    assert scores[1].lengths.mean() < 0.8 * scores[0].lengths.mean()


@pytest.mark.parametrize(("ahead", "caution"), [(1.0, 0.8), (17.0, 0.8), (5.0, 0.0), (5.0, 1.1)])
def test_bad_values_are_refused(ahead, caution):
    with pytest.raises(ConfigError, match=r"expert\.(ahead|caution) must be in"):
        KartController(ahead=ahead, caution=caution)


def test_other_environments_are_refused():
    expert = KartController(ahead=5.0, caution=0.8)
    box = Space("box", (4,), "float32", (-1.0,) * 4, (1.0,) * 4)
    with pytest.raises(ExpertError, match="steers karts, not 'Pendulum-v1'"):
        expert.load("Pendulum-v1", box, Space("discrete", (), "int64", sizes=(2,)))
    with pytest.raises(ExpertError, match="needs the track ahead"):
        one = Space("box", (1,), "float32", (-2.0,), (2.0,))
        loaded = expert.load("Pendulum-v1", box, one)
        loaded.act(Observation(np.zeros((1, 4)), np.zeros(1)), np.random.default_rng(0))
