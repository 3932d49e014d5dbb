"""Errors of environments: one sentence with the cause and the fix."""

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError, EnvError

from .helpers import source

ALL = np.arange(2)


@pytest.mark.parametrize(
    ("env_id", "changes", "says"),
    [
        ("BipedalWaker-v3", {}, r"no env 'BipedalWaker-v3'; nearest: BipedalWalker-v3"),
        ("bipedalwalker-v3", {}, r"nearest: BipedalWalker-v3"),
        ("Qqqqq-v0", {}, r"no env 'Qqqqq-v0' .*env\.import=my_package"),
        ("CartPole-v1", {"imports": "no_such_package"}, r"cannot import 'no_such_package'"),
        ("CartPole-v1", {"kwargs": {"gravity": 3}}, r"cannot be created: TypeError.*env\.kwargs"),
        ("toy/Tuple-v0", {}, r"Tuple observation space.*FlattenObservation"),
        ("toy/Text-v0", {}, r"Text observation space.*gymnasium\.ObservationWrapper"),
        ("toy/PictureInDict-v0", {}, r"pictures of shape \(40, 36, 3\) in the part 'eye'"),
        ("toy/ManyInDict-v0", {}, r"has 200,000 numbers in the part 'many' of its Dict"),
        ("toy/TextInDict-v0", {}, r"in the part 'word' of its Dict: .* Text observation space"),
        ("toy/ShiftedMulti-v0", {}, r"MultiDiscrete action space with start \[1, 0\]"),
    ],
)
def test_a_source_that_cannot_work_is_refused_when_born(env_id, changes, says):
    with pytest.raises(EnvError, match=says) as caught:
        source(env_id, **changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"workers": -1}, r"env\.workers must be auto, 0 or more, got -1"),
        ({"workers": "many"}, r"env\.workers must be .* got many"),
        ({"max_episode_steps": 0}, r"env\.max_episode_steps must be at least 1, .* got 0"),
        ({"failure": "sadness"}, r"env\.failure must be one of none, crash.*'sadness'"),
    ],
)
def test_a_bad_value_is_refused(changes, says):
    with pytest.raises(ConfigError, match=says):
        source("CartPole-v1", **changes)


def test_no_environments_are_refused():
    with pytest.raises(ConfigError, match="n_envs must be at least 1, got 0"):
        source("CartPole-v1").open(0)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("slot", [0, 1])
def test_an_exception_in_an_environment_is_one_sentence(workers, slot):
    """Slot 0 lives in this process, slot 1 in the worker where there is one."""
    slots = ALL[[slot]]
    env = source("toy/Raising-v0", workers=workers).open(2)
    env.reset(slots, slots)
    env.step(slots, slots)
    env.step(slots, slots)
    with pytest.raises(EnvError, match=r"env 'toy/Raising-v0' failed in step\(\): Zero") as e:
        env.step(slots, slots)
    assert "\n" not in str(e.value)
    env.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_an_observation_of_another_shape_is_refused(workers):
    env = source("toy/Crooked-v0", workers=workers).open(2)
    with pytest.raises(EnvError, match=r"reset\(\): observation of shape \(1,\)"):
        env.reset(ALL, ALL)
    env.close()


def test_actions_of_another_shape_are_refused():
    env = source("Pendulum-v1").open(2)
    env.reset(ALL, ALL)
    with pytest.raises(EnvError, match=r"actions have the shape \(2,\), expected \(2, 1\)"):
        env.step(ALL, np.zeros(2))


def test_a_diverged_policy_is_named():
    env = source("Pendulum-v1").open(2)
    env.reset(ALL, ALL)
    with pytest.raises(EnvError, match="not a finite number"):
        env.step(ALL, np.array([[0.0], [np.nan]]))


def test_a_snapshot_of_another_size_is_refused():
    env, other = source("CartPole-v1").open(2), source("CartPole-v1").open(3)
    env.reset(ALL, ALL)
    with pytest.raises(EnvError, match=r"of 2 environments, but there are 3; use n_envs=2"):
        other.restore(env.snapshot())


def test_an_environment_that_does_not_repeat_itself_is_named():
    env = source("toy/Forgetful-v0").open(1)
    slot = ALL[:1]
    env.reset(slot, slot)
    for _ in range(4):
        env.step(slot, slot)
    with pytest.raises(EnvError, match=r"is not deterministic.*env\.fresh_simulator=true"):
        env.restore(env.snapshot())
