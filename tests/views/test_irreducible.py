"""The estimate of what a view hides, against problems whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.past import in_episodes
from dagger_cli.core.types import Space
from dagger_cli.loop import irreducible as irreducible_module
from dagger_cli.loop.advice import advice
from dagger_cli.loop.irreducible import irreducible
from dagger_cli.loop.regret import HIDDEN_GAP, HINDSIGHT_GAP
from tests.e2e.running import metrics, train
from tests.unit.test_advice import scored

BOX = Space("box", (1,), "float32", (-1.0,), (1.0,))
CHOICE = Space("discrete", (), "int64", sizes=(2,))


def bound(obs, labels, actions):
    n = len(obs)
    return irreducible(Dataset(obs, np.zeros(n, np.int64), labels, (n,)), actions, 8)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("n", [300, 20_000])
def test_noise_of_labels_is_found_and_their_slope_is_not_noise(size, n, rng):
    x = rng.uniform(-1, 1, (n, size))
    smooth = np.sin(3 * x[:, :1]) / 2
    assert bound(x, smooth.astype(np.float32), BOX) < 0.01
    for sigma in (0.1, 0.3):
        noisy = (smooth + sigma * rng.standard_normal((n, 1))).astype(np.float32)
        # Half of the mean difference of two draws, relative to the range 2.
        assert bound(x, noisy, BOX) == pytest.approx(sigma / np.sqrt(np.pi) / 2, rel=0.25)


def by_hand(obs, labels, n_envs):
    """The estimate again, row by row; all rows are compared."""
    x = (obs - obs.mean(0)) / obs.std(0)
    near = min(20 * n_envs, len(x) // 4)
    gaps, differ = [], []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if abs(i - j) > near]
        others = sorted(others, key=lambda j: np.linalg.norm(x[i] - x[j]))[:10]
        gaps.append([np.linalg.norm(x[i] - x[j]) for j in others])
        differ.append([abs(labels[i, 0] - labels[j, 0]) / 2 / 2 for j in others])  # a range of 2
    mean_gaps, means = np.mean(gaps, 0), np.mean(differ, 0)
    at_zero = np.polyfit(mean_gaps, means, 1)[1]
    return float(np.clip(at_zero, 0, means[0]))


@pytest.mark.parametrize("n_envs", [1, 3])
def test_neighbours_in_time_are_left_out_and_the_line_is_that_of_least_squares(n_envs, rng):
    """Slots that walk on slowly: a row's nearest neighbours are those just before and after it."""
    walks = rng.standard_normal((400 // n_envs, n_envs, 2)).cumsum(0)
    obs = walks.reshape(-1, 2)
    labels = np.tanh(obs[:, :1] / 5 + rng.standard_normal((len(obs), 1)) / 4)
    n = len(obs)
    found = irreducible(Dataset(obs, np.zeros(n, np.int64), labels, (n,)), BOX, n_envs)
    assert found == pytest.approx(by_hand(obs, labels, n_envs), rel=1e-9)


def test_of_many_rows_those_are_compared_that_are_far_apart_in_all_of_them(rng):
    """Of 6000 rows each fourth is compared: 20 steps are 5 rows of one slot."""
    obs = rng.standard_normal((6000, 2)).cumsum(0)
    labels = np.tanh(obs[:, :1] / 30 + rng.standard_normal((6000, 1)) / 4)
    data = Dataset(obs, np.zeros(6000, np.int64), labels, (6000,))
    kept = Dataset(obs[::4], np.zeros(1500, np.int64), labels[::4], (1500,))
    assert irreducible(data, BOX, 4) == irreducible(kept, BOX, 1)


def test_pictures_are_projected_in_parts_as_at_once(rng, monkeypatch):
    obs = rng.integers(0, 256, (150, 40, 40, 2)).astype(np.uint8)
    obs[:, :20] = 200  # a still background
    parts = irreducible_module._standardised(obs)
    monkeypatch.setattr(irreducible_module, "COLUMNS", 3200)
    np.testing.assert_allclose(parts, irreducible_module._standardised(obs), atol=1e-10)
    assert parts.shape == (150, 64) and parts.std() == pytest.approx(np.sqrt(1600 / 64), rel=0.1)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3])
def test_a_coin_is_worth_the_chance_that_two_throws_differ(p, rng):
    x = rng.uniform(-1, 1, (4000, 2))
    labels = ((x[:, 0] > 0) ^ (rng.random(4000) < p)).astype(np.int64)
    assert bound(x, labels, CHOICE) == pytest.approx(p * (1 - p), abs=0.03)


def test_equal_observations_are_compared_as_they_are(rng):
    x = np.repeat([[0], [1]], 500, axis=0)
    labels = rng.permutation(np.arange(1000) % 2)
    assert bound(x, labels, CHOICE) == pytest.approx(0.25, abs=0.03)
    assert bound(np.zeros((1000, 2)), labels, CHOICE) == pytest.approx(0.25, abs=0.03)


def test_pictures_are_compared_and_few_rows_are_not(rng):
    x = rng.integers(0, 256, (400, 20, 20, 1)).astype(np.uint8)
    assert 0 <= bound(x, np.arange(400) % 2, CHOICE) <= 0.5
    assert bound(x[:50], np.arange(50), CHOICE) is None


@pytest.mark.slow
def test_it_is_measured_for_views_alone(tmp_path):
    steps = ("steps_per_round=300", "env.max_episode_steps=300")
    full = train(*steps, "rounds=2", cwd=tmp_path, run="full")
    hidden = train(*steps, "rounds=2", "view.keep=[0]", cwd=tmp_path, run="hidden")
    assert HIDDEN_GAP not in metrics(full)[-1]
    assert 0.05 < metrics(hidden)[-1][HIDDEN_GAP] < metrics(hidden)[-1][HINDSIGHT_GAP] < 0.8


def test_it_is_said_where_it_is_a_large_part():
    figures = {
        "disagreement/own": 0.3,
        "disagreement/online": 0.3,
        "regret/online_loss_mean": 1.0,
        "regret/average": 0.5,
    }
    figures[HINDSIGHT_GAP] = 0.3
    said = advice({**figures, HIDDEN_GAP: 0.2}, scored(1, 2), scored(5, 6))
    assert "of the 30.0% in all states so far, 20.0% or more is hidden by its view" in said
    said = advice({**figures, HIDDEN_GAP: 0.02}, scored(1, 2), scored(5, 6))
    assert "hidden" not in said


def test_a_student_with_a_state_is_compared_by_its_last_observations(rng):
    """The label is what was seen three steps ago: hidden from one observation, not from eight."""
    steps, obs = np.tile(np.arange(50), 40), rng.standard_normal((2000, 1))
    labels = (np.where(steps[:, None] >= 3, np.roll(obs, 3, axis=0), 0) > 0).astype(np.float32)
    alone = Dataset(obs, steps, labels, (2000,))
    with_past = Dataset(in_episodes(obs, steps), steps, labels, (2000,))
    assert irreducible(alone, BOX, 8) > 2 * irreducible(with_past, BOX, 8)
