"""EnvPool's twins are the environments that Gymnasium has, and play by the same rules here."""

import dataclasses
import os
import re
import sys

import gymnasium
import numpy as np
import pytest
from omegaconf import OmegaConf

from dagger_cli.core.errors import EnvError
from dagger_cli.envs import envpool_engine as pool
from dagger_cli.envs.envpool_engine import PoolEngine
from dagger_cli.envs.envpool_twins import TWINS, check_twin
from dagger_cli.experts.bundled import Bundled
from dagger_cli.loop.evaluate import evaluate

from .helpers import act_all, actor, drive, source
from .test_conf import FILES

pytest.importorskip("envpool", reason="EnvPool is not installed")

MUJOCO = re.compile("HalfCheetah|Hopper|Walker2d|Swimmer|Ant|Humanoid")  # test_mujoco_twins.py
CONFIGS = [OmegaConf.load(path) for path in FILES]
HERE = [env_id for env_id in TWINS if not MUJOCO.match(env_id)]
FAILURES = {c.id: c.failure for c in CONFIGS if "version" not in c and c.get("id") in HERE}
EXPERT_EPISODES = {"BipedalWalker-v3": 10, "LunarLander-v3": 20, "LunarLanderContinuous-v3": 20}


def both(env_id, **changes):
    return [source(env_id, backend=b, **changes) for b in ("gymnasium", "envpool")]


@pytest.fixture(params=HERE)
def env_id(request):
    return request.param


def test_every_tested_twin_is_an_option_and_auto_takes_it(env_id):
    assert env_id in FAILURES
    assert source(env_id, backend="auto").chosen == "envpool"


def test_the_same_spaces_and_the_same_limit(env_id):
    import envpool

    for env_source in both(env_id):
        env = env_source.open(1)
        env.reset(np.array([0]), np.array([0]))
        assert env.observation.obs.shape == (1, *env_source.observation_space.shape)
        assert env.observation.obs.dtype == env_source.observation_space.dtype
        env.close()
    limit = gymnasium.spec(env_id).max_episode_steps
    assert envpool.make_spec(env_id).config.max_episode_steps == limit


def test_a_limit_of_our_own_truncates_where_gymnasium_does(env_id):
    for env_source in both(env_id, max_episode_steps=6):
        env = env_source.open(2)
        slots, actors = np.arange(2), [actor(env.action_space, s) for s in range(2)]
        env.reset(slots, slots)
        steps = [env.step(slots, act_all(actors, slots)) for _ in range(6)]
        assert not any(step.ended.any() for step in steps[:-1])
        assert steps[-1].truncated.all() and not steps[-1].terminated.any()
        env.close()


def test_episodes_start_alike(env_id):
    """Means and deviations of the first observation over 100 seeds, within 5 standard errors."""
    starts = []
    for env_source in both(env_id):
        env = env_source.open(20)
        slots, rows = np.arange(20), []
        for k in range(5):
            env.reset(slots, slots + 20 * k)
            rows.append(env.observation.obs.astype(np.float64))
        starts.append(np.concatenate(rows))
        env.close()
    a, b = starts
    noise = 5 * np.sqrt((a.var(0) + b.var(0)) / 100) + 1e-4
    assert (abs(a.mean(0) - b.mean(0)) < noise).all()
    assert (abs(a.std(0) - b.std(0)) < noise).all()


