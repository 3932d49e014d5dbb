"""Karts as an environment: starts, seeds, snapshots, batches, bad values, pictures."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as check_gymnasium

import dagger_cli.envs.kart.gym_env  # noqa: F401  registers it
from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.envs.kart.driving import PLACE, SHADOWS_X, SKY, X
from dagger_cli.envs.kart.picture import HEIGHT, WIDTH, picture
from dagger_cli.testing import check_env
from tests.kart.karts import driver, source, started

SLOT = np.zeros(1, np.int64)


@pytest.mark.parametrize("changes", [{}, {"throttle": True}, {"observation": "pixels"}])
def test_the_contract_of_environments(changes):
    check_env(source(max_steps=30, **changes).open)


def test_an_episode_does_not_depend_on_its_batch():
    alone, many = started(1, first=5), started(7)
    actions = np.random.default_rng(0).uniform(-1, 1, (120, 1, 1))
    for action in actions:
        steps = alone.step(SLOT, action), many.step(SLOT + 5, action)
        assert steps[0].rewards == steps[1].rewards
    assert np.array_equal(alone.numbers[0], many.numbers[5])
    assert np.array_equal(alone.observation.obs[0], many.observation.obs[5])
    assert np.array_equal(alone.observation.privileged[0], many.observation.privileged[5])


def test_seeds_give_the_place_the_sky_the_shadows_and_the_noise():
    env = started(50)
    assert len(np.unique(env.counts[:, PLACE])) > 45
    for column in (X, SKY, SHADOWS_X):
        assert len(np.unique(env.numbers[:, column])) == 50
    quiet, noisy = started(2, noise=0.0), started(2, noise=0.2)
    both = np.arange(2)
    for env in (quiet, noisy):
        env.step(both, np.zeros((2, 1)))
    assert not np.array_equal(quiet.numbers, noisy.numbers)


def test_a_lap_ends_after_the_length_of_the_track_or_is_cut_off():
    env, expert, rng = started(), driver(), np.random.default_rng(0)
    step = env.step(SLOT, expert.act(env.observation, rng).actions)
    while not step.ended[0]:
        step = env.step(SLOT, expert.act(env.observation, rng).actions)
    assert step.terminated[0] and not step.truncated[0] and not step.failed[0]
    assert env.observation.t[0] == pytest.approx(env.track.length / 0.6, rel=0.03)
    short = started(max_steps=3, failure="unfinished")
    ends = [short.step(SLOT, np.zeros((1, 1))) for _ in range(3)]
    assert [bool(end.truncated[0]) for end in ends] == [False, False, True]
    assert ends[-1].failed[0] and not ends[-1].terminated[0]


def test_with_throttle_every_step_costs_a_1024th():
    env = started(throttle=True, max_steps=3)
    total = sum(env.step(SLOT, np.zeros((1, 2))).rewards[0] for _ in range(3))
    assert total == -3 / 1024


def test_a_snapshot_of_another_batch_and_altered_ones_are_refused():
    env, saved = started(2), started(3).snapshot()
    with pytest.raises(EnvError, match="do not fit this environment"):
        env.restore(saved)
    for name, place, value in (
        ("numbers", (0, X), np.nan),
        ("numbers", (0, X), 1e4),
        ("counts", (1, PLACE), 10**6),
        ("counts", (1, PLACE), -1),
    ):
        altered = {key: array.copy() for key, array in env.snapshot().items()}
        altered[name][place] = value
        with pytest.raises(EnvError, match="altered"):
            env.restore(altered)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"observation": "rgb"}, r"env.observation must be one of lab, pixels; got 'rgb'"),
        ({"failure": "late"}, r"env.failure must be one of fall, unfinished; got 'late'"),
        ({"noise": -0.1}, r"env.noise must be in \[0, 1\], got -0.1"),
        ({"noise": float("nan")}, r"env.noise must be in"),
        ({"max_steps": 0}, r"env.max_steps must be at least 1, got 0"),
        ({"track": -5}, r"env.track must be in .*, got -5"),
    ],
)
def test_bad_values_are_refused(changes, words):
    with pytest.raises(ConfigError, match=words):
        source(**changes)


@pytest.mark.parametrize("actions", [np.zeros((1, 2)), np.zeros(1), np.full((1, 1), np.nan)])
def test_wrong_actions_are_refused(actions):
    with pytest.raises(EnvError, match=r"actions must be \(1, 1\) finite numbers"):
        started().step(SLOT, actions)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("observation", ["lab", "pixels"])
def test_gymnasium_s_checker_passes(observation):
    env = gymnasium.make("dagger_cli/Kart-v0", observation=observation)
    check_gymnasium(env.unwrapped, skip_render_check=True)
    _, info = env.reset(seed=1)
    assert info["falls"] == 0 and info["track_ahead"].shape == (23,)


def test_the_picture_shows_the_kart_in_the_middle_and_the_driver_s_view_in_the_corner():
    env = started()
    image = picture(env)
    assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
    red = (image[240:320, 270:370].astype(int) @ [1, -1, -1]) > 100
    assert red.mean() > 0.05  # the kart
    corner = image[12:100, 12:130]
    assert len(np.unique(corner.reshape(-1, 3), axis=0)) < 480  # large pixels
    other = picture(started(1, observation="pixels"))
    assert np.array_equal(image[150:], other[150:])
