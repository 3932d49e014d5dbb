"""The critic of an exported archive: targets by hand, and the student's actions as they were."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from dagger_cli.publish import critic
from dagger_cli.publish.critic import Recording, fit_critic, returns_of

from ..e2e.running import dagger, train


def recording(rewards, starts, terminated) -> Recording:
    n, ends = len(rewards), len(terminated)
    obs = np.linspace(-1, 1, n)[:, None]
    return Recording(
        obs, np.array(rewards, float), np.array(starts), np.ones((ends, 1)), np.array(terminated)
    )


def test_returns_by_hand():
    """1 + 0.5 (2 + 0.5 * 4) = 3; the second episode ends, so that nothing follows."""
    two = recording([1, 2, 8], [0, 2, 3], [False, True])
    assert returns_of(two, np.array([4.0, 100.0]), 0.5).tolist() == [3, 4, 8]


@pytest.fixture
def short(monkeypatch):
    """A fit that takes a second: `short(passes, steps)`."""

    def of(passes: int, steps: int) -> None:
        monkeypatch.setattr(critic, "PASSES", passes)
        monkeypatch.setattr(critic, "STEPS", steps)

    return of


@pytest.mark.slow
def test_a_critic_fits_and_is_in_raw_units(short):
    short(1, 500)
    steps = recording(np.full(400, 1.0), np.arange(0, 401, 100), [True] * 4)
    steps = steps._replace(obs=500 + 10 * np.tile(np.arange(100.0), 4)[:, None])
    fitted = fit_critic(steps, "ReLU")
    assert fitted.explained > 0.98
    x = steps.obs[:100]
    for weight, bias in fitted.layers[:-1]:
        x = np.maximum(x @ weight.T + bias, 0)
    weight, bias = fitted.layers[-1]
    wanted = (1 - 0.99 ** np.arange(100, 0, -1)) / 0.01
    assert np.abs((x @ weight.T + bias)[:, 0] - wanted).mean() < 3


@pytest.mark.slow
def test_endless_rewards_are_worth_their_discounted_sum(short):
    """Episodes that are cut are worth what follows: 1 / (1 - gamma) everywhere."""
    short(6, 50)
    steps = recording(np.full(600, 1.0), np.arange(0, 601, 300), [False] * 2)
    fitted = fit_critic(steps, "Tanh", gamma=0.9)
    (_, hidden), (_, second), (weight, bias) = fitted.layers
    assert len(hidden) == len(second) == 64 and weight.shape == (1, 64)
    assert bias[0] == pytest.approx(10, abs=3)


@pytest.mark.slow
def test_ppo_goes_on_from_the_students_actions(short, tmp_path):
    from stable_baselines3 import PPO

    short(3, 100)
    train("trainer=dagger", "rounds=2", cwd=tmp_path)
    for name, word in (("with", "true"), ("without", "false")):
        words = ("checkpoint=run", "format=sb3", f"path={name}.zip", f"critic={word}")
        done = dagger("export", *words, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.err
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = [PPO.load(tmp_path / f"{name}.zip", device="cpu") for name in ("with", "without")]
    obs = np.random.default_rng(0).normal(0, 0.05, (50, 4)).astype(np.float32)
    one, other = (model.predict(obs, deterministic=True)[0] for model in models)
    assert np.array_equal(one, other)
    values = models[0].policy.predict_values(models[0].policy.obs_to_tensor(obs)[0])
    assert 0 < float(values.detach().mean()) < 110  # at most 1 / (1 - gamma) = 100 for CartPole
    bad = dagger(
        "export", "checkpoint=run", "format=onnx", "path=a.onnx", "critic=true", cwd=tmp_path
    )
    assert bad.code == 2 and "use format=sb3" in bad.err
