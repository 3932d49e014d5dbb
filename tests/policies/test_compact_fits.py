"""Learners fit compact rows to the same bits as arrays."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.dataset import aggregate
from dagger_cli.core.row_forms import form_of
from dagger_cli.core.types import Space
from dagger_cli.policies.ridge import RidgeLearner
from dagger_cli.policies.svm import SvmLearner

from .learners import BOX, CHOICE, dataset, equal, learner, numbers

FLAGS = Space("box", (70,), "uint8", (0.0,) * 70, (1.0,) * 60 + (255.0,) * 10)
SVM = {"reduction": "all_pairs", "decode": "votes", "regularization": 1e-4, "learning_rate": 0.05}
LEARNERS = {
    "mlp": (learner(FLAGS, CHOICE, normalize=True, batch_size=16), CHOICE),
    "svm": (SvmLearner(observations=FLAGS, actions=CHOICE, row_visits=1500, **SVM), CHOICE),
    "ridge": (RidgeLearner(observations=FLAGS, actions=BOX, regularization=1e-3), BOX),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_a_fit_and_its_loss_are_the_same(name):
    fitter, actions = LEARNERS[name]
    rng = np.random.default_rng(3)
    obs = rng.integers(0, 2, (900, 70)).astype(np.uint8)
    obs[:, 60:] *= 200
    labels = obs[:, 0].astype(np.int64) - obs[:, 61] // 200
    if actions is BOX:
        labels = np.stack([obs[:, 3], obs[:, 65] / 255], 1).astype(np.float32)
    plain = aggregate(None, dataset(obs, labels))
    compact = aggregate(None, dataset(obs, labels), form=form_of(FLAGS, None))
    assert compact.stored.nbytes == 900 * (8 + 10)
    fits = [fitter.fit(data, None, np.random.default_rng(0)) for data in (plain, compact)]
    assert fits[0].loss == fits[1].loss
    assert equal(*(numbers(fitter, fit.policy) for fit in fits))
    losses = {fitter.loss(fits[0].policy, data.thinned(200)) for data in (plain, compact)}
    assert len(losses) == 1
