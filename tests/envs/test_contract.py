"""Checks of every `Env`: in this process, in worker processes, and in EnvPool."""

from itertools import product

import numpy as np
import pytest

from .helpers import N, act_all, actor, drive, plain, source

IDS = ["CartPole-v1", "Pendulum-v1", "BipedalWalker-v3", "toy/MultiDiscrete-v0"]
ALL = np.arange(N)


@pytest.fixture(params=[0, 1, 2], ids=lambda w: f"workers={w}")
def workers(request):
    return request.param


PLAYED = [
    *(("gymnasium", env_id) for env_id in IDS),
    *(("envpool", env_id) for env_id in IDS if not env_id.startswith("toy/")),
]


@pytest.fixture(params=PLAYED, ids="-".join)
def env(request, workers):
    backend, env_id = request.param
    if backend == "envpool":
        pytest.importorskip("envpool", reason="EnvPool is not installed")
    env = source(env_id, workers=workers, backend=backend).open(N)
    yield env
    env.close()


def test_view_has_the_shape_and_dtype_of_the_space(env):
    env.reset(ALL, ALL)
    assert env.n_envs == N
    assert env.observation.obs.shape == (N, *env.observation_space.shape)
    assert env.observation.obs.dtype == env.observation_space.dtype
    assert env.observation.t.dtype == np.int64
    assert env.observation.privileged is None


def test_step_has_k_rows(env):
    env.reset(ALL, ALL)
    actors = [actor(env.action_space, slot) for slot in ALL]
    step = env.step(ALL[1:], act_all(actors, ALL[1:]))
    dtypes = [column.dtype for column in step]
    assert dtypes == [np.float64, np.bool_, np.bool_, np.bool_]
    assert [column.shape for column in step] == [(N - 1,)] * 4


@pytest.mark.parametrize(
    "env_id", [*IDS, "Acrobot-v1", "LunarLander-v3", "toy/Offset-v0", "toy/Counter-v0"]
)
def test_equals_gymnasiums_own_loop(env_id, workers):
    """Every observation, reward and flag, at terminal steps too, whoever shares the process."""
    n_steps = 120
    env_source = source(env_id, workers=workers)
    env = env_source.open(N)
    rows = drive(env, n_steps)
    env.close()
    for slot in range(N):
        np.testing.assert_array_equal(rows[:, slot], plain(env_source, slot, n_steps))
    assert rows[:, :, -3:-1].any() or env_id in ("Pendulum-v1", "Acrobot-v1")


def test_same_seeds_same_numbers_whatever_was_played_before(env):
    first = drive(env, 80)
    np.testing.assert_array_equal(drive(env, 80), first)


def test_slots_not_named_stand_still(env):
    env.reset(ALL, ALL)
    still = env.observation.obs[[0, 2]].copy()
    actors = [actor(env.action_space, slot) for slot in ALL]
    for _ in range(3):
        env.step(np.array([1]), act_all(actors, [1]))
    np.testing.assert_array_equal(env.observation.obs[[0, 2]], still)
    assert env.observation.t.tolist() == [0, 3, 0]


def test_slots_may_come_in_any_order(env):
    env.reset(np.array([2, 0, 1]), np.array([12, 10, 11]))
    actors = [actor(env.action_space, slot) for slot in ALL]
    actions = act_all(actors, ALL)
    step = env.step(np.array([2, 0, 1]), actions[[2, 0, 1]])
    obs = env.observation.obs.copy()
    env.reset(ALL, np.array([10, 11, 12]))
    np.testing.assert_array_equal(env.step(ALL, actions).rewards[[2, 0, 1]], step.rewards)
    np.testing.assert_array_equal(env.observation.obs, obs)


def test_snapshot_goes_on_bit_for_bit(env, workers):
    """Mid-episode, after other episodes, in an env that did something else meanwhile."""
    drive(env, 23)
    env.reset(ALL[:1], np.array([7]))
    saved = {key: array.copy() for key, array in env.snapshot().items()}
    actors = [actor(env.action_space, 9 + slot) for slot in ALL]
    live = ALL[:1]
    actions = [act_all(actors, live) for _ in range(4)]
    before = env.observation.obs.copy()
    expected = [env.step(live, a).rewards for a in actions]
    drive(env, 11)

    env.restore(saved)

    np.testing.assert_array_equal(env.observation.obs, before)
    assert env.observation.t.tolist() == saved["lengths"].tolist()
    np.testing.assert_array_equal([env.step(live, a).rewards for a in actions], expected)


def test_restores_into_a_new_env_with_other_workers(workers):
    env, other = (source("BipedalWalker-v3", workers=w).open(N) for w in (workers, 1))
    drive(env, 40)
    other.restore(env.snapshot())
    np.testing.assert_array_equal(other.observation.obs, env.observation.obs)
    env.close()
    other.close()


