"""Trainers with gates, and the expert with noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.policies import Ensemble, distance
from dagger_cli.core.types import Acts, Fitted, Observation, Space
from dagger_cli.loop.gating import ScriptedGate
from dagger_cli.loop.noise import NoisyPolicy, error_covariance
from dagger_cli.loop.rollout import begin
from dagger_cli.trainers.dart import DART
from dagger_cli.trainers.ensemble_dagger import EnsembleDAgger
from dagger_cli.trainers.hg_dagger import HGDAgger
from dagger_cli.trainers.safe_dagger import SafeDAgger
from tests.toys import Table, TableExpert, TableLearner, expert_answers, toy_kit

from .reductions import kit_of, steps

BOX = Space("box", (2,), "float32", (-1.0, 0.0), (1.0, 4.0))
CHOICE = Space("discrete", (), "int64", sizes=(4,), start=2)


def test_the_scripted_expert_takes_over_only_where_the_learner_is_wrong():
    """Table (0, ...) is wrong at every seventh step; corrected there, it never leaves the track."""
    kit = kit_of()
    first, second, *_ = steps(HGDAgger(0.1, 0.05), kit)
    fresh = second.data.newest
    assert (fresh.obs == 0).all() and (fresh.steps % 7 == 3).all() and (fresh.labels == 1).all()
    assert (
        second.usage.labels - first.usage.labels
        == len(fresh)
        == 103 - second.metrics["train/queries_saved"]
    )
    assert second.metrics["train/asked_share"] == len(fresh) / 103


def test_in_charge_from_enter_until_leave():
    """Gaps of a Box of range 1, slot by slot; a new episode begins with the learner."""
    kit = toy_kit(n_envs=2)
    space = Space("box", (1,), "float32", (0.0,), (1.0,))
    kit.env.action_space = space

    class Says:
        def __init__(self, column):
            self.column = column

        def act(self, observation, rng):
            return Acts(observation.obs[:, self.column :][:, :1], np.zeros(len(observation), bool))

    gate = ScriptedGate(replace(kit, expert=Says(1)), Says(0), enter=0.5, leave=0.2)

    def asked(gaps, steps):
        obs = np.stack([np.zeros(2), gaps], 1).astype(np.float32)
        return gate(Observation(obs, np.array(steps)), np.random.default_rng(0)).tolist()

    assert asked([0.4, 0.6], [0, 0]) == [False, True]
    assert asked([0.4, 0.3], [1, 1]) == [False, True]  # has not fallen below leave
    assert asked([0.6, 0.1], [2, 2]) == [True, False]
    assert asked([0.3, 0.3], [3, 3]) == [True, False]  # has not risen above enter
    assert asked([0.3, 0.3], [0, 4]) == [False, False]  # the first slot begins anew
    gate = ScriptedGate(replace(kit, expert=Says(1)), Says(0), enter=0.5, leave=0.25)
    assert asked([0.5, 0.75], [0, 0]) == [False, True]  # does not exceed enter
    assert asked([0.5, 0.25], [1, 1]) == [False, True]  # is not below leave


class Always(TableLearner):
    """Its fits answer the same everywhere."""

    def __init__(self, answer):
        self._answer = answer

    def fit(self, data, start, rng):
        return Fitted(Table((self._answer,) * 5), 0.0)


@pytest.mark.parametrize("unsafe", [0, 1])
def test_safe_dagger_asks_where_its_safety_policy_says_unsafe(unsafe):
    kit = replace(kit_of(), learner_for=lambda actions: Always(unsafe))
    _, second, *_ = steps(SafeDAgger(0.05), kit)
    assert second.metrics["train/asked_share"] == unsafe
    assert second.metrics["train/queries_saved"] == 103 * (1 - unsafe)
    assert second.usage.labels == 103 * (1 + unsafe)


def test_safe_dagger_says_at_once_that_a_policy_cannot_be_a_safety_policy_too():
    def refuse(actions):
        raise ConfigError("no logits here")

    kit = replace(kit_of(), learner_for=refuse)
    with pytest.raises(
        ConfigError, match="safe and unsafe, which this one does not support: no logits here"
    ):
        SafeDAgger(0.1).start(kit)


def test_safe_dagger_learns_from_where_the_learner_was_wrong_on_rows_it_had_not_seen():
    """Unsafe are the rows answered 1, and they count as much as the others together."""
    seen = []

    class Notes(TableLearner):
        def fit(self, data, start, rng):
            seen.append(data)
            return TableLearner().fit(data, start, rng)

    kit = replace(kit_of(), learner_for=lambda actions: Notes())
    trainer = SafeDAgger(0.05)
    begin(kit)
    first = trainer.step(trainer.start(kit), kit)
    trainer.step(first, kit)
    wrong = set(first.data.steps[first.data.labels == 1].tolist())
    assert set(seen[0].steps[seen[0].labels == 1].tolist()) <= wrong
    # 103 draws at 1/2, five standard deviations.
    assert seen[0].labels.mean() == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 103))


def test_safe_dagger_judges_a_handful_of_rows_too():
    trainer = SafeDAgger(0.0)
    kit = kit_of()
    kit = replace(kit, budget=Budget(5, 40, None), learner_for=lambda actions: TableLearner())
    begin(kit)
    data = trainer.step(trainer.start(kit), kit).data
    assert len(data) == 40 and trainer._unsafe(data, kit).any()


def test_an_ensemble_votes_and_its_spread_is_who_differs_from_the_vote():
    members = (Table((0, 0, 1, 1, 0)), Table((0, 1, 1, 0, 0)), Table((0, 1, 0, 1, 0)))
    ensemble = Ensemble(members, Space("discrete", (), "int64", sizes=(2,)))
    observation = Observation(np.arange(5, dtype=np.float32)[:, None], np.zeros(5, np.int64))
    rng = np.random.default_rng(0)
    assert ensemble.act(observation, rng).actions.tolist() == [0, 1, 1, 1, 0]
    assert ensemble.spread(observation, rng) == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0])


def test_an_ensemble_of_box_actions_acts_by_the_mean():
    class Constantly:
        def __init__(self, *action):
            self.action = np.array(action, np.float32)

        def act(self, observation, rng):
            return Acts(
                np.tile(self.action, (len(observation), 1)), np.zeros(len(observation), bool)
            )

    ensemble = Ensemble((Constantly(-1, 0), Constantly(1, 4)), BOX)
    observation, rng = (
        Observation(np.zeros((3, 1)), np.zeros(3, np.int64)),
        np.random.default_rng(0),
    )
    assert np.array_equal(ensemble.act(observation, rng).actions, [[0, 2]] * 3)
    assert ensemble.spread(observation, rng) == pytest.approx([0.5] * 3)  # half of each range


def test_the_expert_is_asked_where_the_ensemble_is_torn_and_nowhere_else():
    """Members that differ off the track alone: there the expert leads back, once an excursion."""
    answers = iter(range(100))

    class Splits(TableLearner):
        def fit(self, data, start, rng):
            return Fitted(Table((0, next(answers) % 2, 0, 0, 0)), 0.0)

    kit = replace(kit_of(), learner=Splits())
    _, second, *_ = steps(EnsembleDAgger(3, 0.05), kit)
    fresh = second.data.newest
    assert len(fresh) > 0 and (fresh.obs[:, 0] == 1).all() and (fresh.labels == 1).all()


@pytest.mark.parametrize(
    ("space", "a", "b", "expected"),
    [
        (BOX, [[-1, 0], [0, 1]], [[1, 4], [0, 3]], [1.0, 0.25]),
        (CHOICE, [2, 3], [2, 5], [0.0, 1.0]),
        (Space("multi_binary", (2,), "int8", sizes=(2, 2)), [[0, 1]], [[1, 1]], [0.5]),
        (Space("box", (1,), "float32", (-np.inf,), (np.inf,)), [[1.0]], [[4.0]], [3.0]),
    ],
)
def test_distances_are_shares_of_the_range_or_of_the_components(space, a, b, expected):
    assert distance(space, np.array(a), np.array(b)) == pytest.approx(expected)


def test_darts_noise_is_as_frequent_as_the_learners_errors():
    """Round 1 has none; then the table, 0 everywhere, is wrong wherever round 1 has a 1."""
    first, second, third, *_ = steps(DART(0.5), kit_of())
    assert first.metrics["train/noise"] == 0
    wrong = float(first.data.labels.mean())
    assert second.metrics["train/noise"] == pytest.approx(0.5 * wrong)
    last = second.data.newest
    answers = np.array(second.policy.answers)[last.obs[:, 0].astype(int)]
    rate = (answers != last.labels).mean()
    assert third.metrics["train/noise"] == pytest.approx(0.5 * rate)
    assert np.array_equal(last.labels, expert_answers(last.obs[:, 0].astype(int), last.steps))


def test_the_covariance_of_errors_by_hand():
    actions, labels = np.array([[1.0, 0], [0, 2]]), np.array([[0.0, 0], [0, 0]])
    assert error_covariance(BOX, actions, labels) == pytest.approx(np.diag([0.5, 2.0]))
    assert error_covariance(CHOICE, np.array([2, 3, 4, 5]), np.array([2, 2, 4, 5]))[0, 0] == 0.25


def test_errors_that_always_come_together_can_be_drawn_from():
    gaps = 1e4 * np.array([[3.0, 2.0], [1.5, 1.0], [0.3, 0.2]])
    covariance = error_covariance(BOX, gaps, np.zeros((3, 2)))
    observation = Observation(np.zeros((9, 1)), np.zeros(9, np.int64))
    acts = NoisyPolicy(Middle(), BOX, covariance).act(observation, np.random.default_rng(0))
    assert np.isfinite(acts.actions).all()


class Middle:
    def act(self, observation, rng):
        return Acts(
            np.tile(np.array([0, 2], np.float32), (len(observation), 1)),
            np.ones(len(observation), bool),
        )


def test_disturbed_box_actions_have_the_covariance_and_stay_in_the_bounds():
    covariance = np.array([[0.01, 0.01], [0.01, 0.04]])
    observation, n = Observation(np.zeros((40_000, 1)), np.zeros(40_000, np.int64)), 40_000
    acts = NoisyPolicy(Middle(), BOX, covariance).act(observation, np.random.default_rng(0))
    assert not acts.from_expert.any() and acts.actions.dtype == np.float32
    # The standard error of a variance is var * sqrt(2 / n); five of the largest.
    found = np.cov((acts.actions - [0, 2]).T)
    assert found == pytest.approx(covariance, abs=5 * 0.04 * np.sqrt(2 / n))
    wild = (
        NoisyPolicy(Middle(), BOX, 100 * np.eye(2))
        .act(observation, np.random.default_rng(0))
        .actions
    )
    assert (wild >= BOX.low).all() and (wild <= BOX.high).all()


def test_disturbed_choices_are_replaced_by_any_at_the_rate():
    class Three:
        def act(self, observation, rng):
            return Acts(np.full(len(observation), 3), np.ones(len(observation), bool))

    observation = Observation(np.zeros((40_000, 1)), np.zeros(40_000, np.int64))
    rate = np.full((1, 1), 0.4)
    actions = NoisyPolicy(Three(), CHOICE, rate).act(observation, np.random.default_rng(0)).actions
    shares = np.bincount(actions, minlength=6)[2:] / 40_000  # 3 is also drawn by chance
    assert shares == pytest.approx([0.1, 0.7, 0.1, 0.1], abs=5 * np.sqrt(0.25 / 40_000))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: HGDAgger(0.1, 0.2), "trainer.leave=0.2 is above trainer.enter=0.1"),
        (lambda: HGDAgger(1.0, 0.2), r"trainer.enter must be in \[0, 1\), got 1.0"),
        (lambda: SafeDAgger(-0.1), r"trainer.threshold must be in \[0, 1\), got -0.1"),
        (lambda: EnsembleDAgger(1, 0.1), "trainer.size must be at least 2, got 1"),
        (lambda: DART(0.0), "trainer.scale must be > 0, got 0.0"),
    ],
)
def test_values_that_cannot_work_are_refused_with_what_can(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


def test_looking_on_is_no_query_but_acting_is():
    kit = kit_of()
    states = steps(HGDAgger(0.1, 0.05), kit)
    assert isinstance(kit.expert, TableExpert)
    assert states[-1].usage.labels == len(states[-1].data) < sum(kit.expert.asked)
