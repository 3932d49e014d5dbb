"""EnvPool's Atari is Gymnasium's, preprocessed by atari_gym: the same images and rewards."""

import gymnasium
import numpy as np
import pytest

from dagger_cli.envs.atari import atari
from dagger_cli.experts.sb3.agent_folder import GAMES

from .helpers import source

pytest.importorskip("ale_py", reason="the extra atari is not installed")
pytest.importorskip("envpool", reason="EnvPool is not installed")
SLOT = np.zeros(1, np.int64)


@pytest.mark.parametrize("game", GAMES)
def test_the_same_actions_give_the_same_images(game):
    """With one first action in place of a random number of them both begin alike."""
    import envpool

    theirs = envpool.make_gymnasium(f"{game}-v5", num_envs=1, seed=[1], noop_max=1)
    seen = theirs.reset()[0][0]
    env = source(f"{game}-v5", kwargs={"noop_max": 1}).open(1)
    env.reset(SLOT, SLOT)
    rng = np.random.default_rng(0)
    for _ in range(100):
        np.testing.assert_array_equal(env.observation.obs[0], seen)
        action = rng.integers(env.action_space.sizes[0], size=1)
        step = env.step(SLOT, action)
        obs, reward, terminated, truncated, _ = theirs.step(action.astype(np.int32))
        seen = obs[0]
        assert step.rewards[0] == reward[0]
        assert (step.terminated[0], step.truncated[0]) == (terminated[0], truncated[0])
        if terminated[0]:
            break
    env.close()


def test_both_have_the_same_spaces_and_limit():
    ours, theirs = (source("Pong-v5", backend=b) for b in ("gymnasium", "envpool"))
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.horizon == theirs.horizon == 27_000
    assert not theirs.alone and theirs.chosen == "envpool"


def test_a_game_is_recorded_in_colour(tmp_path):
    rest = {"imports": None, "kwargs": {}, "max_episode_steps": 3, "fresh_simulator": False,
            "workers": 0, "backend": "auto", "failure": "none"}  # fmt: skip
    found = atari(game="pong", **rest)
    env, slots = found.open_here(1, "rgb_array")
    env.reset(SLOT, SLOT)
    assert slots.frame().shape == (210, 160, 3)
    env.close()
    assert gymnasium.registry["Pong-v5"].max_episode_steps == 27_000
