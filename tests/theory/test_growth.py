"""Extra cost grows as T^2 for Sup, and as T for trainers that label the learner's states."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

from dagger_cli.core.policies import Mixture, NonStationaryPolicy
from dagger_cli.loop.evaluate import evaluate
from tests.toys import Table

from .fork import (
    CASES,
    EXPERT,
    HORIZONS,
    SEEN,
    ForkEnv,
    ForkExpert,
    M,
    cost,
    exponent,
    learned,
    moves,
    optimum,
)

TABLES = [Table(answers) for answers in itertools.product((0, 1), repeat=2)]


@functools.cache
def costs(name: str) -> tuple[float, ...]:
    return tuple(cost(learned(CASES[name], horizon), horizon) for horizon in HORIZONS)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_expert_is_optimal_and_the_best_table_errs_at_every_fork(horizon):
    assert optimum(horizon) == cost(ForkExpert(), horizon) == 0
    assert min(cost(table, horizon) for table in TABLES) == pytest.approx(horizon / M)


@pytest.mark.parametrize("step", [0, 40, 79])
def test_the_matrices_are_distributions(step):
    assert moves(step).min() >= 0 and moves(step).sum(2) == pytest.approx(np.ones((2, 4)))


@pytest.mark.parametrize(
    "policy",
    [*TABLES, NonStationaryPolicy((TABLES[1], TABLES[0], TABLES[3], TABLES[1]), 4)],
    ids=str,
)
def test_the_matrices_say_what_the_environment_does(policy):
    played = evaluate(ForkEnv(20), policy, range(M), np.random.default_rng(0))
    assert -played.mean == pytest.approx(cost(policy, 20))


def test_a_mixture_costs_what_its_matrices_say():
    """200 episodes, 50 times over; the standard deviation of the mean is below 0.02."""
    policy, rng = Mixture((TABLES[0], TABLES[1]), (0.7, 0.3)), np.random.default_rng(0)
    means = [-evaluate(ForkEnv(20), policy, range(M), rng).mean for _ in range(50)]
    assert np.mean(means) == pytest.approx(cost(policy, 20), abs=5 * np.std(means) / np.sqrt(50))


def test_the_costs_are_those_worked_out_by_hand():
    horizons = np.array(HORIZONS)
    assert costs("sup") == pytest.approx(horizons * (horizons + 1) / (2 * M))
    assert costs("dagger") == costs("forward") == pytest.approx(horizons / M)


def test_sup_grows_as_the_square_and_the_others_as_the_horizon():
    slopes = {name: exponent(HORIZONS, costs(name)) for name in CASES}
    assert slopes["sup"] > 1.7
    assert all(0.7 < slopes[name] < 1.3 for name in CASES if name != "sup"), slopes


def test_what_forward_learned_is_one_policy_a_step():
    policy = learned(CASES["forward"], 10)
    assert isinstance(policy, NonStationaryPolicy) and policy.k == 1
    assert [member.answers[:2] for member in policy.members] == [(0, 0), *[(0, 1)] * 9]


def test_no_learner_can_tell_the_fork_from_the_track():
    assert SEEN[0] == SEEN[1] and EXPERT[0] != EXPERT[1]
