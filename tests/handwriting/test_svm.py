"""The linear support vector machines: objective, predictions, speed."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.types import Observation, Space
from dagger_cli.policies.svm import SvmLearner, SvmPolicy

PLANE = Space("box", (2,), "float32", (-9.0,) * 2, (9.0,) * 2)
THREE = Space("discrete", (), "int64", sizes=(3,), start=5)


def learner(**changes) -> SvmLearner:
    values = {
        "observations": PLANE,
        "actions": THREE,
        "reduction": "all_pairs",
        "decode": "margins",
        "regularization": 1e-4,
        "learning_rate": 0.05,
        "row_visits": 20_000,
    }
    return SvmLearner(**(values | changes))


def three_clouds(n: int = 300) -> Dataset:
    """Classes in a row: the middle one cannot be cut off from the rest by one line."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n)
    points = rng.normal(0, 0.2, (n, 2)) + np.stack([2.0 * labels - 2.0, np.zeros(n)], 1)
    return Dataset(points.astype(np.float32), np.zeros(n, np.int64), labels + 5, (n,))


def observation(obs: np.ndarray) -> Observation:
    return Observation(obs, np.zeros(len(obs), np.int64))


def fitted(data: Dataset, seed: int = 0, **changes):
    return learner(**changes).fit(data, None, np.random.default_rng(seed))


def accuracy(policy: SvmPolicy, data: Dataset) -> float:
    answers = policy.act(observation(data.obs), np.random.default_rng(0)).actions
    return float((answers == data.labels).mean())


@pytest.mark.parametrize("decode", ["votes", "margins"])
def test_all_pairs_separates_what_one_against_the_rest_cannot(decode):
    data = three_clouds()
    pairs, rest = (fitted(data, reduction=r) for r in ("all_pairs", "one_vs_rest"))
    assert accuracy(fitted(data, decode=decode).policy, data) == 1
    assert learner().loss(pairs.policy, data) < 0.05
    # A third of the rows are in the middle, on the wrong side of any line or close to it.
    assert learner(reduction="one_vs_rest").loss(rest.policy, data) > 0.5


def test_scores_are_won_matches_by_hand():
    # Pairs in the order 0-1, 0-2, 1-2; margins 0.5, -3, 0.2: class 2 beats 0, 1 beats 2, 0 beats 1.
    weights = np.array([[0, 0, 0], [0, 0, 0], [0.5, -3, 0.2]], np.float32)
    here = observation(np.zeros((1, 2), np.float32))
    votes = SvmPolicy(weights, THREE, "all_pairs", "votes")
    np.testing.assert_allclose(votes.scores(here), [[0, 0, 0]])
    by_margin = replace(votes, decode="margins").scores(here)
    np.testing.assert_allclose(by_margin, [[(0.5 - 1) / 2, (-0.5 + 0.2) / 2, (1 - 0.2) / 2]])
    acts = replace(votes, decode="margins").act(here, np.random.default_rng(0))
    assert (
        acts.actions.tolist() == [7]
        and acts.actions.dtype == np.int64
        and not acts.from_expert.any()
    )


@pytest.mark.parametrize("reduction", ["all_pairs", "one_vs_rest"])
def test_finds_the_minimum_of_its_objective(reduction):
    """No hyperplane gets better by more than 2 % where it is moved a little, whichever way."""
    data = three_clouds(200)
    strong = {"regularization": 0.05, "learning_rate": 0.02, "row_visits": 400_000}
    strong["reduction"] = reduction
    weights = fitted(data, **strong).policy.weights.astype(np.float64)
    rows = np.c_[data.obs, np.ones(len(data))]
    own = learner(**strong)
    pairs = list(combinations(range(3), 2))

    def objective(column: int, w: np.ndarray) -> float:
        labels = data.labels - 5
        if reduction == "all_pairs":
            one, other = pairs[column]
            side = np.where(labels == one, 1.0, np.where(labels == other, -1.0, 0.0))
        else:
            side = np.where(labels == column, 1.0, -1.0)
        hinge = np.maximum(0, 1 - side * (rows @ w)) * np.abs(side)
        return own.regularization / 2 * (w @ w) + hinge.mean()

    rng = np.random.default_rng(1)
    for column in range(3):
        found = objective(column, weights[:, column])
        moved = weights[:, column] + rng.normal(0, 0.05, (200, 3))
        assert found <= min(objective(column, w) for w in moved) * 1.02 + 1e-4


def test_loss_is_the_sum_of_the_concerned_hinges():
    weights = np.zeros((3, 3), np.float32)
    weights[2] = [0.5, -3, 0.2]
    data = Dataset(np.zeros((2, 2), np.float32), np.zeros(2, np.int64), np.array([5, 7]), (2,))
    policy = SvmPolicy(weights, THREE, "all_pairs", "margins")
    # Class 0: 1 - 0.5 and 1 + 3; class 2: 1 - 3 (none) and 1 + 0.2.
    assert learner().loss(policy, data) == pytest.approx((0.5 + 4 + 1.2) / 2)
    rest = SvmPolicy(weights, THREE, "one_vs_rest", "margins")
    first, last = (1 - 0.5) + 0 + (1 + 0.2), (1 + 0.5) + 0 + (1 - 0.2)
    assert learner(reduction="one_vs_rest").loss(rest, data) == pytest.approx((first + last) / 2)


