"""The network for letters: layout of observations, and randomness from the run's generator."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.seeds import TRAIN_SEEDS
from dagger_cli.core.types import Observation, Space
from dagger_cli.policies.glyphs import Layout, Shift, glyphs_learner

from .conftest import source


def learner(made=None, **changes):
    made = made or source(history=2, before=1, after=1)
    values = {
        "image": [16, 8],
        "history": made.config.history,
        "encoder": "dense",
        "code": 16,
        "sizes": [32],
        "dropout": 0.2,
        "shift": 1,
        "loss": "auto",
        "threads": 1,
        "optimizer": "adam",
        "learning_rate": 3e-3,
        "weight_decay": 0.0,
        "batch_size": 64,
        "gradient_steps": 150,
        "epochs": None,
        "warm_start": True,
        "decay": True,
    }
    return glyphs_learner(made.observation_space, made.action_space, **(values | changes))


def labelled(made, part="train") -> Dataset:
    """Every letter of a part of the words, read with the true history."""
    words = getattr(made.split, part)
    env = made.open(len(words))
    slots = np.arange(len(words))
    env.reset(slots, slots + (TRAIN_SEEDS.start if part == "train" else 0))
    obs, labels = [], []
    while slots.size:
        observation = env.observation[slots]
        obs.append(observation.obs.copy())
        labels.append(observation.privileged.copy())
        slots = slots[~env.step(slots, observation.privileged).ended]
    n = sum(map(len, labels))
    return Dataset(np.concatenate(obs), np.zeros(n, np.int64), np.concatenate(labels), (n,))


@pytest.mark.parametrize("encoder", ["conv", "dense"])
@pytest.mark.slow
def test_learns_to_read(encoder):
    made = source(history=2, before=1, after=1)
    own = learner(made, encoder=encoder, sizes=[64], code=32, gradient_steps=250)
    policy = own.fit(labelled(made), None, np.random.default_rng(0)).policy
    test = labelled(made, "test")
    observation = Observation(test.obs, test.steps)
    answers = policy.act(observation, np.random.default_rng(0)).actions
    assert (answers == test.labels).mean() > 0.6  # by chance 0.04
    scores = policy.scores(observation)
    np.testing.assert_allclose(np.exp(scores).sum(1), 1, rtol=1e-4)
    np.testing.assert_array_equal(scores.argmax(1), answers)


def test_fitting_draws_from_its_own_stream_alone():
    made = source(history=2, before=1, after=1)
    data = labelled(made, "test")
    own = learner(made, gradient_steps=5)
    weights = []
    for global_seed, seed in ((1, 0), (2, 0), (2, 1)):
        torch.manual_seed(global_seed)
        before = torch.get_rng_state()
        weights.append(own.pack(own.fit(data, None, np.random.default_rng(seed)).policy))
        assert torch.equal(torch.get_rng_state(), before)
    one, two, other = weights
    assert all((one[name] == two[name]).all() for name in one)
    assert any((one[name] != other[name]).any() for name in one)


def test_a_fitted_network_neither_shifts_nor_drops():
    made = source(history=2, before=1, after=1)
    data = labelled(made, "test")
    policy = learner(made, gradient_steps=5).fit(data, None, np.random.default_rng(0)).policy
    observation = Observation(data.obs, data.steps)
    np.testing.assert_array_equal(policy.scores(observation), policy.scores(observation))
    np.testing.assert_allclose(
        policy.scores(observation[:1]), policy.scores(observation)[:1], rtol=1e-5, atol=1e-6
    )


def test_shift_moves_all_letters_of_a_row_alike_and_loses_nothing_inside():
    shift = Shift(1).train()
    images = torch.zeros(200, 3, 16, 8)
    images[:, :, 5, 4] = 1
    torch.manual_seed(0)
    moved = shift(images)
    assert moved.shape == images.shape and (moved.sum((2, 3)) == 1).all()
    assert (moved[:, 0] == moved[:, 1]).all() and (moved[:, 0] == moved[:, 2]).all()
    places = {tuple(place) for place in moved[:, 0].nonzero()[:, 1:].tolist()}
    assert places == {(y, x) for y in (4, 5, 6) for x in (3, 4, 5)}
    assert shift.eval()(images) is images


def test_layout():
    made = source(history=2, before=1, after=1)
    assert Layout.of(made.observation_space, [16, 8], 52) == Layout((16, 8), 3, 52)
    wide = Space("box", (100,), "uint8", (0.0,) * 100, (1.0,) * 100)
    for image, history in (([16, 8], 0), ([16], 0), ([2, 2], 0), ([10, 10], 100)):
        with pytest.raises(ConfigError, match="policy=glyphs cannot read"):
            Layout.of(wide, image, history)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"encoder": "rnn"}, "policy.encoder must be conv or dense"),
        ({"dropout": 1.0}, "policy.dropout"),
        ({"sizes": [0]}, "policy.sizes"),
        ({"shift": -1}, "policy.shift"),
    ],
)
def test_bad_values(changes, says):
    with pytest.raises(ConfigError, match=says):
        learner(**changes)
