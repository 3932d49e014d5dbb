"""Environments that EnvPool has and Gymnasium has not: MuJoCo's old versions, Fetch, Atari."""

import numpy as np
import pytest

from dagger_cli.core.errors import EnvError
from dagger_cli.envs.video import check_mode

from .helpers import drive, source

pytest.importorskip("envpool", reason="EnvPool is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:.*is out of date")


@pytest.mark.parametrize(
    ("env_id", "obs", "actions", "limit"),
    [
        ("HalfCheetah-v3", (17,), (6,), 1000),
        ("Ant-v3", (111,), (8,), 1000),
        ("FetchReach-v1", (16,), (4,), 50),
        ("Pong-v5", (4, 84, 84), (), 27_000),
    ],
)
def test_it_is_described_by_envpool(env_id, obs, actions, limit):
    found = source(env_id, backend="auto")
    assert found.alone and found.chosen == "envpool" and found.horizon == limit
    assert found.observation_space.shape == obs and found.action_space.shape == actions
    if actions:
        assert found.action_space.dtype == "float32"
    assert "EnvPool's is used for training, validation and final scores" in found.notes[0]


def test_a_dict_of_envpool_has_the_order_of_stable_baselines3():
    found = source("FetchReach-v1", backend="auto")
    names = {"achieved_goal": (0, 3), "desired_goal": (3, 6), "observation": (6, 16)}
    assert found.parts == names
    env = found.open(2)
    env.reset(np.arange(2), np.arange(2))
    row = env.observation.obs[0]
    # The gripper starts where its goal is measured from: the first numbers are said twice.
    np.testing.assert_array_equal(row[:3], row[6:9])
    assert not np.allclose(row[3:6], row[:3])
    step = env.step(np.arange(2), np.zeros((2, 4), np.float32))
    assert step.rewards.tolist() == [-1, -1] and not step.ended.any()
    env.close()


@pytest.mark.parametrize("env_id", ["HalfCheetah-v3", "Hopper-v3", "FetchReach-v1"])
@pytest.mark.slow
def test_an_episode_depends_on_its_seed_and_actions_alone(env_id):
    together = drive(source(env_id, backend="auto", workers=1).open(3), 60)
    again = drive(source(env_id, backend="auto").open(3), 60)
    alone = drive(source(env_id, backend="auto").open(1), 60)
    np.testing.assert_array_equal(together, again)
    np.testing.assert_array_equal(together[:, :1], alone)


def test_a_limit_of_ones_own_and_the_end_of_a_fall():
    env = source("HalfCheetah-v3", backend="auto", max_episode_steps=5).open(1)
    slot = np.zeros(1, np.int64)
    env.reset(slot, slot)
    steps = [env.step(slot, np.zeros((1, 6), np.float32)) for _ in range(5)]
    assert steps[-1].truncated[0] and not any(step.ended[0] for step in steps[:-1])
    hopper = source("Hopper-v3", backend="auto", failure="terminated").open(1)
    hopper.reset(slot, slot)
    step = hopper.step(slot, np.ones((1, 3), np.float32))
    while not step.ended[0]:
        step = hopper.step(slot, np.ones((1, 3), np.float32))
    assert step.terminated[0] and step.failed[0] and not step.truncated[0]


def test_an_unsolved_episode_ends_with_a_negative_reward():
    env = source("FetchReach-v1", backend="auto", failure="unsolved").open(1)
    slot = np.zeros(1, np.int64)
    env.reset(slot, slot)
    steps = [env.step(slot, np.zeros((1, 4), np.float32)) for _ in range(50)]
    assert steps[-1].failed[0] and not any(step.failed[0] for step in steps[:-1])


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"gravity": 3}, r"env\.kwargs\.gravity is no option of EnvPool's HalfCheetah-v3; it has"),
        ({"xml_file": "/tmp/x.xml"}, "env.kwargs.xml_file is no option"),
        ({"from_pixels": True}, "env.kwargs.from_pixels is no option"),
        ({"frame_skip": "five"}, r"env\.kwargs\.frame_skip must be of type int"),
    ],
)
def test_options_are_those_of_the_environment_and_name_no_files(kwargs, says):
    with pytest.raises(EnvError, match=says):
        source("HalfCheetah-v3", backend="auto", kwargs=kwargs)


def test_an_option_is_applied():
    env_source = source(
        "HalfCheetah-v3",
        backend="auto",
        kwargs={"exclude_current_positions_from_observation": False},
    )
    assert env_source.observation_space.shape == (18,)


def test_it_cannot_be_drawn():
    with pytest.raises(EnvError, match=r"EnvPool plays it, without pictures.*dagger-cli\[mujoco\]"):
        check_mode(source("HalfCheetah-v3", backend="auto"), "walk.mp4")


def test_gymnasium_alone_is_an_error_where_it_lacks_the_environment():
    with pytest.raises(EnvError, match="needs a package that is not installed"):
        source("HalfCheetah-v3", backend="gymnasium")


@pytest.mark.slow
def test_experts_see_the_memory_of_the_console():
    """Byte 51 is the height of the right paddle in Pong; action 3 moves it down."""
    env = source("Pong-v5", backend="auto", hidden="ram").open(2)
    slots = np.arange(2)
    env.reset(slots, slots)
    before = env.observation.privileged.copy()
    assert before.shape == (2, 128) and before.dtype == np.uint8
    for action in ([2, 3],) * 4:
        env.step(slots, np.array(action))
    after = env.observation.privileged
    assert after[0, 51] < before[0, 51] < after[1, 51]
    env.close()
    assert source("Pong-v5", backend="auto").open(1).observation.privileged is None


def test_a_game_by_its_name():
    from dagger_cli.envs.atari import atari

    rest = {"imports": None, "kwargs": {}, "max_episode_steps": None, "fresh_simulator": False,
            "workers": 0, "backend": "auto", "failure": "none"}  # fmt: skip
    assert atari(game="space_invaders", **rest).id == "SpaceInvaders-v5"
    with pytest.raises(EnvError, match=r"no env 'Pongg-v5'; nearest: Pong-v5"):
        atari(game="pongg", **rest)


def test_what_is_hidden_must_exist():
    with pytest.raises(EnvError, match=r"env\.hidden=rom is nothing that .*Pong-v5 tells; .*ram"):
        source("Pong-v5", backend="auto", hidden="rom").open(1)
