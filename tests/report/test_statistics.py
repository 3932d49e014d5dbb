"""Statistics against numbers worked by hand, and laws for all scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagger_cli.report.figures import Line, _middle
from dagger_cli.report.measures import area, labels_to, share
from dagger_cli.report.statistics import (
    iqm,
    mean_difference,
    mean_interval,
    probability_of_improvement,
    profile,
    stratified,
    student_t,
)

SCORES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8).map(np.array)


@pytest.mark.parametrize(
    ("scores", "middle"),
    [
        ([1, 2, 3], 2.0),  # under four all count
        ([0, 1, 2, 100], 1.5),  # one dropped at each end
        ([0, 1, 2, 3, 4, 5, 6, 100], 3.5),  # two at each end: (2 + 3 + 4 + 5) / 4
        ([0, 1, 2, 3, 100], 2.0),  # int(5 / 4) = 1 at each end
    ],
)
def test_the_interquartile_mean(scores, middle):
    assert iqm(np.array(scores[::-1], float)) == middle


@given(SCORES)
@settings(max_examples=20, deadline=None)
def test_bounds_of_a_bootstrap_are_within_the_scores_and_around_the_value(scores):
    estimate = stratified([scores])
    low, high = estimate.interval
    assert scores.min() - 1e-9 <= low <= high <= scores.max() + 1e-9
    assert low - 1e-9 <= estimate.value <= high + 1e-9 or len(set(scores)) > 1


def test_a_bootstrap_draws_within_each_task():
    # Without strata, draws would mix the tasks and the mean of all would vary.
    tasks = [np.array([0.0, 0.0]), np.array([10.0, 10.0])]
    estimate = stratified(tasks, lambda drawn: drawn.mean(-1))
    assert estimate.value == 5 and estimate.interval == (5, 5)


def test_the_interval_of_two_values_is_their_range():
    # Each repetition has the mean 0, 1/2 or 1 with 1/4, 1/2, 1/4: 2.5 % below is 0, above 1.
    assert mean_difference(np.array([0.0, 1.0])).interval == (0, 1)


def test_one_run_has_no_interval():
    assert stratified([np.array([3.0])]) == (3.0, None)
    assert probability_of_improvement([np.array([3.0])], [np.array([2.0])]) == (1.0, None)
    assert mean_interval(np.array([3.0])) is None


def test_the_same_scores_give_the_same_interval():
    scores = np.arange(7.0) ** 2
    assert stratified([scores]) == stratified([scores])


def test_the_probability_of_improvement_counts_pairs():
    a, b = np.array([1.0, 2, 3]), np.array([0.0, 2, 2])
    # 1 beats 0; 2 beats 0 and ties twice; 3 beats all: (1 + 1 + 2 / 2 + 3) / 9
    assert probability_of_improvement([a], [b]).value == pytest.approx(6 / 9)
    assert probability_of_improvement([b], [a]).value == pytest.approx(3 / 9)


def test_tasks_count_equally_in_the_probability_of_improvement():
    wins, loses = [np.array([1.0, 1.0, 1.0, 1.0]), np.array([0.0])], [np.zeros(4), np.array([1.0])]
    assert probability_of_improvement(wins, loses).value == 0.5


def test_its_interval_is_that_of_runs_drawn_anew():
    """Both sides of every task drawn with replacement, one draw after the other."""
    rng, tasks = np.random.default_rng(5), ((6, 4), (5, 7))
    better = [rng.normal(0.5, 1, n).round(1) for n, _ in tasks]
    worse = [rng.normal(0, 1, n).round(1) for _, n in tasks]
    drawn = []
    for _ in range(4000):
        shares = []
        for a, b in zip(better, worse, strict=True):
            ours, theirs = (x[rng.integers(len(x), size=len(x))] for x in (a, b))
            shares.append(np.mean([(x > y) + 0.5 * (x == y) for x in ours for y in theirs]))
        drawn.append(np.mean(shares))
    found = probability_of_improvement(better, worse).interval
    assert found == pytest.approx(np.percentile(drawn, (2.5, 97.5)), abs=0.02)


@pytest.mark.parametrize("statistic", [iqm, lambda drawn: drawn.mean(-1)])
def test_a_bootstraps_interval_is_that_of_runs_drawn_anew(statistic):
    rng = np.random.default_rng(5)
    tasks = [rng.normal(0, 1, 8), rng.normal(3, 2, 8)]
    drawn = [
        statistic(np.concatenate([x[rng.integers(len(x), size=len(x))] for x in tasks]))
        for _ in range(4000)
    ]
    found = stratified(tasks, statistic).interval
    assert found == pytest.approx(np.percentile(drawn, (2.5, 97.5)), abs=0.12)


def test_a_mean_curve_is_over_the_labels_that_all_seeds_have():
    """Seeds with rounds of other sizes are read between their rounds; the ends are not made up."""
    one = np.array([100.0, 200, 300, 400]), np.array([0.0, 10, 20, 30])
    other = np.array([150.0, 350, 500]), np.array([4.0, 8, 100])
    x, mean, deviation = _middle(Line("a", (one, other)), 60)
    assert x.tolist() == [150, 200, 300, 350, 400]
    ours, theirs = np.array([5.0, 10, 20, 25, 30]), np.array([4, 5, 7, 8, 8 + 92 / 3])
    assert mean == pytest.approx((ours + theirs) / 2)
    assert deviation == pytest.approx(np.abs(ours - theirs) / np.sqrt(2))
    assert len(_middle(Line("a", (one, other)), 3)[0]) == 3
    apart = Line("a", (one, (np.array([500.0]), np.array([1.0]))))
    assert _middle(apart, 60) is None


@given(SCORES, SCORES)
@settings(max_examples=20, deadline=None)
def test_the_two_probabilities_sum_to_one(a, b):
    total = probability_of_improvement([a], [b]).value + probability_of_improvement([b], [a]).value
    assert total == pytest.approx(1)


def test_a_profile_is_the_fraction_above():
    above, low, high = profile([np.array([0.5, 1.0, 1.0, 1.5])], np.array([0.0, 0.5, 1.0, 2.0]))
    assert above.tolist() == [1, 0.75, 0.25, 0]
    assert (low <= above).all() and (above <= high).all()


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.706), (4, 2.776), (10, 2.228), (11, 2.201), (20, 2.086), (30, 2.042), (120, 1.980)],
)
def test_quantiles_of_student(freedom, quantile):
    assert student_t(freedom) == pytest.approx(quantile, abs=6e-4)


def test_the_interval_of_a_mean():
    means = np.array([1.0, 2, 3, 4, 5])  # deviation 1.5811; 2.776 * 1.5811 / sqrt(5) = 1.963
    assert mean_interval(means) == pytest.approx(1.963, abs=1e-3)


@pytest.mark.parametrize(
    ("returns", "expert", "shares"),
    [
        ([50.0, 110.0], 100.0, [0.5, 1.1]),
        ([-160.0, -80.0], -100.0, [0.4, 1.2]),  # 60 % of |expert| worse, and 20 % better
        ([1.0], 0.0, [np.nan]),
    ],
)
def test_the_share_of_the_expert(returns, expert, shares):
    assert share(np.array(returns), expert) == pytest.approx(shares, nan_ok=True)


@pytest.mark.parametrize(
    ("expert", "curve", "labels"),
    [
        (100.0, [[10, 94.9], [20, 95.0], [30, 10]], 20),
        (100.0, [[10, 50], [20, 94]], np.inf),
        (-100.0, [[10, -106], [20, -105], [30, -90]], 20),  # 5 % below, whatever the sign
    ],
)
def test_labels_to_reach_95_percent_of_the_expert(expert, curve, labels):
    assert labels_to(*np.array(curve, float).T, expert, 0.95) == labels


def test_the_area_is_the_mean_over_labels():
    # Trapezoids: 100 labels at a mean of 0.5, then 300 at 1.
    assert area(np.array([0.0, 100, 400]), np.array([0.0, 1.0, 1.0])) == pytest.approx(350 / 400)
    assert area(np.array([100.0]), np.array([0.7])) == 0.7
    assert np.isnan(area(np.array([]), np.array([])))
