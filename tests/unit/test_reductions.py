"""SMILe, SEARN, Forward and the variants of DAgger, each against what its paper says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.policies import Mixture, NonStationaryPolicy
from dagger_cli.core.schedules import Indicator
from dagger_cli.core.schedules import Table as Betas
from dagger_cli.core.types import Fitted
from dagger_cli.loop.rollout import begin, rollout
from dagger_cli.trainers.dagger import MIXTURES, DAgger
from dagger_cli.trainers.forward import Forward
from dagger_cli.trainers.searn import SEARN
from dagger_cli.trainers.smile import SMILe
from tests.toys import HORIZON, Table, TableLearner, toy_kit

from .reductions import LINEAR, TRAINERS, TRIES, kit_of, score, steps


class Remembers:
    """A learner that notes what it was fitted on and from."""

    def __init__(self):
        self.fits = []

    def fit(self, data, start, rng):
        fitted = TableLearner().fit(data, start, rng)
        self.fits.append((len(data), start, fitted.policy))
        return Fitted(fitted.policy, fitted.loss)


def same_rows(a, b):
    return all(
        np.array_equal(x, y) for x, y in zip(a.columns.values(), b.columns.values(), strict=True)
    )


def test_smile_with_alpha_one_is_daggers_first_step():
    """All weight goes to h_1: its rounds 1 and 2 are those of DAgger with beta = 1, 0."""
    smile, dagger = kit_of(), kit_of()
    s1, s2, *later = steps(SMILe(1.0), smile)
    d1, d2, *_ = steps(DAgger(Indicator("round"), "step", "latest"), dagger)
    assert s1.policy.members == (d1.policy,) and same_rows(s1.data, d1.data)
    assert same_rows(s2.data, d2.data)
    assert [state.policy.weights[0] for state in (s2, *later)] == [1.0] * 5
    assert s2.policy.members == (d1.policy, d2.policy)


def test_searn_with_beta_one_is_policy_iteration():
    """The newest member alone is deployed and acts, and is fitted on its own states alone."""
    searn, iteration = kit_of(), kit_of()
    states = steps(SEARN(1.0, "optimal", TRIES), searn)
    others = steps(DAgger(Betas((1.0, 0.0), "round"), "step", "latest"), iteration)
    for mine, other in zip(states, others, strict=True):
        assert same_rows(mine.data, other.data)
        assert mine.policy.members[-1] == other.policy
        assert mine.policy.weights == (*[0.0] * (mine.round - 1), 1.0)


@pytest.mark.parametrize(
    ("trainer", "expected"),
    [
        (SMILe(0.1), lambda i: 0.9**i),
        (SEARN(0.4, "optimal", TRIES), lambda i: 0.6**i),
    ],
    ids=["smile", "searn"],
)
def test_the_experts_weight_is_logged_as_beta_and_each_round_fitted_alone(trainer, expected):
    kit = replace(kit_of(), learner=Remembers())
    states = steps(trainer, kit)
    assert [s.metrics["train/beta"] for s in states] == pytest.approx(
        [expected(i) for i in range(6)]
    )
    assert [rows for rows, _, _ in kit.learner.fits] == [103] * 6
    learned = [policy for _, _, policy in kit.learner.fits]
    assert states[-1].policy.members == tuple(learned)
    assert [start for _, start, _ in kit.learner.fits] == [None, *learned[:-1]]


@pytest.mark.parametrize(
    ("update", "rows", "goes_on"),
    [
        ("aggregate", [103 * i for i in range(1, 7)], True),
        ("ogd", [103] * 6, True),
        ("latest", [103] * 6, False),
    ],
)
def test_what_each_no_regret_learner_is_fitted_on_and_from(update, rows, goes_on):
    kit = replace(kit_of(), learner=Remembers())
    steps(DAgger(LINEAR, "step", update), kit)
    learned = [policy for _, _, policy in kit.learner.fits]
    assert [n for n, _, _ in kit.learner.fits] == rows
    starts = [start for _, start, _ in kit.learner.fits]
    assert starts == [None, *(learned[:-1] if goes_on else [None] * 5)]


def test_the_episode_coin_is_tossed_once_an_episode():
    """DAgger's actor, rolled out: who acts changes between episodes only."""
    kit = kit_of()
    begin(kit)
    actor = MIXTURES["episode"]((kit.expert, Table((0, 0, 0, 0, 0))), (0.5, 0.5))
    visited = rollout(kit, actor, 4 * HORIZON * 10)
    acted = set()
    for slot in range(4):
        rows = visited.slots == slot
        ends = np.flatnonzero(visited.ended[rows]) + 1
        for episode in np.split(visited.acts.from_expert[rows], ends):
            acted.add(tuple(np.unique(episode).tolist()))
    assert acted - {()} == {(True,), (False,)}


