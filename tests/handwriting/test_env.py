"""Environment over labelled sequences: observations, rewards, and the sequence of a seed."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import dagger_cli.envs.sequences.gym_env  # noqa: F401  # registers
from dagger_cli.config.components import open_for
from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.seeds import TRAIN_SEEDS, VALIDATION_SEEDS
from dagger_cli.core.types import Acts
from dagger_cli.envs.sequences.env import ObservationConfig, SequenceEnv
from dagger_cli.envs.sequences.source import Seeds
from dagger_cli.envs.sequences.table import Sequences, Split, split_folds
from dagger_cli.loop.evaluate import evaluate

from .conftest import source

# Two sequences of 3 and 2 tokens with two features each; labels 0, 1, 2.
TOY = Sequences(
    np.array([[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]], np.float32),
    np.array([0, 1, 2, 2, 0]),
    np.array([0, 3, 5]),
    ("a", "b", "c"),
)
BOTH = np.arange(2)


class FirstPixels:
    """Answers by the number of black pixels."""

    def act(self, observation, rng):
        return Acts(
            observation.obs[:, :128].sum(1).astype(np.int64) % 26, np.zeros(len(observation), bool)
        )


def toy(history=0, before=0, after=0) -> SequenceEnv:
    env = SequenceEnv(TOY, ObservationConfig(history, before, after), lambda seeds: seeds % 2, 2)
    env.reset(BOTH, np.array([0, 1]))
    return env


def test_a_word_is_read_letter_by_letter_and_right_labels_are_paid():
    env = toy()
    assert env.observation.obs.tolist() == [[1, 2], [7, 8]]
    assert env.observation.privileged.tolist() == [0, 2]
    step = env.step(BOTH, np.array([0, 0]))
    assert step.rewards.tolist() == [1, 0] and not step.ended.any()
    assert env.observation.obs.tolist() == [[3, 4], [9, 10]]
    step = env.step(BOTH, np.array([1, 0]))
    assert step.rewards.tolist() == [1, 1]
    assert step.terminated.tolist() == [False, True]
    assert not step.truncated.any() and not step.failed.any()
    with pytest.raises(AssertionError, match="without a running episode"):
        env.step(BOTH, BOTH)
    assert env.step(BOTH[:1], np.array([2])).terminated.all()


def test_history_is_one_hot_newest_first_and_zero_before_the_start():
    env = toy(history=2)
    assert env.observation.obs[0, 2:].tolist() == [0] * 6
    env.step(BOTH, np.array([2, 0]))
    assert env.observation.obs[0, 2:].tolist() == [0, 0, 1, 0, 0, 0]
    env.step(BOTH[:1], np.array([1]))
    assert env.observation.obs[0, 2:].tolist() == [0, 1, 0, 0, 0, 1]
    env.reset(BOTH[:1], np.array([1]))
    assert env.observation.obs[0].tolist() == [7, 8, 0, 0, 0, 0, 0, 0]


def test_neighbours_are_blank_beyond_the_sequence():
    env = toy(before=1, after=1)
    assert env.observation.obs.tolist() == [[0, 0, 1, 2, 3, 4], [0, 0, 7, 8, 9, 10]]
    env.step(BOTH, BOTH)
    assert env.observation.obs.tolist() == [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 0, 0]]


def seen_by_hand(sequences, config, index, place, given):
    """The observation at a place of a sequence, after the labels `given` so far, token by token."""
    begin, end = sequences.starts[index], sequences.starts[index + 1]
    size, row = sequences.tokens.shape[1], []
    for at in range(place - config.before, place + config.after + 1):
        inside = 0 <= at < end - begin
        row += sequences.tokens[begin + at].tolist() if inside else [0] * size
    for back in range(1, config.history + 1):
        label = given[-back] if back <= len(given) else None
        row += [float(choice == label) for choice in range(len(sequences.names))]
    return row


@pytest.mark.parametrize("sight", [(0, 0, 0), (2, 1, 0), (1, 0, 2), (3, 2, 1), (0, 5, 4)])
def test_every_observation_and_reward_by_hand(sight, rng):
    """Slots in different places of sequences of 1 to 6 tokens; every label is a random one."""
    lengths = rng.integers(1, 7, 12)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    n = int(starts[-1])
    sequences = Sequences(
        rng.integers(1, 99, (n, 3)).astype(np.float32), rng.integers(0, 4, n), starts, tuple("abcd")
    )
    config = ObservationConfig(*sight)
    env = SequenceEnv(sequences, config, lambda seeds: seeds % 12, 4)
    playing, given, right = np.arange(4), [[], [], [], []], 0
    env.reset(np.arange(4), playing)
    for following in range(4, 40):
        slots = np.flatnonzero(rng.random(4) < 0.8)
        wanted = [
            seen_by_hand(sequences, config, playing[slot] % 12, len(given[slot]), given[slot])
            for slot in range(4)
        ]
        assert env.observation.obs.tolist() == wanted
        assert env.observation.t.tolist() == [len(labels) for labels in given]
        true = sequences.labels[starts[playing % 12] + env.observation.t]
        assert env.observation.privileged.tolist() == true.tolist()
        chosen = rng.integers(0, 4, len(slots))
        step = env.step(slots, chosen)
        assert step.rewards.tolist() == (chosen == true[slots]).tolist()
        right += int(step.rewards.sum())
        for slot, label in zip(slots, chosen, strict=True):
            given[slot].append(int(label))
        over = [len(given[slot]) == lengths[playing[slot] % 12] for slot in slots]
        assert step.terminated.tolist() == over and not step.truncated.any()
        for slot in slots[over]:
            playing[slot], given[slot] = following, []
            env.reset(np.array([slot]), playing[[slot]])
    assert right > 0


def test_snapshot_copy_and_restore_go_on_where_they_were():
    env = toy(history=1)
    env.step(BOTH, np.array([1, 1]))
    saved, before = env.snapshot(), env.observation.obs.copy()
    env.copy_slots(np.array([1]), np.array([0]))
    assert (env.observation.obs[1] == before[0]).all() and env.observation.privileged[1] == 1
    env.step(BOTH, BOTH)
    other = toy(history=1)
    for target in (env, other):
        target.restore(saved)
        np.testing.assert_array_equal(target.observation.obs, before)
        assert target.observation.t.tolist() == [1, 1]
        assert target.step(BOTH, np.array([1, 0])).rewards.tolist() == [1, 1]
    with pytest.raises(EnvError, match=r"env\.history"):
        toy(history=2).restore(saved)


@pytest.mark.parametrize("actions", [[0, 3], [-1, 0], [0]])
def test_labels_that_do_not_exist_are_refused(actions):
    with pytest.raises(EnvError, match="from 0 to 2"):
        toy().step(BOTH, np.array(actions))


def test_any_n_consecutive_training_seeds_are_one_pass():
    split = Split(np.arange(10, 27), np.arange(5, 10), np.arange(5))
    choose = Seeds(split)
    for first in (TRAIN_SEEDS.start, TRAIN_SEEDS.start + 12_345):
        chosen = choose(np.arange(first, first + 17))
        assert sorted(chosen.tolist()) == list(range(10, 27))
        assert chosen.tolist() != sorted(chosen.tolist())
    assert sorted(choose(np.arange(1000, 1005)).tolist()) == [0, 1, 2, 3, 4]
    validation = VALIDATION_SEEDS.start + np.arange(5)
    assert choose(validation).tolist() == [5, 6, 7, 8, 9]


def test_folds_are_test_validation_and_training():
    folds = np.arange(40) % 10
    split = split_folds(folds, 9, 2)
    assert set(folds[split.test]) == {9} and set(folds[split.validation]) == {0, 1}
    assert set(folds[split.train]) == set(range(2, 9))
    split = split_folds(folds, 3, 0)
    assert set(folds[split.train]) == set(range(10)) - {3}
    assert set(folds[split.validation]) == {4}
    for bad in ((10, 0), (-1, 0), (0, 9), (0, -1)):
        with pytest.raises(ConfigError, match=r"env\.(fold|held_out) must be"):
            split_folds(folds, *bad)


def test_negative_sight_is_refused():
    with pytest.raises(ConfigError, match=r"env\.after must be 0 or more, got -1"):
        ObservationConfig(0, 0, -1)


@pytest.mark.parametrize("sight", [{}, {"history": 0}, {"history": 3, "before": 1, "after": 2}])
def test_gymnasiums_checker_passes(sight):
    env = gymnasium.make("dagger_cli/Handwriting-v0", data="synthetic", **sight)
    check_env(env.unwrapped)


def test_gymnasium_plays_the_same_episodes(sentences):
    env = gymnasium.make("dagger_cli/Sequence-v0", data=str(sentences), history=1)
    obs, info = env.reset(seed=3)
    total, ended, labels = 0.0, False, []
    while not ended:
        labels.append(info["label"])
        obs, reward, ended, truncated, info = env.step(info["label"])
        total += reward
        assert not truncated and obs.dtype == env.observation_space.dtype
    assert total == len(labels) > 1
    again, _ = env.reset(seed=3)
    following, _ = env.reset()
    assert again.shape == following.shape == env.observation_space.shape


def test_evaluation_plays_many_words_at_once_and_scores_do_not_depend_on_it():
    made = source(fold=0)
    assert [open_for(made, n).n_envs for n in (150, 1024, 5000)] == [150, 1024, 1000]
    guess = FirstPixels()
    rng = np.random.default_rng(0)
    wide, narrow = (evaluate(made.open(n), guess, range(150), rng) for n in (150, 7))
    np.testing.assert_array_equal(wide.returns, narrow.returns)
    np.testing.assert_array_equal(wide.lengths, narrow.lengths)
    assert 0 < wide.returns.sum() < wide.lengths.sum()
