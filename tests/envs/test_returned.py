"""What an environment's methods return: taken where it has one meaning, else one sentence."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Space
from dagger_cli.envs.creation import warnings_once
from dagger_cli.envs.returned import Observed, WrongReturn, picture, step_parts
from dagger_cli.envs.video import play

from .helpers import source

CHANCE = np.random.default_rng()
SLOT = np.zeros(1, np.int64)


def box(dtype, shape=(2,)):
    size = int(np.prod(shape))
    return Space("box", shape, dtype, (-np.inf,) * size, (np.inf,) * size)


FOUR = Space("discrete", (), "int64", sizes=(4,), start=1)
PAIR = Space("multi_discrete", (2,), "int64", sizes=(2, 3))


@pytest.mark.parametrize(
    ("space", "observation", "expected"),
    [
        (box("float32"), [1, 2], [1.0, 2.0]),
        (box("float32"), np.array([0.1, np.inf]), [np.float32(0.1), np.inf]),
        (box("uint8"), np.array([0.0, 255.0]), [0, 255]),
        (box("int8"), [True, False], [1, 0]),
        (box("float32", (1,)), 0.5, [0.5]),
        (FOUR, np.array([4]), 4),
        (PAIR, (1, 2), [1, 2]),
    ],
)
def test_values_that_the_space_holds_are_taken(space, observation, expected):
    taken = Observed(space)(observation).astype(space.dtype)
    assert taken.shape == space.shape
    np.testing.assert_array_equal(taken, expected)


@pytest.mark.parametrize(
    ("space", "observation", "says"),
    [
        (box("uint8"), [0.0, -57.0], r"-57\.0 does not fit the uint8 of its observation_space"),
        (box("uint8"), np.array([256, 0]), "256 does not fit the uint8"),
        (box("int64"), [0.5, 1.0], r"0\.5 does not fit the int64"),
        (box("int32"), [np.nan, 1.0], "nan does not fit the int32"),
        (box("float32"), [1e300, 1.0], r"1e\+300 does not fit the float32"),
        (box("float32"), ["a", "b"], "is not made of numbers"),
        (box("float32"), [1.0, 2.0, 3.0], r"shape \(3,\), but its space has \(2,\)"),
        (FOUR, 5, "5 is none of the choices of its observation_space, which end at 4"),
        (FOUR, 0, "0 is none of the choices"),
        (PAIR, [1, 3], "3 is none of the choices"),
    ],
)
def test_values_that_would_change_are_refused(space, observation, says):
    with pytest.raises(WrongReturn, match=says):
        Observed(space)(observation)


@pytest.mark.parametrize("reward", [1, 1.0, np.float32(1), np.array(1.0), np.array([1.0]), [1.0]])
def test_a_reward_is_a_number_or_an_array_of_one(reward):
    assert step_parts((0, reward, np.array([False]), 0, {}))[1:] == (1.0, False, False)


@pytest.mark.parametrize("reward", [None, np.zeros(2), "1.x", [None]])
def test_other_rewards_are_refused(reward):
    with pytest.raises(WrongReturn, match="the reward must be a number, got "):
        step_parts((0, reward, False, False, {}))


class Free(gymnasium.Env):
    """Returns what it is told to."""

    observation_space = spaces.Box(-10, 10, (2,), np.float32)
    action_space = spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    frame = None

    def __init__(self, first, then=None, render_mode=None):
        self.first, self.then, self.render_mode = first, then, render_mode

    def reset(self, *, seed=None, options=None):
        return self.first

    def step(self, action):
        return self.then

    def render(self):
        return self.frame


class Old(Free):
    def reset(self):
        return self.first


class Bare(gymnasium.Env):
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return CHANCE.random(2), {}

    def step(self, action):
        return CHANCE.random(2), 0.0, False, False, {}


class Chance(Bare):
    observation_space = Free.observation_space


for kind in (Free, Old, Bare, Chance):
    gymnasium.register(f"returned/{kind.__name__}-v0", kind, max_episode_steps=9)

GOOD = (np.zeros(2, np.float32), {})


def free(first=GOOD, then=None, kind="Free", **changes):
    kwargs = {"first": first, "then": then}
    return source(f"returned/{kind}-v0", kwargs=kwargs, **changes)


@pytest.mark.parametrize(
    ("kind", "first", "then", "says"),
    [
        ("Free", np.zeros(2), None, r"reset\(\): it must return \(observation, info\), got an arr"),
        ("Free", None, None, r"reset\(\): it must return \(observation, info\), got None"),
        ("Old", GOOD, None, r"'seed'; write def reset\(self, \*, seed=None, options=None\)"),
        (
            "Free",
            GOOD,
            (np.zeros(2), 0.0, False, {}),
            r"step\(\).*it must return \(obs",
        ),
        ("Free", GOOD, (np.zeros(2), None, False, False, {}), "the reward must be a number"),
        (
            "Free",
            GOOD,
            (np.full(2, np.nan), 0.0, False, False, {}),
            "0 is nan after 1 st",
        ),
        ("Free", (np.array([0, np.inf]), {}), None, "component 1 is inf after 0 steps .* seed 7"),
    ],
)
def test_a_wrong_return_is_one_sentence(kind, first, then, says):
    env = free(first, then, kind).open(1)
    with pytest.raises(EnvError, match=says) as caught:
        env.reset(SLOT, SLOT + 7)
        env.step(SLOT, SLOT)
    assert "\n" not in str(caught.value)


def test_the_last_observation_of_an_episode_may_be_anything():
    env = free(then=(np.full(2, np.nan), 0.0, True, False, {})).open(1)
    env.reset(SLOT, SLOT)
    assert env.step(SLOT, SLOT).ended.all()


def test_a_missing_space_is_named():
    with pytest.raises(EnvError, match=r"has no observation_space: set self\.observation_space"):
        source("returned/Bare-v0")


def test_seeds_without_effect_are_noted():
    (note,) = source("returned/Chance-v0").notes
    assert "Two episodes of returned/Chance-v0 with one seed differ" in note
    assert free(then=(np.zeros(2), 0.0, False, False, {})).notes == ()
    assert source("CartPole-v1").notes == ()


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (None, r"it must return a picture \(height, width, 3\) uint8, got None"),
        (np.zeros((4, 4)), r"got float64 of shape \(4, 4\)"),
        ([], r"got float64 of shape \(0,\)"),
    ],
)
def test_what_is_no_picture_is_refused(frame, says, monkeypatch, tmp_path):
    monkeypatch.setattr(Free, "frame", frame)
    with pytest.raises(EnvError, match=says):
        play(free(), None, [0], np.random.default_rng(0), tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_pictures():
    frame = np.zeros((4, 6, 4), np.uint8)
    assert picture(frame).shape == picture([frame, frame]).shape == (4, 6, 3)


def test_a_warning_of_a_simulator_is_shown_once():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        for _ in range(3):
            with warnings_once():
                warnings.warn("a simulator of an old version", stacklevel=1)
    assert len(shown) == 1


def test_boxes_of_box2d_that_keep_their_world_are_made_anew():
    walker = source("BipedalWalker-v3", fresh_simulator="auto")
    lander = source("LunarLander-v3", fresh_simulator="auto")
    assert walker.renewed and not lander.renewed
    assert not source("BipedalWalker-v3", fresh_simulator=False).renewed


@pytest.mark.parametrize(
    ("env_id", "changes", "says"),
    [
        ("ALE/Pong-v5", {}, r"add env\.import=ale_py"),
        ("BabyAI-GoToRedBall-v0", {}, r"add env\.import=minigrid"),
        ("Ant-v99", {"backend": "envpool"}, r"no env 'Ant-v99'; nearest: "),
        ("no_such_module:X-v0", {}, r"env\.id=no_such_module:X-v0: cannot import 'no_such_module'"),
    ],
)
def test_ids_that_cannot_be_made(env_id, changes, says):
    with pytest.raises(EnvError, match=says):
        source(env_id, **changes)


def test_an_id_may_name_its_module(tmp_path, monkeypatch):
    (tmp_path / "named_by_id.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('N-v0', 'gymnasium.envs.classic_control:CartPoleEnv')\n"
    )
    monkeypatch.chdir(tmp_path)
    assert source("named_by_id:N-v0").observation_space.shape == (4,)
