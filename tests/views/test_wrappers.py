"""env.wrappers: what they do to observations, for student and expert alike."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space
from dagger_cli.views.layout import layout
from dagger_cli.views.memory import Memory
from dagger_cli.views.view import View
from dagger_cli.views.wrapped import wrapped
from dagger_cli.views.wrappers import VELOCITIES
from tests.e2e.running import dagger, differences, train
from tests.envs.helpers import source

from .toys import Source

ONE = np.zeros(1, np.int64)
ACTION = Space("discrete", (), "int64", sizes=(2,))


def steps_of(found, actions):
    env = found.open(1)
    env.reset(ONE, np.array([3]))
    rows = [env.observation]
    for action in actions:
        env.step(ONE, np.array([[action]], np.float32))
        rows.append(env.observation)
    return rows


def test_the_time_left_falls_from_one_to_zero():
    found = wrapped(Source(), ["time_feature"])
    assert found.observation_space.shape == (5,) and found.observation_space.dtype == "float32"
    rows = steps_of(found, [0.5, 0.5])
    limit = found.horizon
    assert [float(row.obs[0, 4]) for row in rows] == pytest.approx(
        [1, 1 - 1 / limit, 1 - 2 / limit]
    )
    assert rows[2].obs[0, :4].tolist() == [3, 2, 12, 0.5]
    assert found.parts == Source().parts and rows[0].privileged is None


def test_a_stack_is_seen_by_the_expert_too_and_has_no_named_parts():
    found = wrapped(Source(private=True), [{"frame_stack": 2}])
    rows = steps_of(found, [0.5])
    assert rows[1].obs[0].tolist() == [3, 0, 10, 0, 3, 1, 11, 0.5]
    assert rows[1].privileged.tolist() == [103] and found.parts == {}


@pytest.mark.parametrize("shape", [(3,), (12, 11, 3), (3, 12, 11), (7, 7, 1), (1, 7, 7)], ids=str)
def test_a_stack_is_that_of_stable_baselines3(shape):
    from stable_baselines3.common.vec_env.stacked_observations import StackedObservations

    pictures, size, rng = len(shape) == 3, int(np.prod(shape)), np.random.default_rng(0)
    low, high, dtype = (0, 255, "uint8") if pictures else (-9, 9, "float32")
    space = Space("box", shape, dtype, (float(low),) * size, (float(high),) * size)
    theirs = StackedObservations(2, 3, gym.spaces.Box(low, high, shape, np.dtype(dtype)))
    memory = Memory(layout(View(stack=3), space, ACTION, {}), 2)
    seen = rng.integers(0, 9, (8, 2, *shape)).astype(dtype)
    slots, actions = np.arange(2), np.zeros(2, np.int64)
    wanted = theirs.reset(seen[0])
    memory.start(slots, seen[0])
    assert np.array_equal(memory.rows, wanted) and memory.rows.dtype == wanted.dtype
    for step, frames in enumerate(seen[1:]):
        over = np.array([False, step == 3])
        wanted, _ = theirs.update(frames, over, [{}, {"terminal_observation": seen[0, 1]}])
        memory.push(slots[~over], actions[~over], frames[~over])
        if over.any():
            memory.start(slots[over], frames[over])
        assert np.array_equal(memory.rows, wanted)


def test_the_velocities_are_those_of_rl_zoo():
    zoo = pytest.importorskip("rl_zoo3.wrappers").MaskVelocityWrapper.velocity_indices
    theirs = {name.rpartition("-v")[0]: tuple(index.tolist()) for name, index in zoo.items()}
    assert theirs == VELOCITIES


def letters_of(mission, letters):
    """As FlatObsWrapper's documentation says it: one row of choices per place of the text."""
    rows = np.zeros((96, letters), np.uint8)
    for place, letter in enumerate(mission):
        rows[place, "abcdefghijklmnopqrstuvwxyz ,".index(letter)] = 1
    return rows.ravel()