def test_same_stream_same_weights_and_a_round_trip_keeps_every_bit():
    data = three_clouds()
    one, two, other = (fitted(data, seed).policy.weights for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()
    own = learner()
    policy = fitted(data).policy
    again = own.unpack({k: v.copy() for k, v in own.pack(policy).items()})
    np.testing.assert_array_equal(again.weights, policy.weights)
    for damaged in ({}, {"weights": one[:2]}, {"weights": one, "more": one}):
        with pytest.raises(CheckpointError, match="another shape"):
            own.unpack(damaged)


def test_an_answer_does_not_depend_on_its_neighbours():
    obs = np.random.default_rng(3).normal(size=(97, 2)).astype(np.float32)
    policy = fitted(three_clouds()).policy
    together = policy.scores(observation(obs))
    np.testing.assert_array_equal(
        together, np.concatenate([policy.scores(observation(obs[i : i + 1])) for i in range(97)])
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reduction": "ecoc"}, "policy.reduction must be all_pairs or one_vs_rest"),
        ({"decode": "beam"}, "policy.decode must be votes or margins"),
        ({"regularization": -1.0}, "policy.regularization"),
        ({"regularization": 1.0, "learning_rate": 1.0}, "does not converge"),
        ({"learning_rate": 0.0}, "policy.learning_rate"),
        ({"row_visits": 0}, "policy.row_visits"),
        ({"actions": PLANE}, "policy=svm needs discrete actions"),
    ],
)
def test_bad_values(changes, says):
    with pytest.raises(ConfigError, match=says):
        learner(**changes)


BITS = Space("box", (5,), "uint8", (0.0,) * 5, (255.0,) * 5)
PAIRS = {"reduction": "one_vs_rest", "pairs": True}


def products(obs: np.ndarray) -> np.ndarray:
    rows = obs.astype(np.float32)
    first, second = np.triu_indices(rows.shape[1], 1)
    return np.concatenate([rows, rows[:, first] * rows[:, second]], 1)


def table(rows: int, high: int = 2) -> Dataset:
    rng = np.random.default_rng(1)
    obs = rng.integers(0, high, (rows, 5), dtype=np.uint8)
    labels = 5 + obs[:, 0] % 2 + obs[:, 1] % 2 * (obs[:, 2] % 2)  # 5 to 7
    return Dataset(obs, np.zeros(rows, np.int64), labels.astype(np.int64), (rows,))


@pytest.mark.parametrize("high", [2, 4])
def test_pairs_are_a_linear_machine_on_explicit_products(high):
    data = table(200, high)
    wide = Space("box", (15,), "float32", (0.0,) * 15, (9.0,) * 15)
    explicit = replace(data, stored=products(data.obs))
    pairs = fitted(data, observations=BITS, learning_rate=0.01, **PAIRS)
    same = fitted(explicit, observations=wide, learning_rate=0.01, reduction="one_vs_rest")
    np.testing.assert_allclose(pairs.policy.weights, same.policy.weights, rtol=0, atol=1e-4)
    assert pairs.loss == pytest.approx(same.loss, rel=1e-4)
    margins = products(data.obs) @ pairs.policy.weights[:-1] + pairs.policy.weights[-1]
    np.testing.assert_allclose(pairs.policy.outputs(data.obs), margins, atol=1e-4)


def test_pairs_learn_what_no_line_separates():
    rng = np.random.default_rng(0)
    obs = rng.integers(0, 2, (400, 5), dtype=np.uint8)
    data = Dataset(
        obs, np.zeros(400, np.int64), 5 + (obs[:, 0] ^ obs[:, 1]).astype(np.int64), (400,)
    )
    linear = fitted(data, observations=BITS, reduction="one_vs_rest").policy
    assert accuracy(linear, data) < 0.8
    assert accuracy(fitted(data, observations=BITS, **PAIRS).policy, data) == 1


def test_rows_with_pairs_do_not_depend_on_their_batch_and_survive_a_checkpoint():
    data = table(50)
    machine = learner(observations=BITS, **PAIRS)
    policy = machine.fit(data, None, np.random.default_rng(0)).policy
    alone = np.concatenate([policy.outputs(data.obs[i : i + 1]) for i in range(50)])
    np.testing.assert_array_equal(policy.outputs(data.obs), alone)
    again = machine.unpack(machine.pack(policy))
    np.testing.assert_array_equal(again.outputs(data.obs), alone)
    assert machine.loss(again, data) == machine.loss(policy, data)


def test_an_exported_policy_with_pairs_computes_the_same():
    import torch

    data = table(50)
    policy = fitted(data, observations=BITS, **PAIRS).policy
    with torch.no_grad():
        acts, _ = policy.as_module()(torch.from_numpy(data.obs))
    expected = policy.act(observation(data.obs), np.random.default_rng(0)).actions
    np.testing.assert_array_equal(acts.numpy().ravel(), expected)


def test_pairs_are_refused_with_all_pairs_of_classes_and_with_too_many_inputs():
    with pytest.raises(ConfigError, match=r"policy\.reduction=one_vs_rest"):
        learner(pairs=True)
    wide = Space("box", (20_000,), "uint8", (0.0,) * 20_000, (255.0,) * 20_000)
    with pytest.raises(ConfigError, match=r"products of 20,000 inputs"):
        learner(observations=wide, **PAIRS)
