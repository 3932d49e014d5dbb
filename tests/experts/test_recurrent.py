"""RecurrentPPO: the memory of sb3_contrib's own predict, carried per slot in the order of time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from trusted import space_of

from dagger_cli.core.errors import EnvError, ExpertError
from dagger_cli.core.types import Card, Observation
from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.network_expert import expert_from
from dagger_cli.experts.path import Path as FromPath
from dagger_cli.experts.recurrent import RecurrentNetwork
from dagger_cli.experts.sb3.convert import AgentFiles, agent_from
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.networks.agent_files import load_agent, save_agent
from dagger_cli.networks.lstm import lstm_of
from dagger_cli.views.asked import AskedSource, Told

pytestmark = pytest.mark.filterwarnings("ignore")


def saved(folder: Path, env_id: str, **kwargs: object) -> tuple[object, AgentFiles]:
    from sb3_contrib import RecurrentPPO

    model = RecurrentPPO(
        "MlpLstmPolicy", env_id, n_steps=8, seed=0, policy_kwargs={"lstm_hidden_size": 8, **kwargs}
    )
    with torch.no_grad():  # so that the memory matters
        for weight in model.policy.parameters():
            weight.mul_(3.0)
    model.save(folder / "agent.zip")
    return model, AgentFiles(folder / "agent.zip")


def loaded(files: AgentFiles, env_id: str) -> RecurrentNetwork:
    env = gym.make(env_id)
    spaces = space_of(env.observation_space), space_of(env.action_space)
    expert = expert_from(agent_from(files, *spaces), Card("own", "here", "0" * 64), True, *spaces)
    assert isinstance(expert, RecurrentNetwork)
    return expert


def source(env_id: str) -> GymSource:
    return GymSource(
        id=env_id, imports=None, kwargs={}, max_episode_steps=30, fresh_simulator=False, workers=0,
        backend="gymnasium", failure="none",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("env_id", "kwargs"),
    [
        ("CartPole-v1", {}),
        ("Pendulum-v1", {"n_lstm_layers": 2}),
        ("Pendulum-v1", {"shared_lstm": True, "enable_critic_lstm": False, "net_arch": []}),
    ],
)
def test_the_actions_are_those_of_sb3_contrib(env_id, kwargs, tmp_path):
    model, files = saved(tmp_path, env_id, **kwargs)
    ours = loaded(files, env_id)
    rng = np.random.default_rng(0)
    memory, state = np.zeros((3, ours.memory_size)), None
    start = np.ones(3, bool)
    for _ in range(20):
        obs = rng.standard_normal((3, *model.observation_space.shape)).astype(np.float32)
        theirs, state = model.predict(obs, state, start, deterministic=True)
        actions, memory = ours.advance(obs, memory)
        np.testing.assert_allclose(actions, theirs, atol=1e-5)
        start = np.zeros(3, bool)


class Blank(gym.Env):
    """Spaces and nothing more."""

    action_space = gym.spaces.Box(-1, 1, (2,))

    def __init__(self, space):
        self.observation_space = space


TILES, FIRST = (gym.spaces.Box(0, 255, shape, np.uint8) for shape in ((5, 4, 3), (3, 5, 4)))
GRID = gym.spaces.Box(-1, 1, (2, 3))


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("space", [TILES, FIRST, GRID, gym.spaces.Discrete(6)], ids=str)
def test_pictures_grids_and_choices_are_prepared_as_by_sb3(space, normalized, tmp_path):
    from sb3_contrib import RecurrentPPO
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    if normalized and isinstance(space, gym.spaces.Discrete):
        return
    vec, rng = DummyVecEnv([lambda: Blank(space)]), np.random.default_rng(0)
    if normalized:
        vec = VecNormalize(vec, training=False, clip_obs=1.5)
        unit = 150 if space.dtype == np.uint8 else 1
        mean, deviation = unit * rng.uniform(0.2, 1, (2, *space.shape))
        vec.obs_rms.mean, vec.obs_rms.var = mean, deviation**2
        vec.save(tmp_path / "vecnormalize.pkl")
    sizes = {"lstm_hidden_size": 8, "net_arch": [8]}
    model = RecurrentPPO("MlpLstmPolicy", vec, n_steps=8, seed=0, policy_kwargs=sizes)
    with torch.no_grad():
        for weight in model.policy.parameters():
            weight.mul_(3.0)
    model.save(tmp_path / "agent.zip")
    files = AgentFiles(
        tmp_path / "agent.zip", tmp_path / "vecnormalize.pkl" if normalized else None
    )
    spaces = space_of(space), space_of(Blank.action_space)
    expert = expert_from(agent_from(files, *spaces), Card("own", "here", "0" * 64), True, *spaces)
    space.seed(0)
    memory, state, start, played = np.zeros((3, expert.memory_size)), None, np.ones(3, bool), []
    for _ in range(10):
        obs = np.stack([space.sample() for _ in range(3)])
        shown = vec.normalize_obs(obs) if normalized else obs
        theirs, state = model.predict(shown, state, start, deterministic=True)
        actions, memory = expert.advance(obs, memory)
        np.testing.assert_allclose(actions, theirs, atol=1e-5)
        start, played = np.zeros(3, bool), [*played, theirs]
    assert np.ptp(np.concatenate(played), axis=0).min() > 1e-3


def test_a_slot_forgets_at_a_reset_and_a_snapshot_remembers(tmp_path):
    _, files = saved(tmp_path, "Pendulum-v1")
    asked = AskedSource(source("Pendulum-v1"), loaded(files, "Pendulum-v1"))
    env, slots = asked.open(2), np.arange(2)
    env.reset(slots, slots)
    first = env.observation.privileged.copy()
    for _ in range(5):
        env.step(slots, env.observation.privileged)
    kept, answers = env.snapshot(), env.observation.privileged.copy()
    env.step(slots, answers)
    env.restore(kept)
    np.testing.assert_array_equal(env.observation.privileged, answers)
    env.reset(slots, slots)
    np.testing.assert_array_equal(env.observation.privileged, first)
    with pytest.raises(EnvError, match="of another expert"):
        env.restore({k: v for k, v in kept.items() if not k.startswith("asked")})
    env.close()


def test_labels_do_not_depend_on_the_batch(tmp_path):
    _, files = saved(tmp_path, "CartPole-v1")
    asked = AskedSource(source("CartPole-v1"), loaded(files, "CartPole-v1"))
    scores = []
    for n in (1, 4):
        with closing(asked.open(n)) as env:
            told = Told(asked.expert.card)
            scores.append(evaluate(env, told, range(6), np.random.default_rng(0)).returns)
    np.testing.assert_array_equal(*scores)


def test_an_agent_is_saved_and_loaded_in_our_format(tmp_path):
    _, files = saved(tmp_path, "Pendulum-v1", n_lstm_layers=2)
    agent = loaded(files, "Pendulum-v1").agent
    save_agent(agent, tmp_path / "own")
    again = load_agent(tmp_path / "own")
    assert again.spec == agent.spec and again.weights.keys() == agent.weights.keys()
    assert loaded(files, "Pendulum-v1").shape().startswith("box (3,), LSTM 8, Linear 64")


def test_one_observation_says_too_little(tmp_path):
    _, files = saved(tmp_path, "Pendulum-v1")
    with pytest.raises(ExpertError, match="acts only where it sees whole episodes"):
        loaded(files, "Pendulum-v1").act(
            Observation(np.zeros((1, 3)), np.zeros(1)), np.random.default_rng(0)
        )


@pytest.mark.parametrize("missing", ["weight_hh_l0", "bias_ih_l0", "weight_ih_l0"])
def test_arrays_that_do_not_fit_are_refused(missing, tmp_path):
    _, files = saved(tmp_path, "Pendulum-v1")
    weights = loaded(files, "Pendulum-v1").agent.weights
    lstm = {k.removeprefix("lstm."): v for k, v in weights.items() if k.startswith("lstm.")}
    for wrong in (
        {k: v for k, v in lstm.items() if k != missing},
        {**lstm, missing: lstm[missing][:-1]},
        {**lstm, "other": np.zeros(1)},
    ):
        with pytest.raises(ExpertError, match="LSTM"):
            lstm_of(wrong)


def test_the_observations_must_fit_the_lstm(tmp_path):
    saved(tmp_path, "Pendulum-v1")
    lander = source("LunarLanderContinuous-v3")
    with pytest.raises(ExpertError, match="trained on observations of 3 numbers"):
        FromPath(path=str(tmp_path / "agent.zip"), algo=None, deterministic=True).load(
            lander.id, lander.observation_space, lander.action_space
        )


@pytest.mark.slow
def test_a_run_is_resumed_bit_for_bit_with_the_experts_memory(tmp_path):
    from tests.e2e.running import dagger, differences, train

    saved(tmp_path, "CartPole-v1")
    words = ("expert=path", f"expert.path={tmp_path}/agent.zip", "view.keep=[0,2]", "view.stack=2")
    whole = train(*words, cwd=tmp_path, run="whole")
    short = train(*words, "rounds=2", "beta.over=3", cwd=tmp_path, run="short")
    done = dagger("train", f"resume={short}", "rounds=3", cwd=tmp_path)
    assert (done.code, done.err) == (0, ""), done.err
    assert differences(whole, short) == []
    done = dagger("expert", "score", "env=cartpole", *words[:2], "episodes=3", cwd=tmp_path)
    assert done.code == 0 and "mean length" in done.out, done.err
