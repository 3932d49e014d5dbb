"""Ridge regression: worked by hand, against numpy's least squares, and its laws."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset, aggregate
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.types import Space
from dagger_cli.policies.ridge import RidgeLearner
from tests.policies.learners import BOX, CHOICE, INF, OBS, SWITCHES, dataset, looks, observation

ONE = Space("box", (1,), "float32", (-INF,), (INF,))
STEERING = Space("box", (1,), "float32", (-1.0,), (1.0,))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def learner(observations: Space = OBS, actions: Space = BOX, lambda_: float = 1e-3) -> RidgeLearner:
    return RidgeLearner(observations=observations, actions=actions, regularization=lambda_)


def labels(n: int, seed: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(seed).uniform((-1, 0), (3, 1), (n, 2))
    return drawn.astype(np.float32)


def test_two_points_worked_by_hand():
    """x = 0, 2 and y = -0.5, 0.5: variance 1, covariance 0.5, so w = 0.5 / (1 + lambda / 2)."""
    data = dataset(np.float32([[0], [2]]), np.float32([[-0.5], [0.5]]))
    for lambda_, slope in ((1e-9, 0.5), (2.0, 0.25), (6.0, 0.125)):
        fitted = learner(ONE, STEERING, lambda_).fit(data, None, rng())
        weights = fitted.policy.weights.ravel()
        assert weights == pytest.approx([slope, -slope], rel=1e-6)  # passes through (1, 0)
        assert fitted.loss == pytest.approx((slope - 0.5) ** 2, abs=1e-9)


@pytest.mark.parametrize("lambda_", [1e-6, 1e-3, 10.0])
def test_equals_least_squares_with_extra_rows(lambda_):
    """1/N |Xw + b - y|^2 + lambda/2 |w|^2 is 1/N times a square with rows sqrt(N lambda/2) more."""
    n, obs = 40, looks(40)
    y = (labels(n).astype(np.float64) - [1.0, 0.5]) / [2.0, 0.5]  # in units of half the range
    rows = np.concatenate([obs.astype(np.float64), np.ones((n, 1))], axis=1)
    extra = np.sqrt(n * lambda_ / 2) * np.eye(3, 4)
    solution = np.linalg.lstsq(
        np.concatenate([rows, extra]), np.concatenate([y, np.zeros((3, 2))]), rcond=None
    )[0]
    fitted = learner(lambda_=lambda_).fit(dataset(obs, labels(n)), None, rng())
    assert fitted.policy.weights == pytest.approx(solution, rel=1e-6, abs=1e-9)
    assert fitted.loss == pytest.approx(((rows @ solution - y) ** 2).mean(), rel=1e-9)


def test_actions_are_within_their_bounds_and_of_their_type():
    policy = learner().fit(dataset(looks(20), labels(20)), None, rng()).policy
    actions = policy.act(observation(100 * looks(50, 7)), rng()).actions
    assert actions.dtype == np.float32 and actions.shape == (50, 2)
    assert (actions >= [-1, 0]).all() and (actions <= [3, 1]).all()
    whole = Space("box", (2,), "int64", (0.0, -5.0), (10.0, 5.0))
    fitted = learner(actions=whole).fit(dataset(looks(9), np.ones((9, 2), np.int64)), None, rng())
    assert (fitted.policy.act(observation(looks(3)), rng()).actions == 1).all()


def test_an_action_does_not_depend_on_the_other_rows():
    policy = learner().fit(dataset(looks(20), labels(20)), None, rng()).policy
    rows = looks(64, 5)
    together = policy.outputs(rows)
    assert all(np.array_equal(policy.outputs(rows[i : i + 1])[0], together[i]) for i in range(64))


def test_members_of_a_mixture_act_in_one_pass_as_they_act_alone():
    fits = [learner().fit(dataset(looks(20, i), labels(20, i)), None, rng()) for i in range(3)]
    members, seen = [fitted.policy for fitted in fits], observation(looks(60, 5))
    chosen = np.arange(60) % 3
    together = members[0].act_for(members, chosen, seen)
    alone = np.stack([member.act(seen, rng()).actions for member in members])
    assert np.array_equal(together, alone[chosen, np.arange(60)])


def test_rounds_added_one_by_one_give_the_same_bits_as_all_at_once():
    data, one = None, learner()
    for i in range(4):
        data = aggregate(data, dataset(looks(30, i), labels(30, i)))
        last = one.fit(data, None, rng())
    assert np.array_equal(last.policy.weights, learner().fit(data, None, rng()).policy.weights)
    other = aggregate(None, dataset(looks(30, 9), labels(30, 9)))  # after other rows, too
    again = learner().fit(other, None, rng())
    assert np.array_equal(one.fit(other, None, rng()).policy.weights, again.policy.weights)


def test_members_of_an_ensemble_differ_as_the_errors_of_their_estimate_do():
    """The spread over bootstrap samples is near the spread over new samples (Efron 1979)."""
    n, many = 200, 200
    slope = [
        learner().fit(dataset(looks(n, i), labels(n, i)), None, rng()).policy.weights
        for i in range(many)
    ]
    data = dataset(looks(n, 0), labels(n, 0))
    fits = learner().fit_members(data, (None,) * many, rng())
    drawn = [fitted.policy.weights for fitted in fits]
    assert np.std(drawn, axis=0) == pytest.approx(np.std(slope, axis=0), rel=0.35)
    again = learner().fit_members(data, (None,) * many, rng())
    assert all(np.array_equal(a.policy.weights, b) for a, b in zip(again, drawn, strict=True))


def test_packing_is_exact_and_altered_arrays_are_refused():
    one = learner()
    fitted = one.fit(dataset(looks(20), labels(20)), None, rng())
    arrays = one.pack(fitted.policy)
    assert np.array_equal(one.unpack(arrays).weights, fitted.policy.weights)
    for wrong in ({}, {"weights": arrays["weights"][:2]}):
        with pytest.raises(CheckpointError, match="another shape"):
            one.unpack(wrong)
    with pytest.raises(CheckpointError, match="not finite"):
        one.unpack({"weights": np.full_like(arrays["weights"], np.nan)})


def test_images_are_flattened():
    space = Space("box", (4, 5, 3), "uint8", (0.0,) * 60, (255.0,) * 60)
    obs = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 3)).astype(np.uint8)
    data = Dataset(obs, np.zeros(30, np.int64), (obs[:, 0, 0, :1] / 255).astype(np.float32), (30,))
    fitted = learner(space, STEERING, 1e-9).fit(data, None, rng())
    assert fitted.loss < 1e-9


@pytest.mark.parametrize(
    ("observations", "actions", "lambda_", "words"),
    [
        (OBS, CHOICE, 1e-3, "needs Box actions, but the actions here are discrete"),
        (OBS, SWITCHES, 1e-3, "needs Box actions, but the actions here are multi_binary"),
        (CHOICE, BOX, 1e-3, "needs Box observations, but they are discrete"),
        (OBS, BOX, 0.0, r"policy.regularization must be > 0, got 0.0; try 0.001"),
        (OBS, BOX, -1.0, r"policy.regularization must be > 0"),
        (Space("box", (90, 90, 3), "uint8", (0.0,) * 24300, (255.0,) * 24300), BOX, 1.0, "20,000"),
    ],
)
def test_bad_values_are_refused(observations, actions, lambda_, words):
    with pytest.raises(ConfigError, match=words):
        learner(observations, actions, lambda_)
