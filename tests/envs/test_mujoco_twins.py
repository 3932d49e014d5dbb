"""EnvPool's MuJoCo is Gymnasium's: from the same state the same actions give the same numbers.

The observation of these environments is their state without the position along the track, so
Gymnasium's is put into the state in which EnvPool's begins. Both compute in float64; contacts
amplify the last digits, so equality is checked over an episode's first steps.
"""

import gymnasium
import numpy as np
import pytest

from dagger_cli.envs.envpool_twins import TWINS

from .helpers import source

mujoco = pytest.importorskip("mujoco", reason="the extra mujoco is not installed")
pytest.importorskip("envpool", reason="EnvPool is not installed")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*out of date"),
    pytest.mark.skipif(
        not mujoco.__version__.startswith("3.6."), reason="EnvPool 1.2.5 contains MuJoCo 3.6"
    ),
]
HIDDEN = {"HalfCheetah": 1, "Hopper": 1, "Walker2d": 1, "Swimmer": 2, "Ant": 2, "Humanoid": 2}
IDS = [env_id for env_id in TWINS if env_id.split("-")[0] in HIDDEN]
SLOT = np.zeros(1, np.int64)


def in_the_state_of(obs, env_id):
    """Gymnasium's environment, in the state that an observation describes."""
    env = gymnasium.make(env_id, disable_env_checker=True)
    env.reset(seed=0)
    model, hidden = env.unwrapped.model, HIDDEN[env_id.split("-")[0]]
    position = np.concatenate([np.zeros(hidden), obs[: model.nq - hidden]])
    velocity = obs[model.nq - hidden : model.nq - hidden + model.nv]
    env.unwrapped.set_state(position, velocity)
    return env


@pytest.mark.parametrize("env_id", IDS)
def test_the_same_actions_give_the_same_steps(env_id):
    found = source(env_id, backend="auto", failure="terminated")
    assert found.chosen == "envpool" and not found.alone
    ours, rng = found.open(1), np.random.default_rng(0)
    ours.reset(SLOT, SLOT + 7)
    theirs = in_the_state_of(ours.observation.obs[0], env_id)
    space = theirs.action_space
    for _ in range(15):
        action = rng.uniform(space.low, space.high).astype(np.float32)
        step = ours.step(SLOT, action[None])
        obs, reward, terminated, truncated, _ = theirs.step(action)
        np.testing.assert_allclose(ours.observation.obs[0], obs, rtol=1e-9, atol=1e-9)
        assert abs(step.rewards[0] - reward) < 1e-5  # EnvPool's rewards are float32
        assert (step.terminated[0], step.truncated[0]) == (terminated, truncated)
        if terminated:
            break
    ours.close()


@pytest.mark.parametrize("env_id", IDS)
def test_the_same_spaces_limit_and_start(env_id):
    found, theirs = source(env_id, backend="envpool"), source(env_id, backend="gymnasium")
    assert found.observation_space == theirs.observation_space
    assert found.action_space == theirs.action_space
    assert found.horizon == theirs.horizon == 1000
    starts = []
    for env_source in (found, theirs):
        env = env_source.open(20)
        env.reset(np.arange(20), np.arange(20))
        starts.append(env.observation.obs.copy())
        env.close()
    noise = 6 * np.sqrt((starts[0].var(0) + starts[1].var(0)) / 20) + 1e-6
    assert (abs(starts[0].mean(0) - starts[1].mean(0)) < noise).all()