def test_snapshot_of_slots_never_started(env):
    env.reset(np.array([1]), np.array([5]))
    saved = env.snapshot()
    assert saved["started"].tolist() == [False, True, False]
    obs = env.observation.obs.copy()
    env.reset(ALL, ALL)
    env.restore(saved)
    np.testing.assert_array_equal(env.observation.obs[1], obs[1])
    assert env.snapshot()["started"].tolist() == [False, True, False]


def test_an_ended_slot_stays_ended(workers):
    env = source("CartPole-v1", workers=workers, max_episode_steps=4).open(2)
    slots = np.arange(2)
    env.reset(slots, slots)
    for _ in range(4):
        step = env.step(slots, np.array([0, 1]))
    assert step.truncated.all()
    assert not step.terminated.any()
    last = env.observation.obs.copy()
    with pytest.raises(AssertionError, match="without a running episode"):
        env.step(slots, np.array([0, 1]))
    np.testing.assert_array_equal(env.observation.obs, last)
    env.close()


def test_long_episodes_outgrow_the_first_action_log():
    env = source("Pendulum-v1", max_episode_steps=300).open(2)
    drive(env, 290)
    obs, saved = env.observation.obs.copy(), env.snapshot()
    assert saved["actions"].shape == (2, 290, 1)
    env.restore(saved)
    np.testing.assert_array_equal(env.observation.obs, obs)


def test_close_may_be_called_twice(env):
    env.close()
    env.close()


@pytest.mark.parametrize(
    ("failure", "failed"),
    [("none", [False, False]), ("terminated", [True, False]), ("truncated", [False, True])],
)
def test_which_ends_count_as_failed(failure, failed):
    """Pushing left always drops the pole before step 12; left, right, left... holds it longer."""
    env = source("CartPole-v1", failure=failure, max_episode_steps=12).open(2)
    seen = [False, False]
    for slot, actions in enumerate(([0], [0, 1])):
        rows = np.array([slot])
        env.reset(rows, rows)
        ended = False
        for action in (actions * 12)[:12]:
            if not ended:
                step = env.step(rows, np.array([action]))
                ended, seen[slot] = step.ended[0], step.failed[0]
        assert ended
    assert seen == failed


@pytest.mark.parametrize("name", ["Box", "WholeBox"])
def test_actions_are_clipped_to_each_bound_of_their_own(name):
    """The toy pays the sum of all actions so far, and refuses those that are not in its space."""
    env = source(f"toy/{name}-v0").open(2)
    low, high = (np.array(x) for x in (env.action_space.low, env.action_space.high))
    dtype = env.action_space.dtype
    env.reset(np.arange(2), np.arange(2))
    far = np.array([[-900, 900], [900, -900]], dtype)
    step = env.step(np.arange(2), far)
    assert step.rewards.tolist() == [low[0] + high[1], high[0] + low[1]]
    step = env.step(np.arange(2), np.array([[0, 1], [0, 1]], dtype))
    assert step.rewards.tolist() == [low[0] + high[1] + 1, high[0] + low[1] + 1]
    assert env.snapshot()["actions"][0].tolist() == [[low[0], high[1]], [0, 1]]


@pytest.mark.parametrize("failure", ["none", "crash", "terminated", "truncated", "unsolved"])
def test_every_rule_of_failure_at_its_edge(failure):
    """By hand for all ends and for rewards about 0 and -100; what goes on has not failed."""
    failed = {
        "none": lambda reward, terminated, truncated: False,
        "crash": lambda reward, terminated, truncated: terminated and reward <= -100,
        "terminated": lambda reward, terminated, truncated: terminated,
        "truncated": lambda reward, terminated, truncated: truncated and not terminated,
        "unsolved": lambda reward, terminated, truncated: (terminated or truncated) and reward < 0,
    }[failure]
    cases = list(product((-100.5, -100.0, -99.5, -0.5, 0.0, 1.0), (False, True), (False, True)))
    rewards, terminated, truncated = map(np.array, zip(*cases, strict=True))
    env = source("CartPole-v1", failure=failure).open(1)
    assert env._failed(rewards, terminated, truncated).tolist() == [failed(*case) for case in cases]


def test_a_fall_in_the_last_allowed_step_is_no_cut():
    """Gymnasium says terminated and truncated then."""

    def fall(failure, limit):
        env = source("CartPole-v1", failure=failure, max_episode_steps=limit).open(1)
        slot, n = np.zeros(1, np.int64), 1
        env.reset(slot, slot)
        while not (step := env.step(slot, slot)).ended[0]:
            n += 1
        return n, step

    falls, _ = fall("none", 50)
    assert falls < 50
    for failure in ("terminated", "truncated"):
        n, step = fall(failure, falls)
        assert (n, step.terminated[0], step.truncated[0]) == (falls, True, True)
        assert step.failed[0] == (failure == "terminated")


def test_a_fall_is_a_crash():
    env = source("BipedalWalker-v3", failure="crash").open(1)
    slot = np.array([0])
    env.reset(slot, slot)
    actions = actor(env.action_space, 3)
    while not (step := env.step(slot, np.array([next(actions)]))).ended[0]:
        assert not step.failed[0]
    assert step.rewards[0] == -100
    assert step.failed[0]
