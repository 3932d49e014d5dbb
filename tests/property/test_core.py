"""Laws that hold for all inputs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.schedules import Constant, Exponential, Indicator, Inverse, Linear, Progress

unit = st.floats(0, 1)
by = st.sampled_from(["round", "labels"])
positive = st.floats(0.01, 1e6)
schedules = st.one_of(
    st.builds(Indicator, by),
    st.builds(Linear, unit, unit, positive, by),
    st.builds(Exponential, unit, by),
    st.builds(Constant, unit),
    st.builds(Inverse, positive, by),
)


@given(schedules, st.integers(0, 10_000), st.integers(1, 10_000), unit)
def test_beta_is_a_probability(schedule, round, rounds, share):
    assert 0 <= schedule(Progress(round, rounds, share)) <= 1


@given(st.integers(1, 500), st.integers(0, 10_000))
def test_a_label_budget_is_used_up_exactly_and_evenly(rounds, extra):
    budget = Budget(rounds, None, rounds + extra)
    sizes = [budget.steps(i) for i in range(rounds)]
    assert sum(sizes) == budget.total == rounds + extra
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10, None), "rounds must be at least 1, got 0"),
        ((-3, 10, None), "rounds must be at least 1, got -3"),
        ((5, 0, None), "steps_per_round must be at least 1, got 0"),
        ((5, None, 4), "labels=4 cannot fill rounds=5.*try rounds=4"),
        ((5, 10, 50), "give only one of them"),
        ((5, None, None), "no budget"),
    ],
)
def test_a_budget_that_cannot_work_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Budget(*arguments)


def rows(sizes, begin=0):
    n = sum(sizes)
    numbers = np.arange(begin, begin + n)
    obs = np.stack([numbers, -numbers], 1).astype(np.float32)
    return Dataset(obs, numbers.astype(np.int64), numbers * 10, tuple(sizes))


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(0, 300))
def test_aggregate_never_loses_a_row_nor_the_past(sizes, capacity):
    data, pasts, begin = None, [], 0
    for size in sizes:
        data = aggregate(data, rows([size], begin), capacity=capacity)
        begin += size
        pasts.append((begin, data))
    for total, past in pasts:  # older values are untouched by what came later
        expected = rows([total])
        for column, wanted in zip(past.columns.values(), expected.columns.values(), strict=True):
            assert np.array_equal(column, wanted) and column.dtype == wanted.dtype
    assert data.rounds == tuple(sizes)
    for part, size in zip(data.by_round(), sizes, strict=True):
        assert len(part) == size


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20))
def test_two_branches_from_one_value_do_not_see_each_other(first, second, third):
    trunk = aggregate(None, rows([first]), capacity=100)
    left = aggregate(trunk, rows([second], 1000))
    right = aggregate(trunk, rows([third], 2000))
    assert left.steps.tolist() == [*range(first), *range(1000, 1000 + second)]
    assert right.steps.tolist() == [*range(first), *range(2000, 2000 + third)]


def test_rows_within_the_capacity_are_never_copied_again():
    data = aggregate(None, rows([10]), capacity=30)
    longer = aggregate(data, rows([20], 10))
    assert np.shares_memory(data.obs, longer.obs)
    assert not np.shares_memory(longer.obs, aggregate(longer, rows([1], 30)).obs)


@given(st.integers(1, 60), st.integers(1, 60))
def test_thinned_rows_are_at_most_so_many_and_evenly_spaced(n, most):
    steps = np.arange(n)
    kept = Dataset(steps[:, None], steps, steps, (n,)).thinned(most).steps
    assert len(kept) <= most and kept[0] == 0
    gaps = np.unique(np.diff(kept))
    assert len(gaps) <= 1 and (len(kept) == n or n - 1 - kept[-1] < (gaps[0] if gaps.size else n))
    assert n <= most or 2 * len(kept) > most or most == 1  # no more are left out than need be