@pytest.mark.parametrize(
    "world, letters, mission",
    [
        ("Empty-5x5", 28, "get to the green goal square"),
        ("FourRooms", 27, "reach the goal"),
        ("LockedRoom", 28, ", unlock the "),
    ],
)
def test_minigrids_mission_is_written_in_letters(world, letters, mission):
    plain = source(f"MiniGrid-{world}-v0", backend="envpool")
    found = wrapped(plain, [{"flat_obs": letters}])
    assert found.observation_space.shape == (147 + 96 * letters,)
    assert found.parts == {"image": (0, 147), "mission": (147, 147 + 96 * letters)}
    env, bare = found.open(1), plain.open(1)
    for one in (env, bare):
        one.reset(ONE, np.array([1]))
    first, stop = plain.parts["mission"]
    told = bytes(bare.observation.obs[0, first:stop].astype(np.uint8)).rstrip(b"\0").decode()
    assert mission in told
    for action in (2, 2, 1, 2):
        row = env.observation.obs[0]
        assert row.dtype == np.uint8
        assert row[:147].tolist() == bare.observation.obs[0, slice(*plain.parts["image"])].tolist()
        np.testing.assert_array_equal(row[147:], letters_of(told, letters))
        for one in (env, bare):
            one.step(ONE, np.array([action]))


@pytest.mark.parametrize(
    "env_id, entry, says",
    [
        ("CartPole-v1", "flat_obs", "flat_obs is for MiniGrid's observations .* 'CartPole-v1'"),
        ("MiniGrid-FourRooms-v0", {"flat_obs": 26}, "flat_obs has 28 letters, or 27 .* got 26"),
    ],
)
def test_flat_obs_says_what_it_is_for(env_id, entry, says):
    with pytest.raises(ConfigError, match=says):
        wrapped(source(env_id, backend="auto"), [entry])


def test_they_are_applied_in_the_order_given():
    first = wrapped(Source(), ["time_feature", {"frame_stack": 2}])
    last = wrapped(Source(), [{"frame_stack": 2}, "time_feature"])
    assert first.observation_space.shape == (10,) and last.observation_space.shape == (9,)


def test_velocities_are_masked_as_in_rl_zoo():
    found = wrapped(source("CartPole-v1"), ["mask_velocity"])
    env = found.open(1)
    env.reset(ONE, ONE)
    env.step(ONE, ONE)
    assert env.observation.obs[0, [1, 3]].tolist() == [0, 0]
    assert env.observation.obs[0, [0, 2]].all()


def test_a_view_comes_after_them():
    found = View(keep=[4]).viewed(wrapped(Source(), ["time_feature"]))
    env = found.open(1)
    env.reset(ONE, np.array([3]))
    assert env.observation.obs.tolist() == [[1.0]]
    assert env.observation.privileged.shape == (1, 5)  # the expert has the time, too


@pytest.mark.parametrize(
    ("wrappers", "says"),
    [
        (["stack"], r"env\.wrappers must be one of time_feature, frame_stack, mask_velocity"),
        ([{"frame_stack": "x"}], r"frame_stack needs a number: \[\{frame_stack: 4\}\]"),
        ([{"frame_stack": 1}], r"env\.wrappers\.frame_stack must be at least 2"),
        (["frame_stack"], "frame_stack needs a number"),
        ([{"time_feature": 3}], "time_feature has no value, got 3"),
        ([{"time_feature": None, "frame_stack": 2}], "must be one wrapper and its value"),
        (["mask_velocity"], "mask_velocity knows the velocities of CartPole, "),
    ],
)
def test_a_wrong_wrapper_is_one_sentence(wrappers, says):
    with pytest.raises(ConfigError, match=says):
        wrapped(Source(), wrappers)


@pytest.mark.slow
def test_a_run_behind_wrappers_resumes_bit_for_bit(tmp_path):
    words = ("env.wrappers=[time_feature,{frame_stack:2}]", "expert=python")
    (tmp_path / "lean.py").write_text("def act(obs):\n    return int(obs[-3] > 0)\n")
    words = (*words, "expert.target=lean:act")
    whole = train(*words, cwd=tmp_path, run="whole")
    short = train(*words, "rounds=2", "beta.over=3", cwd=tmp_path, run="short")
    done = dagger("train", f"resume={short}", "rounds=3", "trust=[lean]", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(whole, short) == []
    done = dagger("eval", "checkpoint=whole", "trust=[lean]", cwd=tmp_path)
    assert done.code == 0, done.err
