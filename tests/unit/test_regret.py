"""Regret on rounds small enough to compute by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.policies import Ensemble, Mixture, NonStationaryPolicy
from dagger_cli.core.schedules import Indicator
from dagger_cli.core.state import State
from dagger_cli.core.types import Observation, Space
from dagger_cli.loop.regret import expected_loss, measure
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.run import run
from dagger_cli.loop.validate import Sampled, Validation
from dagger_cli.trainers.dagger import DAgger
from dagger_cli.trainers.smile import SMILe
from tests.toys import Table, TableExpert, TableLearner, TrackEnv, toy_kit

ZERO, ONE = Table((0,) * 5), Table((1,) * 5)


def measured(trainer, rounds):
    """Every round's facts, and the state at the end."""
    kit, metrics = toy_kit(rounds, 101), []
    begin(kit)
    validation = Validation(TrackEnv(5), TableExpert(), range(0, 25, 5), seed=0, queries=50)
    observers = (lambda finished: metrics.append(dict(finished.state.metrics)),)
    state, _ = run(trainer, kit, trainer.start(kit), None, validation, 0.0, observers)
    return metrics, state, kit


def wrong(policy, data):
    return float((np.array(policy.answers)[data.obs[:, 0].astype(int)] != data.labels).mean())


def test_three_rounds_of_dagger_by_hand():
    """Round 1 teaches 0 on the track; that policy's loss on rounds 2 and 3 is the online loss."""
    trainer = DAgger(Indicator("round"), "step", "aggregate")
    metrics, state, _ = measured(trainer, 3)
    one, two, three = state.data.by_round()
    assert wrong(ZERO, one) == one.labels.mean() == pytest.approx(1 / 7, abs=0.02)
    assert not any(name.startswith("regret/") for name in metrics[0])

    leader = Table((0, 1, 1, 1, 1))  # of rounds 1 and 2, on every state that round 2 reached
    assert metrics[1]["regret/online_loss"] == metrics[1]["disagreement/online"] == wrong(ZERO, two)
    both = (wrong(leader, one) + wrong(leader, two)) / 2
    assert metrics[1]["regret/hindsight_loss"] == pytest.approx(both)
    assert metrics[1]["regret/average"] == pytest.approx(wrong(ZERO, two) - both)

    assert metrics[2]["regret/online_loss"] == wrong(leader, three)
    mean = (wrong(ZERO, two) + wrong(leader, three)) / 2
    assert metrics[2]["regret/online_loss_mean"] == pytest.approx(mean)
    assert metrics[2]["regret/average"] == pytest.approx(mean - metrics[2]["regret/hindsight_loss"])
    assert metrics[2]["regret/average"] < metrics[1]["regret/average"]


def test_disagreement_in_its_own_states_and_on_the_experts_path():
    """ZERO leaves at step 3 for good: wrong in 48 of 50 states of its own, in 1 of 7 of theirs."""
    metrics, _, _ = measured(DAgger(Indicator("round"), "step", "aggregate"), 1)
    own, path = metrics[0]["disagreement/own"], metrics[0]["disagreement/expert"]
    assert own == pytest.approx(47 / 50, abs=0.03) and path == pytest.approx(1 / 7, abs=0.03)


def test_on_the_experts_path_a_policy_is_asked_in_the_states_of_that_path():
    """It comes back from off the track, where the path never is, and is wrong as often as ZERO."""
    validation = Validation(TrackEnv(5), TableExpert(), range(0, 25, 5), seed=0, queries=50)
    gaps = validation(Table((0, 1, 1, 1, 1))).metrics
    assert gaps["disagreement/expert"] == pytest.approx(1 / 7, abs=0.03)


def test_states_are_sampled_at_equal_distances_however_they_come(rng):
    sampled, seen = Sampled(ZERO, most=20), 0
    for n in rng.integers(1, 9, 400).tolist():
        steps = np.arange(seen, seen + n)
        sampled.act(Observation(np.zeros((n, 1), np.float32), steps), rng)
        seen += n
    observation, actions = sampled.rows()
    assert 20 <= len(observation) == len(actions) < 40
    stride = int(observation.t[1])
    assert observation.t.tolist() == list(range(0, seen, stride))


