"""Batched members of a mixture return the same as each network alone."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest

from dagger_cli.core import policies
from dagger_cli.core.policies import Ensemble, Mixture, act_each
from dagger_cli.core.types import Acts, Observation
from dagger_cli.policies.torch_policy import TorchPolicy

from .learners import (
    BOX,
    CHOICE,
    OBS,
    SWITCHES,
    box_data,
    choice_data,
    dataset,
    learner,
    looks,
    observation,
)


class Expert:
    def act(self, observation, rng):
        return Acts(
            np.full((len(observation), 2), 9.0, np.float32), np.ones(len(observation), bool)
        )


def fitted(n, space=BOX, **changes):
    data = {BOX: box_data(20), CHOICE: choice_data(20)}.get(space)
    if data is None:
        data = dataset(looks(20), np.random.default_rng(0).integers(0, 2, (20, 2), np.int8))
    one, rng = learner(OBS, space, gradient_steps=3, **changes), np.random.default_rng(0)
    return tuple(one.fit(data, None, rng).policy for _ in range(n))


def alone(members, chosen, rows: Observation):
    rng = np.random.default_rng(0)
    parts = [members[m].act(rows[[i]], rng).actions[0] for i, m in enumerate(chosen)]
    return np.stack(parts)


@pytest.mark.parametrize("space", [BOX, CHOICE, SWITCHES], ids=["box", "choice", "switches"])
@pytest.mark.parametrize("changes", [{"sizes": []}, {"sizes": [8, 5], "activation": "gelu"}])
def test_twenty_networks_in_one_pass_answer_as_each_alone(space, changes):
    members, seen = fitted(20, space, **changes), looks(300, seed=1)
    seen[::5] *= 1e3  # beyond the ten deviations at which observations are cut off
    rows = observation(seen)
    chosen = np.random.default_rng(2).integers(0, 18, 300)  # two of them have no row
    with mock.patch.object(TorchPolicy, "act", side_effect=AssertionError("called alone")):
        together = act_each(members, chosen, rows, np.random.default_rng(0))
    assert together.actions.tobytes() == alone(members, chosen, rows).tobytes()
    assert together.actions.dtype == space.dtype and not together.from_expert.any()


def test_the_expert_answers_its_rows_beside_them():
    members = (Expert(), *fitted(3))
    rows, chosen = observation(looks(40)), np.arange(40) % 4
    acts = act_each(members, chosen, rows, np.random.default_rng(0))
    assert np.array_equal(acts.from_expert, chosen == 0) and (acts.actions[chosen == 0] == 9).all()
    assert acts.actions.tobytes() == alone(members, chosen, rows).tobytes()


def test_many_rows_go_to_each_network_by_itself_and_are_answered_alike():
    members, n = fitted(4), policies.FEW_ROWS + 1
    rows, chosen = observation(looks(n)), np.arange(n) % 4
    with mock.patch.object(TorchPolicy, "act_for", side_effect=AssertionError("called together")):
        separate = act_each(members, chosen, rows, np.random.default_rng(0))
    with mock.patch.object(policies, "FEW_ROWS", n):
        together = act_each(members, chosen, rows, np.random.default_rng(0))
    assert separate.actions.tobytes() == together.actions.tobytes()


def test_a_mixture_does_not_depend_on_what_was_stacked_before():
    """Stacks are remembered by their networks, and others may be of the same shape."""
    first, second = fitted(3), fitted(4)[1:]
    rows, chosen = observation(looks(30)), np.arange(30) % 3
    for members in (first, second, first):
        acts = act_each(members, chosen, rows, np.random.default_rng(0))
        assert acts.actions.tobytes() == alone(members, chosen, rows).tobytes()


def test_an_ensemble_is_the_mean_of_its_members_answers():
    members, rows, rng = fitted(5), observation(looks(30)), np.random.default_rng(0)
    answers = np.stack([member.act(rows, rng).actions for member in members])
    ensemble = Ensemble(members, BOX)
    assert ensemble.answers(rows, rng).tobytes() == answers.tobytes()
    mean = answers.mean(0, dtype=np.float64).astype(np.float32)
    assert np.array_equal(ensemble.act(rows, rng).actions, mean)


def test_a_mixture_of_networks_draws_as_before():
    members, rows = fitted(3), observation(looks(50))
    drawn = policies.drawn((0.5, 0.3, 0.2), 50, np.random.default_rng(7))
    acts = Mixture(members, (0.5, 0.3, 0.2)).act(rows, np.random.default_rng(7))
    assert acts.actions.tobytes() == alone(members, drawn, rows).tobytes()