EXPERTS = [
    *(e for e in HERE if not e.startswith("Bipedal")),
    pytest.param("BipedalWalker-v3", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("env_id", EXPERTS)
@pytest.mark.slow
def test_an_expert_scores_the_same(env_id):
    """Returns and lengths within 4 standard errors of each other, and bad ends alike."""
    episodes = EXPERT_EPISODES.get(env_id, 40)
    scores = []
    for env_source in both(env_id, failure=FAILURES[env_id], workers=1):
        spaces = env_source.observation_space, env_source.action_space
        expert = Bundled(deterministic=True).load(env_id, *spaces)
        env = env_source.open(episodes)
        scores.append(evaluate(env, expert, range(episodes), np.random.default_rng(0)))
        env.close()
    a, b = scores
    assert abs(a.mean - b.mean) < 4 * (a.stderr + b.stderr) + 0.01 * abs(a.mean)
    assert abs(a.lengths.mean() - b.lengths.mean()) < 0.15 * a.lengths.mean() + 1
    assert abs(a.failures - b.failures) <= 1 + episodes // 10


def test_a_fall_is_a_crash_in_both():
    for env_source in both("BipedalWalker-v3", failure="crash"):
        env, slot = env_source.open(1), np.array([0])
        actions = actor(env.action_space, 3)
        env.reset(slot, slot)
        while not (step := env.step(slot, np.array([next(actions)]))).ended[0]:
            assert not step.failed[0]
        assert step.rewards[0] == -100 and step.failed[0] and step.terminated[0]
        env.close()


def test_what_is_seen_after_the_last_step_is_where_it_led():
    """CartPole's law x' = x + 0.02 v holds for every step, the last one too: none is a reset."""
    env = source("CartPole-v1", backend="envpool", workers=2).open(4)
    rows = drive(env, 200)
    before, after, ended = rows[..., :4], rows[..., 4:8], rows[..., 9]
    assert ended.sum() > 20
    np.testing.assert_allclose(after[..., 0], before[..., 0] + 0.02 * before[..., 1], atol=1e-6)
    np.testing.assert_allclose(after[..., 2], before[..., 2] + 0.02 * before[..., 3], atol=1e-6)


@pytest.mark.parametrize("env_id", ["BipedalWalker-v3", "CartPole-v1", "LunarLander-v3"])
def test_an_episode_is_its_seed_and_actions_whoever_is_beside_it(env_id):
    """Slots, threads, order of resets and seeds left out in between change nothing."""
    together = drive(source(env_id, backend="envpool", workers=2).open(3), 90)
    again = drive(source(env_id, backend="envpool", workers=0).open(3), 90)
    np.testing.assert_array_equal(together, again)
    alone = drive(source(env_id, backend="envpool", workers=1).open(1), 90)
    np.testing.assert_array_equal(together[:, :1], alone)


@pytest.mark.parametrize(
    ("threads", "free", "machine", "bound"),
    [(2, 2, 2, True), (1, 2, 2, False), (2, 2, 4, False), (4, 2, 4, False)],
)
def test_threads_are_bound_to_cores_only_where_every_core_is_ours_and_has_one(
    monkeypatch, threads, free, machine, bound
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(free)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: machine)
    engine = source("BipedalWalker-v3", backend="envpool", workers=threads - 1).open(8)._engine
    assert engine._running == {"num_threads": threads, "thread_affinity_offset": bound - 1}


def test_the_same_seed_twice_is_the_same_episode_twice():
    env = source("BipedalWalker-v3", backend="envpool").open(3)
    env.reset(np.array([0, 1, 2]), np.array([7, 8, 7]))
    np.testing.assert_array_equal(env.observation.obs[0], env.observation.obs[2])
    first = env.observation.obs[1].copy()
    env.reset(np.array([1]), np.array([8]))  # 8 has been played: its environment is another one
    np.testing.assert_array_equal(env.observation.obs[1], first)


def test_the_highest_seed_can_be_played():
    env = source("CartPole-v1", backend="envpool").open(2)
    env.reset(np.arange(2), np.array([2**31 - 2, 2**31 - 1]))
    assert (env.observation.obs[0] != env.observation.obs[1]).any()


def test_pools_that_nobody_plays_in_are_dropped():
    env = source("CartPole-v1", backend="envpool").open(4)
    drive(env, 500)
    engine = env._engine
    assert isinstance(engine, PoolEngine) and engine._opened > 5 and len(engine._pools) <= 5


def test_without_envpool_auto_is_gymnasium_and_envpool_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "envpool", None)
    assert source("CartPole-v1", backend="auto").chosen == "gymnasium"
    with pytest.raises(EnvError, match=r"EnvPool cannot be loaded .*pip install 'envpool"):
        source("CartPole-v1", backend="envpool")


@pytest.mark.parametrize(
    ("env_id", "changes", "says"),
    [
        ("toy/Counter-v0", {}, r"EnvPool has no env 'toy/Counter-v0'; use env.backend=gymnasium"),
        ("CartPole-v1", {"kwargs": {"sutton_barto_reward": True}}, r"does not support env.kwargs"),
    ],
)
def test_what_envpool_cannot_play_is_refused(env_id, changes, says):
    assert source(env_id, backend="auto", **changes).chosen == "gymnasium"
    with pytest.raises(EnvError, match=says):
        source(env_id, backend="envpool", **changes)


def test_twins_with_other_spaces_are_refused():
    own = source("CartPole-v1")
    for other in (
        dataclasses.replace(own.observation_space, shape=(5,)),
        dataclasses.replace(own.observation_space, dtype="float64"),
    ):
        with pytest.raises(EnvError, match=r"EnvPool's 'CartPole-v1' has other spaces"):
            check_twin("CartPole-v1", other, own.action_space)
    with pytest.raises(EnvError, match="has other spaces"):
        check_twin("CartPole-v1", own.observation_space, own.observation_space)


def test_an_envpool_that_takes_other_calls_is_refused_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(pool, "_RECEIVED", (*pool._RECEIVED, "done_otherwise"))
    assert source("CartPole-v1", backend="auto").chosen == "gymnasium"
    with pytest.raises(EnvError, match=r"other calls than 1\.2\.5.*env\.backend=gymnasium"):
        source("CartPole-v1", backend="envpool")
