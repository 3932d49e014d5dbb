"""expert=python: what is imported, what may be returned, what is noted."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dagger_cli.core.errors import ConfigError, EnvError, ExpertError
from dagger_cli.core.types import Observation, Space
from dagger_cli.experts.python import Python

LINE = Space("box", (2,), "float32", (-1.0,) * 2, (1.0,) * 2)
ONE = Space("box", (1,), "float32", (-2.0,), (2.0,))
TWO = Space("discrete", (), "int64", sizes=(2,), start=1)
BUTTONS = Space("multi_discrete", (2,), "int64", sizes=(3, 3))
OBS = np.array([[0.5, 1.0], [-1.0, 0.0]])


def load(target, action=LINE, *, batched=False, dot=":"):
    return Python(target=f"{__name__}{dot}{target}", batched=batched).load("X-v0", LINE, action)


def ask(expert, obs=OBS, steps=None):
    t = np.zeros(len(obs), np.int64) if steps is None else np.array(steps)
    acts = expert.act(Observation(obs, t), np.random.default_rng(0))
    assert acts.from_expert.all() and len(acts.from_expert) == len(obs)
    return acts.actions


def negate(obs):
    return -obs


def single_only(obs):
    assert obs.shape == (2,)
    return -obs


class Thing:
    __call__ = staticmethod(negate)

    def act(self, obs):
        return -obs

    def predict(self, obs, state=None, episode_start=None, deterministic=False):
        return -obs, None


thing = Thing()
holder = SimpleNamespace(inner=SimpleNamespace(thing=thing))
lacking = SimpleNamespace(predict=negate)


@pytest.mark.parametrize(
    ("target", "batched"),
    [
        *[("negate", False), ("negate", True), ("single_only", False), ("thing", True)],
        *[("thing.act", False), ("holder.inner.thing.act", False)],
        *[("thing.predict", False), ("thing.predict", True)],
    ],
)
@pytest.mark.parametrize("dot", [".", ":"])
def test_functions_objects_and_methods(target, batched, dot):
    actions = ask(load(target, batched=batched, dot=dot))
    np.testing.assert_array_equal(actions, -OBS)
    assert actions.dtype == np.float32


@pytest.mark.parametrize(
    ("space", "answer", "label"),
    [
        (ONE, 1.5, [1.5]),
        (ONE, np.float64(1.5), [1.5]),
        (ONE, [1.5], [1.5]),
        (ONE, [[1.5]], [1.5]),
        (ONE, (np.array([1.5]), None), [1.5]),
        (ONE, torch.tensor([1.5], requires_grad=True), [1.5]),
        (TWO, 2, 2),
        (TWO, True, 1),
        (TWO, np.array([2]), 2),
        (TWO, (np.array(2), None), 2),
        (TWO, (2, {"hidden": 0}), 2),
        (TWO, (2, (np.zeros(3), np.zeros(3))), 2),
        (BUTTONS, (1, 2), [1, 2]),
        (BUTTONS, ((1, 2), None), [1, 2]),
        (BUTTONS, np.array([[1, 2]]), [1, 2]),
        (LINE, (0.5, -1), [0.5, -1.0]),
    ],
)
def test_answers_that_can_mean_one_action_only_are_taken(monkeypatch, space, answer, label):
    monkeypatch.setattr(f"{__name__}.fixed", lambda obs: answer, raising=False)
    actions = ask(load("fixed", space))
    assert actions.dtype == space.dtype and actions.tolist() == [label, label]


def test_batched_answers_of_single_numbers(monkeypatch):
    monkeypatch.setattr(f"{__name__}.fixed", lambda obs: obs[:, 0], raising=False)
    assert ask(load("fixed", ONE, batched=True)).tolist() == [[0.5], [-1.0]]
    monkeypatch.setattr(f"{__name__}.fixed", lambda obs: np.full((len(obs), 1), 2), raising=False)
    assert ask(load("fixed", TWO, batched=True)).tolist() == [2, 2]


def far(obs):
    return [8.0, -0.9999]


@pytest.mark.parametrize(
    ("dtype", "low", "labels"),
    [
        ("float32", -2.0, [2.0, -0.9999]),
        ("float32", -np.inf, [8.0, -0.9999]),
        ("int8", -2, [2, -1]),
    ],
)
def test_the_label_is_the_action_that_is_played(dtype, low, labels):
    arm = Space("box", (2,), dtype, (low, low), (-low, -low))
    answer = ask(load("far", arm), np.zeros((1, 2)))
    assert answer.dtype == dtype and answer.tolist() == [pytest.approx(labels, abs=1e-6)]


def leave(obs):
    raise SystemExit


async def later(obs):
    return -obs


def yields(obs):
    yield -obs


def two(env, obs):
    return -obs


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("no_such", r"cannot import .*module 'tests.experts.test_python' \(.*\) has no 'no_such'"),
        ("thing.no_such", "cannot import .*has no 'no_such'"),
        ("LINE", "is not callable; name a function"),
        ("lacking", r"is not callable; name its method, .*:lacking\.predict"),
        ("Thing", r"is a class: name a function, or a method of an object"),
        ("Thing.act", r"parameters are \(self, obs\) \(a method is named of an object"),
        ("later", r"is a coroutine \(async def\)"),
        ("yields", r"is a generator"),
        ("two", r"must take one observation, but its parameters are \(env, obs\)"),
    ],
)
def test_what_is_no_function_of_an_observation_is_refused(target, sentence):
    with pytest.raises(ExpertError, match=sentence):
        load(target)
    with pytest.raises(ExpertError, match=r"cannot import .*ModuleNotFoundError"):
        Python(target="no_such_module.f", batched=False).load("X-v0", LINE, LINE)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (1.0, r"an action of shape \(2,\) for every observation, but it returned a single number"),
        ([1.0, 2.0, 3.0], r"float64 of shape \(3,\) \(with expert.batched=false\)"),
        (None, r"returned None: is a return missing"),
        ((1.0, 2.0, 3.0), r"returned a tuple of 3: return only the action"),
        ({"action": 1}, r"returned an object of type dict"),
        ("left", r"returned an object of type str"),
        ([float("nan"), 0.0], r"an action that is not a finite number"),
    ],
)
def test_wrong_answers_are_described(monkeypatch, answer, sentence):
    monkeypatch.setattr(f"{__name__}.fixed", lambda obs: answer, raising=False)
    with pytest.raises(ExpertError, match=sentence):
        ask(load("fixed"))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (3.0, r"returned 3.0, which is none of the choices: whole numbers from 1 to 2"),
        (1.5, r"returned 1.5, which is none of the choices"),
        ((1, 2), r"returned a tuple of 2: return only the action"),
    ],
)
def test_choices_are_checked(monkeypatch, answer, sentence):
    monkeypatch.setattr(f"{__name__}.fixed", lambda obs: answer, raising=False)
    with pytest.raises(ExpertError, match=sentence):
        ask(load("fixed", TWO))


def test_exceptions_are_named():
    with pytest.raises(ExpertError, match=r"failed on an observation .SystemExit"):
        ask(load("leave"))
    with pytest.raises(ExpertError, match=r"failed on an observation .AssertionError"):
        ask(load("single_only", batched=True))


def test_an_observation_is_looked_at_before_the_function_is_called():
    with pytest.raises(EnvError, match="an observation that is not a finite number"):
        ask(load("leave"), np.array([[0.0, np.nan]]))


@pytest.mark.parametrize("target", ["", "name", ".f", "m:", "m:a..b"])
def test_the_target_must_name_something(target):
    with pytest.raises(ConfigError, match=r"my_pkg\.my_fn"):
        Python(target=target, batched=False)


@pytest.mark.parametrize("target", ["expert.py:pd", "./expert.py:pd", "/a/b/expert.py:pd"])
def test_a_file_is_no_module(target):
    with pytest.raises(ConfigError, match=r"write expert\.target=expert:pd and start in"):
        Python(target=target, batched=False)


def test_a_module_of_python_that_hides_a_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "colorsys.py").write_text("def act(obs): return obs\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ExpertError, match=r"lib.*colorsys\.py\) has no 'act'; .* colorsys\.py"):
        Python(target="colorsys:act", batched=False).load("X-v0", LINE, LINE)


def timed(obs, episode_step):
    return np.full(obs.shape, episode_step / 10)


def timed_together(obs, *, episode_step):
    return np.repeat(episode_step[:, None] / 10, 2, axis=1)


@pytest.mark.parametrize(("target", "batched"), [("timed", False), ("timed_together", True)])
def test_a_function_that_declares_it_is_told_the_step(target, batched):
    actions = ask(load(target, batched=batched), steps=[0, 3])
    np.testing.assert_allclose(actions, [[0.0, 0.0], [0.3, 0.3]], rtol=1e-6)


class Line:
    """One slot whose observation is the sum of the actions."""

    def reset(self, slots, seeds):
        self.at, self.t = np.array([[1.0, 2.0]]), np.zeros(1, np.int64)

    def step(self, slots, actions):
        self.at, self.t = self.at + actions, self.t + 1
        return SimpleNamespace(ended=self.t >= 5)

    @property
    def observation(self):
        return Observation(self.at, self.t)


last = [np.zeros(2)]


def remembers(obs):
    speed, last[0] = obs - last[0], obs
    return -0.1 * speed


def test_two_answers_to_one_observation_are_noted():
    assert load("negate").tried(Line()).card.notes == ()
    assert load("timed").tried(Line()).card.notes == ()
    (note,) = load("remembers").tried(Line()).card.notes
    assert "gave two answers to one observation" in note


def hangs(obs):
    while True:
        time.sleep(0.01)


def test_an_answer_that_does_not_come_is_ended():
    expert = Python(target=f"{__name__}:hangs", batched=False, timeout=0.2).load("X", LINE, LINE)
    with pytest.raises(ExpertError, match=r"TimeoutError: longer than 0\.2 s \(expert\.timeout\)"):
        ask(expert)
    with pytest.raises(ConfigError, match=r"expert\.timeout must be > 0, got 0"):
        Python(target="a.b", batched=False, timeout=0)
