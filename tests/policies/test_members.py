"""Members fitted together are those of fits one after the other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dagger_cli.policies import torch_learner

from .learners import box_data, learner


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    "how_long", [{"gradient_steps": 37, "epochs": None}, {"epochs": 3, "gradient_steps": None}]
)
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_together_is_one_after_the_other(how_long, optimizer):
    one = learner(**how_long, optimizer=optimizer)
    first, second = rng(), rng()
    apart, together = [None] * 3, [None] * 3
    for n in (70, 300):  # from new weights, then from where the members are
        data = box_data(n)
        fits = [one.fit(data, start, first) for start in apart]
        members = one.fit_members(data, together, second)
        apart, together = ([fit.policy for fit in some] for some in (fits, members))
        for a, b in zip(fits, members, strict=True):
            assert a.loss == pytest.approx(b.loss, rel=1e-5)
            for key, array in one.pack(a.policy).items():
                np.testing.assert_allclose(one.pack(b.policy)[key], array, rtol=1e-4, atol=1e-6)
    assert first.random() == second.random()  # as many numbers were drawn


def test_members_own_their_weights():
    """A file of weights in which tensors share their memory would be refused."""
    fits = learner().fit_members(box_data(50), [None, None], rng())
    places = {p.untyped_storage().data_ptr() for f in fits for p in f.policy.network.parameters()}
    assert len(places) == 2 * len(list(fits[0].policy.network.parameters()))


@pytest.mark.parametrize(
    "change", [{"precision": "bfloat16"}, {"optimizer": torch.optim.RMSprop}, {"batch_size": 2**20}]
)
def test_what_cannot_be_batched_is_fitted_one_by_one(change, monkeypatch):
    monkeypatch.setattr(torch_learner, "MemberGradients", None)
    one = replace(learner(), **change)
    data = box_data(50)
    apart, together = rng(), rng()
    alone = [one.fit(data, None, apart) for _ in range(2)]
    fits = one.fit_members(data, [None, None], together)
    assert [fit.loss for fit in fits] == [fit.loss for fit in alone]