def test_who_fits_one_round_alone_is_compared_with_a_fit_on_all():
    metrics, state, kit = measured(SMILe(0.5), 3)
    leader = kit.learner.fit(state.data, None, np.random.default_rng(0)).policy
    assert metrics[2]["regret/hindsight_loss"] == wrong(leader, state.data)
    acting = Mixture(state.policy.members[:2], (2 / 3, 1 / 3))  # what went into round 3
    expected = sum(
        w * wrong(m, state.data.newest) for w, m in zip(acting.weights, acting.members, strict=True)
    )
    assert metrics[2]["regret/online_loss"] == pytest.approx(expected)


def test_what_is_fitted_on_all_goes_on_from_the_newest_member():
    """Else one fit would be compared with a chain of them, and the regret come out below 0."""
    starts = []

    class Remembers(TableLearner):
        def fit(self, data, start, rng):
            starts.append(start)
            return super().fit(data, start, rng)

    kit = replace(toy_kit(), learner=Remembers())
    begin(kit)
    trainer = SMILe(0.5)
    first = trainer.step(trainer.start(kit), kit)
    second = trainer.step(first, kit)
    starts.clear()
    measure(kit, first, second, fits_on_aggregate=False)
    assert starts == [second.policy.members[-1]]


def test_rounds_without_a_fresh_row_are_no_part_of_the_mean():
    """Gated: nothing is asked in rounds 2 and 3 but one state in round 4."""

    def state(round, sizes):
        n = sum(sizes)
        data = Dataset(np.zeros((n, 1)), np.zeros(n, np.int64), np.ones(n, np.int64), sizes)
        return State(round, ZERO, data)

    kit = toy_kit()
    empty = measure(kit, state(1, (3,)), state(2, (3, 0)), fits_on_aggregate=True)
    assert empty == {}
    metrics = measure(kit, state(3, (3, 0, 0)), state(4, (3, 0, 0, 1)), fits_on_aggregate=True)
    assert metrics["regret/online_loss_mean"] == metrics["regret/online_loss"] == 1.0
    four = replace(state(4, (3, 0, 0, 1)), metrics=metrics)
    still = measure(kit, four, state(5, (3, 0, 0, 1, 0)), fits_on_aggregate=True)
    assert still == {name: metrics[name] for name in metrics if name != "regret/online_loss"}


def test_rows_in_which_no_mistake_costs_anything_are_not_measured():
    """Tried actions that all cost the same; 0 is wrong in the one row that counts."""

    def state(round, *weights):
        rows, sizes = np.concatenate(weights).astype(np.float32), tuple(map(len, weights))
        n, labels = len(rows), (rows > 0).astype(np.int64)
        data = Dataset(np.zeros((n, 1)), np.zeros(n, np.int64), labels, sizes, rows)
        return State(round, ZERO, data)

    kit, first = toy_kit(), (1.0, 1.0)
    assert measure(kit, state(1, first), state(2, first, (0, 0)), fits_on_aggregate=True) == {}
    metrics = measure(
        kit, state(2, first, (0, 0)), state(3, first, (0, 0), (0, 2)), fits_on_aggregate=True
    )
    assert metrics["regret/online_loss"] == metrics["regret/online_loss_mean"] == 1.0
    assert metrics["disagreement/online"] == 1.0


def test_combined_policies_lose_what_their_members_lose_on_average():
    kit = toy_kit()
    begin(kit)
    trainer = DAgger(Indicator("round"), "step", "aggregate")
    data = trainer.step(trainer.start(kit), kit).data
    ones = float(data.labels.mean())
    assert expected_loss(kit, Mixture((ZERO, ONE), (0.9, 0.1)), data) == pytest.approx(
        0.9 * ones + 0.1 * (1 - ones)
    )
    space = Space("discrete", (), "int64", sizes=(2,))
    half = expected_loss(kit, Ensemble((ZERO, ONE), space), data)
    assert half == pytest.approx(0.5)
    split = expected_loss(kit, NonStationaryPolicy((ZERO, ONE), 10), data)
    late = data.steps >= 10
    assert split == pytest.approx(np.where(late, data.labels == 0, data.labels == 1).mean())
