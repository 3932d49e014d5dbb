"""Mario as an environment: Gymnasium's checker, returns of trivial policies, feature sizes."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import dagger_cli.envs.mario.gym_env  # noqa: F401  registers it
from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.row_forms import form_of
from dagger_cli.envs.mario.env import OBSERVATIONS, MarioEnv
from dagger_cli.envs.mario.observations import paper_features as features
from dagger_cli.envs.mario.simulator.state import RUNNING
from dagger_cli.envs.mario.source import MODES, mario
from dagger_cli.policies.sparse_svm import SparseSvmLearner

LEFT, RIGHT, JUMP, SPEED = range(4)


def opened(n: int, **changes: object) -> MarioEnv:
    keys = {
        "start_mode": "small", "difficulty": 1, "stage_type": "overground", "length": 320,
        "time_limit": 60, "ticks_per_action": 3, "observation": "features",
        "failure": "unfinished", "workers": 0,
    }  # fmt: skip
    env = mario(id="mario", **{**keys, **changes}).open(n)
    env.reset(np.arange(n), np.arange(n))
    return env


def play_out(env: MarioEnv, choose) -> float:
    """The mean distance when every game is over."""
    games = env.batch.games
    while len(running := np.flatnonzero(games["status"] == RUNNING)):
        env.step(running, choose(games[running]))
    return float(env.distance.mean())


def leaping(games) -> np.ndarray:
    actions = np.zeros((len(games), 4), np.int8)
    actions[:, [RIGHT, SPEED]] = 1
    actions[:, JUMP] = (games["may_jump"] > 0) | (games["sprites"]["on_ground"][:, 0] == 0)
    return actions


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("observation", ["features", "compact"])
def test_gymnasium_s_checker_passes(observation):
    env = gymnasium.make("dagger_cli/Mario-v0", observation=observation, render_mode="rgb_array")
    check_env(env.unwrapped)
    env.reset(seed=1)
    picture = env.render()
    assert picture.dtype == np.uint8 and picture.ndim == 3 and len(np.unique(picture)) > 3


# The original's means over 150 stages: specification, part E.
MEANS = [(2, (1439, 2486, 3021)), (3, (1242, 2246, 2842)), (4, (1088, 1955, 2566))]


@pytest.mark.slow
@pytest.mark.parametrize(("ticks", "means"), MEANS)
def test_running_and_leaping_held_for_some_ticks_gets_as_far_as_in_the_original(ticks, means):
    for mode, mean in zip(MODES, means, strict=True):
        env = opened(150, start_mode=mode, ticks_per_action=ticks, observation="compact")
        standard_error = 100  # of the difference: distances scatter by about 1200 px
        assert abs(play_out(env, leaping) - mean) < 2 * standard_error


@pytest.mark.slow
def test_running_without_jumping_and_pressing_at_random_get_nowhere():
    def running(games):
        return np.tile(np.int8([0, 1, 0, 1]), (len(games), 1))

    rng = np.random.default_rng(0)

    def random(games):
        return rng.integers(0, 2, (len(games), 4), np.int8)

    for mode, runs, wanders in zip(MODES, (303, 345, 341), (190, 196, 196), strict=True):
        assert abs(play_out(opened(150, start_mode=mode), running) - runs) < 60
        assert abs(play_out(opened(150, start_mode=mode), random) - wanders) < 30


def test_a_hundred_thousand_rows_of_features_fit_in_less_than_500_megabytes():
    assert features.N_BYTES * 8 == 27152
    row = opened(1).observation.obs
    assert row.dtype == np.uint8 and row.nbytes * 100_000 < 500e6


@pytest.mark.parametrize(("observation", "most"), [("features", 1000), ("compact", 170)])
def test_rows_of_the_aggregate_are_small_and_the_same(observation, most):
    """Each image once, or eight bits in a byte: 3394 and 815 bytes as arrays."""
    env, play = opened(20, observation=observation), OBSERVATIONS[observation]
    rows = [env.observation.obs.copy()]
    for _ in range(11):
        env.step(np.arange(20), np.tile(np.int8([0, 1, 0, 0]), (20, 1)))
        rows.append(env.observation.obs.copy())
    data = Dataset(
        np.concatenate(rows), np.zeros(240, np.int64), np.ones((240, 4), np.int8), (240,)
    )
    smaller = aggregate(None, data, form=form_of(play.space, play.split))
    assert smaller.stored.nbytes <= 240 * most and np.array_equal(smaller.obs, data.obs)
    if observation == "features":
        spaces = {"observations": play.space, "actions": env.action_space}
        learner = SparseSvmLearner(**spaces, regularization=1e-4, passes=2)
        fits = [learner.fit(rows, None, np.random.default_rng(0)) for rows in (data, smaller)]
        assert fits[0].loss == fits[1].loss
        assert np.array_equal(fits[0].policy.weights, fits[1].policy.weights)
