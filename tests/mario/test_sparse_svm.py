"""The buttons' support vector machines: close to the optimum, reproducible."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Space
from dagger_cli.policies.sparse_svm import SparseSvmLearner

SEEN = Space("box", (12,), "uint8", (0.0,) * 12, (255.0,) * 12)
PRESSED = Space("multi_binary", (2,), "int8", sizes=(2, 2))


def noisy(n: int) -> Dataset:
    """Two buttons that two bits decide, a tenth of the answers the wrong way round."""
    rng = np.random.default_rng(1)
    obs = rng.integers(0, 256, (n, 12)).astype(np.uint8)
    obs[:, 6:] = 255  # always set, as many of Mario's features are
    labels = np.stack([obs[:, 0] & 1, obs[:, 3] >> 5 & 1], 1).astype(np.int8)
    wrong = rng.random(labels.shape) < 0.1
    return Dataset(obs, np.zeros(n, np.int64), labels ^ wrong, (n,))


def test_the_optimum_is_reached_and_left_no_more():
    data = noisy(2000)
    losses = [
        SparseSvmLearner(observations=SEEN, actions=PRESSED, regularization=1e-3, passes=passes)
        .fit(data, None, np.random.default_rng(0))
        .loss
        for passes in (100, 300)
    ]
    assert abs(losses[0] - losses[1]) < 1e-4
    assert 0.35 < losses[1] < 0.45  # a tenth wrong at a hinge of two, for two buttons: 0.4


@pytest.mark.slow
def test_it_is_the_machine_that_another_solver_finds():
    """Coordinate ascent on the dual in float64, of dense rows, until nothing moves."""
    data, strength = noisy(120), 1e-1
    data.obs[:, 6:] = 0  # the solver below would take long with features that are always set
    learner = SparseSvmLearner(
        observations=SEEN, actions=PRESSED, regularization=strength, passes=300
    )
    fitted = learner.fit(data, None, np.random.default_rng(0))
    bits = np.unpackbits(data.obs, axis=1, bitorder="little")
    rows, n = np.c_[bits, np.ones(len(data))].astype(np.float64), len(data)
    total = 0.0
    for button in range(2):
        sides = 2.0 * data.labels[:, button] - 1
        alphas, best = np.zeros(n), np.zeros(rows.shape[1])
        for i in np.tile(np.arange(n), 1000):
            step = (1 - sides[i] * (rows[i] @ best)) / (rows[i] @ rows[i])
            after = min(max(alphas[i] + step, 0.0), 1 / (strength * n))
            best += (after - alphas[i]) * sides[i] * rows[i]
            alphas[i] = after
        ours = fitted.policy.weights[:, button].astype(np.float64)
        short = [np.maximum(0, 1 - sides * (rows @ w)).mean() for w in (ours, best)]
        values = [strength / 2 * w @ w + s for w, s in zip((ours, best), short, strict=True)]
        assert values[0] == pytest.approx(values[1], rel=1e-3)
        np.testing.assert_allclose(
            fitted.policy.outputs(data.obs)[:, button], rows @ ours, atol=1e-5
        )
        np.testing.assert_allclose(rows @ ours, rows @ best, atol=0.1)
        total += short[0]
    assert fitted.loss == pytest.approx(total, rel=1e-5)


def test_the_same_random_stream_gives_the_same_bits():
    learner = SparseSvmLearner(observations=SEEN, actions=PRESSED, regularization=1e-4, passes=3)
    weights = [
        learner.pack(learner.fit(noisy(300), None, np.random.default_rng(seed)).policy)["weights"]
        for seed in (0, 0, 1)
    ]
    assert weights[0].tobytes() == weights[1].tobytes() != weights[2].tobytes()
