"""Closed forms of the weights that the reductions give their members, and of importance weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagger_cli.core.dataset import Dataset, resampled
from dagger_cli.core.policies import NonStationaryPolicy, drawn, without_expert
from dagger_cli.trainers import searn, smile
from tests.toys import Table

share = st.floats(1e-3, 1.0)
count = st.integers(1, 60)
MEMBERS = tuple(Table((i,) * 5) for i in range(60))


@given(share, count)
def test_smile_takes_weight_from_the_expert_alone(alpha, n):
    """pi_n = (1 - a)^n expert + sum_j a (1 - a)^(j - 1) h_j: old weights never change."""
    before, after = smile.weights(alpha, n - 1), smile.weights(alpha, n)
    assert sum(after) == pytest.approx(1, abs=1e-12) and min(after) >= 0
    assert after[0] == pytest.approx((1 - alpha) ** n)
    assert after[-1] == pytest.approx(alpha * (1 - alpha) ** (n - 1))
    assert after[1:-1] == before[1:]


@given(share, count)
def test_searn_shrinks_every_older_weight(beta, n):
    """pi <- (1 - b) pi + b h, the expert's weight included."""
    before, after = searn.weights(beta, n - 1), searn.weights(beta, n)
    assert sum(after) == pytest.approx(1, abs=1e-12) and min(after) >= 0
    assert after[:-1] == pytest.approx([(1 - beta) * weight for weight in before])
    assert after[-1] == beta


@pytest.mark.parametrize("reduction", [smile, searn])
@given(rate=share, n=count)
def test_without_the_expert_the_others_are_scaled_by_what_it_had(reduction, rate, n):
    """Both leave (1 - rate)^n to the expert, so the rest is divided by 1 - (1 - rate)^n."""
    shares = reduction.weights(rate, n)
    deployed = without_expert(MEMBERS[:n], shares)
    assert deployed.members == MEMBERS[:n]
    assert sum(deployed.weights) == pytest.approx(1, abs=1e-12)
    scale = 1 - (1 - rate) ** n
    assert deployed.weights == pytest.approx([weight / scale for weight in shares[1:]], rel=1e-6)


@given(count)
def test_at_rate_one_smile_keeps_its_first_member_and_searn_its_last(n):
    assert without_expert(MEMBERS[:n], smile.weights(1.0, n)).weights == (1.0, *[0.0] * (n - 1))
    assert without_expert(MEMBERS[:n], searn.weights(1.0, n)).weights == (*[0.0] * (n - 1), 1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20).filter(any), st.integers(0, 2**32))
def test_a_member_without_weight_is_never_drawn(raw, seed):
    weights = np.array(raw) / sum(raw)
    chosen = drawn(weights, 200, np.random.default_rng(seed))
    assert (weights[chosen] > 0).all()


@given(st.integers(1, 50), st.integers(1, 30), st.lists(st.integers(0, 2000), min_size=1))
def test_every_step_belongs_to_one_slot_and_the_last_one_goes_on(k, n, steps):
    policy = NonStationaryPolicy(MEMBERS[:n], k)
    slots = policy.slots(np.array(steps))
    assert slots.tolist() == [min(step // k, n - 1) for step in steps]


def weighted(weights):
    n = len(weights)
    rows = np.arange(n)
    obs = rows[:, None].astype(np.float32)
    return Dataset(obs, rows, rows * 10, (n,), np.asarray(weights, np.float32))


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0, 4.0]), min_size=1, max_size=50), st.integers(0, 99))
def test_resampling_keeps_the_size_and_drops_what_costs_nothing(weights, seed):
    data = weighted(weights)
    drawn_rows = resampled(data, np.random.default_rng(seed))
    assert len(drawn_rows) == len(data)
    assert np.array_equal(drawn_rows.labels, drawn_rows.steps * 10)
    if len(set(weights)) > 1:
        assert (data.weights[drawn_rows.steps] > 0).all() and drawn_rows.weights is None
    else:
        assert drawn_rows is data


def test_rows_are_drawn_as_often_as_they_weigh():
    weights = np.repeat([1.0, 3.0], 20_000)
    steps = resampled(weighted(weights), np.random.default_rng(0)).steps
    # Five standard deviations of a share of 40,000 draws: about one chance in two million to fail.
    assert (steps >= 20_000).mean() == pytest.approx(0.75, abs=5 * np.sqrt(0.1875 / 40_000))
