"""`policy.newest`: what acts is an average over rounds, and fitting does not notice."""

import pytest
import torch

from dagger_cli.core.errors import ConfigError

from .learners import box_data, equal, learner
from .test_torch_learner import rng

FIT = {"sizes": [8], "gradient_steps": 20, "learning_rate": 1e-2, "warm_start": True}
SHARE = 0.25


def policies(one, n=3):
    """Of n rounds, on the same rows."""
    made = []
    for seed in range(n):
        made.append(one.fit(box_data(200), made[-1] if made else None, rng(seed)).policy)
    return made


def numbers_of(policy):
    return [p.detach() for p in policy.network.parameters()]


def test_what_acts_is_the_average_of_what_was_fitted_without_it():
    plain, averaged = policies(learner(**FIT)), policies(learner(**FIT, newest=SHARE))
    expected = numbers_of(plain[0])
    for theirs, ours in zip(plain, averaged, strict=True):
        expected = [
            torch.lerp(e, p, SHARE) for e, p in zip(expected, numbers_of(theirs), strict=True)
        ]
        for a, b in zip(expected, numbers_of(ours), strict=True):
            assert torch.allclose(a, b, atol=1e-6)
    assert not torch.allclose(numbers_of(plain[-1])[0], numbers_of(averaged[-1])[0], atol=1e-6)


def test_a_policy_that_was_stored_goes_on_as_if_it_had_not_been():
    one = learner(**FIT, newest=SHARE)
    last = policies(one, 2)[-1]
    read = one.unpack(one.pack(last))
    data = box_data(200)
    on, after = (one.fit(data, start, rng(9)).policy for start in (last, read))
    assert equal(one.pack(on), one.pack(after))


@pytest.mark.parametrize("newest", [0.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(newest):
    with pytest.raises(ConfigError, match=r"policy\.newest must be above 0"):
        learner(**FIT, newest=newest)


def test_networks_that_begin_anew_are_not_averaged():
    with pytest.raises(ConfigError, match=r"policy\.warm_start=true"):
        learner(**{**FIT, "warm_start": False}, newest=SHARE)