def test_forward_learns_only_what_is_reached_in_its_slot():
    kit = toy_kit(5, 103)
    states = steps(Forward(slot=None, horizon=None), kit)
    for i, state in enumerate(states):
        reached = state.data.newest.steps
        assert reached.min() == 10 * i and reached.max() < 10 * (i + 1)
        assert state.metrics["train/slot"] == i
        assert state.metrics["train/reached"] == len(reached) <= 103
        assert state.usage.env_steps == sum(103 * (j + 1) for j in range(i + 1))
    assert (
        isinstance(states[-1].policy, NonStationaryPolicy) and len(states[-1].policy.members) == 5
    )


def test_forward_with_a_policy_a_step_can_tell_every_seventh_step():
    """The others cannot, and lose a step in seven at least."""
    policy = steps(Forward(slot=1, horizon=None), toy_kit(HORIZON, 8))[-1].policy
    assert len(policy.members) == HORIZON and score(policy) == 0


def test_forward_with_few_labels_rolls_in_with_fewer_environments():
    """12 labels a round and slots of 10 steps: one environment of 4 gets to the slot's end.

    Episodes end up to 4 steps before the horizon; all four together would get to step 15 of 50.
    """
    states = steps(Forward(slot=None, horizon=None), toy_kit(5, 12))
    assert [state.metrics["train/reached"] >= 10 for state in states[:4]] == [True] * 4
    assert states[4].metrics["train/reached"] >= 6


@pytest.mark.parametrize(
    ("trainer", "rounds", "labels", "message"),
    [
        (Forward(7, None), 5, 103, "up to 50 steps, but rounds=5 slots of 7 cover only 35: "
         "set rounds=8 or trainer.slot=10"),
        (Forward(None, None), 5, 9, "a slot of 10 steps needs 10 labels a round, but a round has "
         "9: give labels=50 or more"),
        (Forward(None, 5000), 5, 103, "needs 1000 labels a round, but a round has 103"),
    ],
)  # fmt: skip
def test_forward_refuses_a_horizon_that_the_budget_cannot_fill(trainer, rounds, labels, message):
    with pytest.raises(ConfigError, match=message):
        trainer.start(toy_kit(rounds, labels))


def test_forward_refuses_an_endless_environment_and_other_slots_than_it_began_with():
    with pytest.raises(ConfigError, match=r"no step limit.*trainer\.horizon="):
        Forward(None, None).start(replace(kit_of(), horizon=None))
    state = steps(Forward(None, None), toy_kit(5, 103))[1]
    longer = toy_kit(10, 103)
    begin(longer)
    with pytest.raises(
        ConfigError, match="every 10 steps, but its rounds now give one for every 5"
    ):
        Forward(None, None).step(state, longer)


def test_who_learns_from_its_own_states_comes_back_and_who_does_not_stays_off():
    """Off at step 3 for good costs 47 of 50; off one step in seven costs 7."""
    final = {name: steps(trainer, kit_of())[-1].policy for name, trainer in TRAINERS.items()}
    assert score(final["sup"]) == -47
    assert score(final["dagger"]) == score(final["dart"]) == -7
    assert score(final["smile"], 200) > -20 and score(final["searn"], 200) > -20


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: SMILe(0.0), r"trainer.alpha must be in \(0, 1\], got 0.0"),
        (lambda: SMILe(1.1), "got 1.1; try 0.1"),
        (lambda: SEARN(0.0, "optimal", TRIES), r"trainer.beta must be in \(0, 1\]"),
        (lambda: SEARN(0.4, "free", TRIES), "one of optimal, rollout; got 'free'"),
        (lambda: DAgger(LINEAR, "day", "aggregate"), "one of step, episode; got 'day'"),
        (lambda: DAgger(LINEAR, "step", "all"), "one of aggregate, latest, ogd; got 'all'"),
        (lambda: Forward(0, None), "trainer.slot must be at least 1, got 0"),
        (lambda: Forward(None, -1), "trainer.horizon must be at least 1, got -1"),
    ],
)
def test_values_that_cannot_work_are_refused_with_what_can(build, message):
    with pytest.raises(ConfigError, match=message):
        build()


def test_a_mixture_asks_each_member_once_a_step_whatever_the_number_of_environments():
    """n members cost n calls for a batch, not one an environment."""
    kit, calls = toy_kit(n_envs=64), []

    class Counts:
        def __init__(self, policy):
            self.policy = policy

        def act(self, observation, rng):
            calls.append(len(observation))
            return self.policy.act(observation, rng)

    begin(kit)
    policy = steps(TRAINERS["smile"], kit_of())[-1].policy
    counted = Mixture(tuple(map(Counts, policy.members)), policy.weights)
    rollout(kit, counted, 64 * 10)
    assert len(calls) <= 10 * 6 and sum(calls) == 640
