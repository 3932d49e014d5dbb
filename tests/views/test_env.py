"""Each key of a view against numbers worked by hand, and the laws of every viewed environment."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from dagger_cli.config.components import open_for
from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Acts, Card, Observation
from dagger_cli.testing.envs import check_env
from dagger_cli.views.noise import Noise, normal
from dagger_cli.views.sight import packed, unpacked, with_full_sight
from dagger_cli.views.source import ViewedSource
from dagger_cli.views.view import View

from .toys import CHOICE, PUSH, Counter, Source

ONE = np.zeros(1, np.int64)
ALL = {"keep": ["positions", 0], "noise": 0.5, "delay": 2, "stack": 3, "stack_actions": True}


def played(view: View, actions, source=None):
    """What a student sees of an episode of seed 3, before and after each of the actions."""
    env = view.viewed(source or Source()).open(1)
    env.reset(ONE, np.array([3]))
    seen = [env.observation.obs[0].tolist()]
    for action in actions:
        env.step(ONE, np.array([action]).reshape(1, *env.action_space.shape))
        seen.append(env.observation.obs[0].tolist())
    assert env.observation.obs.shape == (1, *env.observation_space.shape)
    assert env.observation.obs.dtype == env.observation_space.dtype
    return seen


@pytest.mark.parametrize(
    ("keep", "first"),
    [
        ([0, 2], [3, 10]),
        ([2, 0], [10, 3]),
        (["1:3"], [0, 10]),
        ([":2", -1], [3, 0, 0]),
        (["positions"], [0, 10]),
        (["velocities", "who"], [0, 3]),
        (["2"], [10]),
    ],
)
def test_keep_selects_in_the_order_given(keep, first):
    assert played(View(keep=keep), [])[0] == first


def test_stack_is_oldest_first_with_zeros_before_the_start():
    assert played(View(keep=[2], stack=3), [0.5, 0.25, 1]) == [
        [0, 0, 10],
        [0, 10, 11],
        [10, 11, 12],
        [11, 12, 13],
    ]


def test_actions_follow_the_stack_clipped_as_the_environment_clips_them():
    seen = played(View(keep=[2], stack=3, stack_actions=True), [0.5, -7, 1])
    assert seen == [
        [0, 0, 10, 0, 0],
        [0, 10, 11, 0, 0.5],
        [10, 11, 12, 0.5, -1],
        [11, 12, 13, -1, 1],
    ]


def test_discrete_actions_are_one_hot():
    seen = played(View(keep=[2], stack=2, stack_actions=True), [1, 3], Source(CHOICE))
    assert seen == [[0, 10, 0, 0, 0], [10, 11, 1, 0, 0], [11, 12, 0, 0, 1]]


def test_delay_shows_zeros_then_what_was_so_many_steps_ago():
    assert played(View(keep=[2], delay=2), [0, 0, 0, 0]) == [[0], [0], [10], [11], [12]]


def test_delay_is_before_stack():
    assert played(View(keep=[2], delay=1, stack=2), [0, 0, 0]) == [
        [0, 0],
        [0, 10],
        [10, 11],
        [11, 12],
    ]


def test_noise_is_that_of_seed_and_step_and_is_delayed_with_its_observation():
    noise = 0.5 * normal(np.full(4, 3), np.arange(4), 2)
    plain = played(View(keep=[1, 2]), [0, 0, 0])
    assert np.allclose(played(View(keep=[1, 2], noise=0.5), [0, 0, 0]), plain + noise, rtol=0)
    late = np.array(played(View(keep=[1, 2], noise=0.5, delay=1), [0, 0, 0]))
    assert np.allclose(late[1:], (plain + noise)[:-1], rtol=0)


def test_noise_is_standard_normal_and_independent_of_the_batch():
    seeds, steps = np.divmod(np.arange(40_000), 200)
    x = normal(seeds, steps, 3)
    assert abs(x.mean()) < 0.01 and abs(x.std() - 1) < 0.01
    assert abs((x**3).mean()) < 0.05 and abs((x**4).mean() - 3) < 0.1
    assert abs(np.corrcoef(x.T) - np.eye(3)).max() < 0.02  # of components
    assert abs(np.corrcoef(x[:-1, 0], x[1:, 0])[0, 1]) < 0.02  # of steps
    assert abs(np.corrcoef(x[:-200, 0], x[200:, 0])[0, 1]) < 0.02  # of seeds
    for rows in (slice(7, 8), slice(100, 133), slice(None, None, 7)):
        assert np.array_equal(normal(seeds[rows], steps[rows], 3), x[rows])


def test_noise_computed_ahead_is_the_same(rng):
    """Whatever the slots did before: other episodes, restored steps, jumps."""
    noise = Noise(3, 700)  # five steps ahead
    for _ in range(40):
        slots = rng.permutation(3)[: rng.integers(1, 4)]
        seeds, steps = rng.integers(0, 2, len(slots)), rng.integers(0, 12, len(slots))
        assert np.array_equal(noise(slots, seeds, steps), normal(seeds, steps, 700))


def test_the_first_numbers_never_change():
    """A run that is resumed with a later version must see what it saw."""
    assert normal(np.array([3]), np.array([1]), 2)[0] == pytest.approx(FIRST, abs=1e-12)


FIRST = [-0.5345739489574969, -1.9070257782853168]


@pytest.mark.parametrize("action_space", [PUSH, CHOICE])
@pytest.mark.parametrize(
    "keys", [{key: value} for key, value in ALL.items() if key[-1] != "s"] + [ALL]
)
def test_it_keeps_the_laws_of_environments(keys, action_space):
    check_env(View(**keys).viewed(Source(action_space)).open)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_an_episode_does_not_depend_on_the_slots_beside_it(n):
    env, slots = View(**ALL).viewed(Source()).open(n), np.arange(n)
    env.reset(slots, slots + 3)
    rows = [env.observation.obs[0].copy()]
    for step in range(4):
        order = np.roll(slots, step)  # any order of slots, and not always all of them
        env.step(order, np.full((n, 1), 0.5, np.float32))
        rows.append(env.observation.obs[0].copy())
    assert np.array_equal(rows, played(View(**ALL), [0.5] * 4))


def test_rows_of_a_snapshot_are_slots_so_that_cost_roll_outs_can_map_them():
    env, other = (View(**ALL).viewed(Source()).open(3) for _ in range(2))
    slots = np.arange(3)
    env.reset(slots, slots)
    env.step(slots[:2], np.zeros((2, 1), np.float32))
    rows = [1, 1, 0]
    other.restore({name: array[rows] for name, array in env.snapshot().items()})
    assert np.array_equal(other.observation.obs, env.observation.obs[rows])
    assert np.array_equal(other.observation.privileged, env.observation.privileged[rows])


def test_a_snapshot_of_another_view_is_refused():
    env = View(stack=2).viewed(Source()).open(2)
    for other in (View(stack=3), View(stack=2, delay=1), View(keep=[0], stack=2)):
        with pytest.raises(EnvError, match="not of this view"):
            env.restore(other.viewed(Source()).open(2).snapshot())
    with pytest.raises(EnvError, match="saved without one"):
        env.restore(Counter(2).snapshot())
    wrong = env.snapshot()
    wrong["view.frames"][:] = np.nan
    with pytest.raises(EnvError, match="not finite"):
        env.restore(wrong)


class Echo:
    """Expert whose label is what it is shown; it has one card and knows unsafe actions."""

    card = Card("echo", "tests", "0" * 64)

    def act(self, observation: Observation, rng) -> Acts:
        hidden = 0 if observation.privileged is None else observation.privileged
        return Acts(observation.obs.sum(1) + hidden, np.ones(len(observation), bool))

    def unsafe_actions(self, observation: Observation):
        return observation.obs > 2


@pytest.mark.parametrize("private", [False, True])
def test_the_expert_sees_everything(private, rng):
    source = View(keep=[0], delay=3).viewed(Source(private=private))
    env, full = source.open(2), Counter(2, private=private)
    for one in (env, full):
        one.reset(np.arange(2), np.array([4, 5]))
        one.step(np.array([1]), np.ones((1, 1), np.float32))
    expert = source.sighted(Echo())
    assert expert.card is Echo.card
    rows = np.array([1, 0, 1])
    assert np.array_equal(
        expert.act(env.observation[rows], rng).actions,
        Echo().act(full.observation[rows], rng).actions,
    )
    assert np.array_equal(expert.unsafe_actions(env.observation), full.observation.obs > 2)
    assert not hasattr(with_full_sight(Card), "unsafe_actions")
    whole = unpacked(Observation(np.zeros((2, 1)), full.observation.t, packed(full.observation)))
    assert np.array_equal(whole.obs, full.observation.obs)


def test_the_full_view_is_the_source_itself_and_others_have_its_attributes():
    source = Source()
    assert View().viewed(source) is source and View(grey=False).viewed(source) is source
    viewed = View(keep=[0]).viewed(source)
    assert (viewed.id, viewed.horizon, viewed.most_slots) == ("Counter", 7, 5)
    assert getattr(viewed, "test_episodes", 3) == 3
    assert open_for(viewed, 10).n_envs == 5
    for other in (copy.copy(viewed), pickle.loads(pickle.dumps(viewed))):
        assert isinstance(other, ViewedSource) and other.observation_space.shape == (1,)


def test_slots_can_be_copied_for_searches():
    class Copying(Counter):
        def copy_slots(self, to, source):
            for array in (self._seeds, self._steps, self._last):
                array[to] = array[source]

    source = View(**{**ALL, "noise": 0.1, "chunk": 3}).viewed(Source())
    env = type(source.open(1))(Copying(2), source.layout)
    env.reset(np.arange(2), np.array([1, 2]))
    env.step(np.array([1]), np.ones((1, 1), np.float32))
    env.copy_slots(np.array([0]), np.array([1]))
    assert all((rows[0] == rows[1]).all() for rows in env.snapshot().values())
    env.step(np.arange(2), np.ones((2, 1), np.float32))
    assert np.array_equal(env.observation.obs[0], env.observation.obs[1])
