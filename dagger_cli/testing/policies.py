"""Checks of policies, experts and learners."""

from __future__ import annotations

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.kit import Learner
from dagger_cli.core.types import Expert, Policy, Space
from dagger_cli.testing.drawing import draw, equal, inside, observations


def check_policy(policy: Policy, observation_space: Space, action_space: Space) -> None:
    """Checks shapes, dtypes and bounds of actions, and that equal draws give equal actions."""
    for n in (1, 7):
        acts = policy.act(observations(observation_space, n), np.random.default_rng(0))
        shape, dtype = acts.actions.shape, acts.actions.dtype
        wanted = (n, *action_space.shape)
        assert shape == wanted, f"actions have shape {shape} for {n} observations, not {wanted}"
        assert dtype == action_space.dtype, f"actions are {dtype}, not {action_space.dtype}"
        assert inside(action_space, acts.actions), "actions lie outside the action space"
        flags = acts.from_expert
        assert flags.shape == (n,) and flags.dtype == bool, "from_expert must be (n,) bool"
    seen = observations(observation_space, 9)
    one, two = (policy.act(seen, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.actions, two.actions), "the same random stream gives other actions"
    assert np.array_equal(one.from_expert, two.from_expert), "from_expert differs between calls"
    one.actions[:] = 0  # the caller may write into the returned array
    untouched = observations(observation_space, 9).obs
    assert np.array_equal(seen.obs, untouched), "act changes the observations it is given"


def check_expert(expert: Expert, observation_space: Space, action_space: Space) -> None:
    """Checks an expert as a policy, that every action is the expert's, and its card."""
    check_policy(expert, observation_space, action_space)
    acts = expert.act(observations(observation_space, 5), np.random.default_rng(0))
    assert acts.from_expert.all(), "from_expert must be True in every row of an expert"
    card = expert.card
    assert card.name and card.source, "card.name and card.source must say who the expert is"
    digits = set("0123456789abcdef")
    assert len(card.sha256) == 64 and set(card.sha256) <= digits, "card.sha256 is not a sha256"


def check_learner(learner: Learner, observation_space: Space, action_space: Space) -> None:
    """Checks that fits are reproducible, finite, and survive `pack` and `unpack` bit for bit."""
    rows = (draw(observation_space, 20), np.arange(20), draw(action_space, 20))
    data = Dataset(*rows, (20,))
    before = {name: column.copy() for name, column in data.columns.items()}
    first = learner.fit(data, None, np.random.default_rng(0))
    assert isinstance(first.loss, float) and np.isfinite(first.loss), "the loss must be finite"
    check_policy(first.policy, observation_space, action_space)
    packed = {name: array.copy() for name, array in learner.pack(first.policy).items()}

    again = learner.fit(data, None, np.random.default_rng(0))
    same = again.loss == first.loss and equal(learner.pack(again.policy), packed)
    assert same, "two fits with the same random stream differ"

    back = learner.unpack(packed)
    assert equal(learner.pack(back), packed), "pack(unpack(arrays)) differs from the arrays"
    seen = observations(observation_space, 9, seed=1)
    one, two = (p.act(seen, np.random.default_rng(0)).actions for p in (first.policy, back))
    assert np.array_equal(one, two), "an unpacked policy acts differently"

    new = Dataset(draw(observation_space, 20, 5), np.arange(20), draw(action_space, 20, 6), (20,))
    learner.fit(new, first.policy, np.random.default_rng(1))
    assert equal(learner.pack(first.policy), packed), "fit changes the policy it starts from"
    kept = all(np.array_equal(before[name], column) for name, column in data.columns.items())
    assert kept, "fit changes its data"
    single = learner.fit(data[:1], None, np.random.default_rng(0))
    assert np.isfinite(single.loss), "a fit on a single row must give a finite loss"
    assert np.isfinite(learner.loss(first.policy, data)), "loss must give a finite number"
