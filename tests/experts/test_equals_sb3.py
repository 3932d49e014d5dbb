"""Our networks give what stable-baselines3's own `predict(deterministic=True)` gives, to 1e-6.

Both count in float32 with the same kernels. Up to 32 rows are answered bit for bit as one by one.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from trusted import load_trusted, normalize, space_of

from dagger_cli.core.types import Array
from dagger_cli.envs.dict_rows import DictRows
from dagger_cli.experts.sb3.agent_folder import find_agent
from dagger_cli.experts.sb3.convert import AgentFiles, agent_from
from dagger_cli.networks.agent_files import load_agent, save_agent
from dagger_cli.networks.network import Network

CLOSE = 1e-6

HUB = [
    "a2c-BipedalWalker-v3", "ddpg-Pendulum-v1", "dqn-CartPole-v1", "ppo-BipedalWalker-v3",
    "ppo-CartPole-v1", "ppo-LunarLander-v2", "ppo-MountainCarContinuous-v0", "sac-Pendulum-v1",
    "tqc-Pendulum-v1",
]  # fmt: skip


def algorithm(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sb3_contrib
        import stable_baselines3

    return getattr(stable_baselines3, name, None) or getattr(sb3_contrib, name)


def network(files: AgentFiles, observation_space: Any, action_space: Any) -> Network:
    agent = agent_from(files, space_of(observation_space), space_of(action_space))
    return Network(agent.spec, agent.weights)


def difference(ours: Array, theirs: Array) -> float:
    assert ours.shape == theirs.shape
    return float(np.abs(ours.astype(np.float64) - theirs).max())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", HUB)
def test_agents_of_the_hub(name: str, hub_folder: Path) -> None:
    algo, env_id = name.split("-", 1)
    env = gym.make(env_id.replace("LunarLander-v2", "LunarLander-v3"))
    files = find_agent(hub_folder / name, env_id, None)
    assert isinstance(files, AgentFiles)
    rng = np.random.default_rng(0)
    obs = (2 * rng.standard_normal((1000, *env.observation_space.shape))).astype(np.float32)
    theirs = load_trusted(
        algorithm(algo.upper()), files.archive, env.observation_space, env.action_space
    )
    expected, _ = theirs.predict(normalize(files.statistics, obs), deterministic=True)
    ours = network(files, env.observation_space, env.action_space)
    assert difference(ours.act(obs, None), expected) <= CLOSE
    seen = normalize(files.statistics, obs)[:20]
    alone = [theirs.predict(row[None], deterministic=True)[0][0] for row in seen]
    np.testing.assert_array_equal(ours.act(obs[:20], None), np.stack(alone))


class Stub(gym.Env[Any, Any]):
    """Spaces and nothing more, so that an agent can be made."""

    def __init__(self, observation_space: Any, action_space: Any) -> None:
        self.observation_space, self.action_space = observation_space, action_space

    def reset(self, **_: Any) -> Any:
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        return self.observation_space.sample(), 0.0, False, False, {}


FLAT = spaces.Box(-np.inf, np.inf, (5,), np.float32)
GRID = spaces.Box(-1, 1, (2, 3), np.float32)
IMAGE = spaces.Box(0, 255, (36, 36, 3), np.uint8)
TILES = spaces.Box(0, 255, (7, 7, 3), np.uint8)  # an image to stable-baselines3, as MiniGrid's is
WIDE = spaces.Box(0, 255, (40, 52, 1), np.uint8)
STACK = spaces.Box(0, 255, (4, 52, 40), np.uint8)  # channels first, as of Atari's games
SCALED = spaces.Box(0, 1, (3, 36, 40), np.float32)
ARM = spaces.Box(np.array([-2, -1], np.float32), np.array([2, 3], np.float32))
FOUR = spaces.Discrete(4)
MULTI = spaces.MultiDiscrete([3, 2, 4])
BITS = spaces.MultiBinary(3)

SMALL = {"features_dim": 16}
IN_BYTES = {"features_extractor_kwargs": SMALL, "normalize_images": False}
IN_UNITS = {
    "features_extractor_kwargs": {**SMALL, "normalized_image": True},
    "normalize_images": False,
}
UNSHARED = {"share_features_extractor": False, "features_extractor_kwargs": SMALL}
SPLIT = {"net_arch": {"pi": [7], "vf": [4]}, "activation_fn": "ELU"}
TWIN = {"net_arch": {"pi": [6], "qf": [7]}, "activation_fn": "Tanh"}
MADE: list[tuple[str, str, Any, Any, dict[str, Any], dict[str, Any]]] = [
    ("PPO", "MlpPolicy", FLAT, ARM, {}, {"net_arch": [8, 6], "activation_fn": "ReLU"}),
    ("PPO", "MlpPolicy", GRID, FOUR, {}, SPLIT),
    ("PPO", "MlpPolicy", FLAT, MULTI, {}, {"net_arch": []}),
    ("PPO", "MlpPolicy", FLAT, BITS, {}, {"activation_fn": "GELU"}),
    ("PPO", "MlpPolicy", spaces.Discrete(6), FOUR, {}, {}),
    ("PPO", "MlpPolicy", spaces.MultiDiscrete([3, 4]), FOUR, {}, {}),
    ("PPO", "MlpPolicy", spaces.MultiBinary(4), ARM, {}, {}),
    ("PPO", "MlpPolicy", IMAGE, FOUR, {}, {"net_arch": [8]}),
    ("PPO", "CnnPolicy", IMAGE, ARM, {}, {"net_arch": [16], "features_extractor_kwargs": SMALL}),
    ("PPO", "CnnPolicy", IMAGE, FOUR, {}, UNSHARED),
    ("A2C", "MlpPolicy", FLAT, ARM, {"use_sde": True}, {"squash_output": True}),
    ("A2C", "MlpPolicy", FLAT, ARM, {"use_sde": True}, {"full_std": False, "use_expln": True}),
    ("TRPO", "MlpPolicy", FLAT, ARM, {}, {}),
    ("DDPG", "MlpPolicy", FLAT, ARM, {}, {"net_arch": [9, 8]}),
    ("TD3", "MlpPolicy", FLAT, ARM, {}, TWIN),
    ("SAC", "MlpPolicy", FLAT, ARM, {}, {"net_arch": [8]}),
    ("SAC", "MlpPolicy", FLAT, ARM, {"use_sde": True}, {"net_arch": [8], "clip_mean": 0.05}),
    ("SAC", "MlpPolicy", FLAT, ARM, {"use_sde": True}, {"net_arch": [8], "clip_mean": 0.0}),
    ("SAC", "CnnPolicy", IMAGE, ARM, {}, {"net_arch": [8], "features_extractor_kwargs": SMALL}),
    ("TQC", "MlpPolicy", FLAT, ARM, {}, {"net_arch": [8, 8]}),
    ("CrossQ", "MlpPolicy", FLAT, ARM, {}, {"net_arch": {"pi": [8, 8], "qf": [8]}}),
    ("CrossQ", "MlpPolicy", GRID, ARM, {}, {"net_arch": {"pi": [8, 8], "qf": [8]}}),
    ("PPO", "MlpPolicy", TILES, FOUR, {}, {"net_arch": [8]}),
    ("TD3", "CnnPolicy", STACK, ARM, {}, {"net_arch": [8], "features_extractor_kwargs": SMALL}),
    ("MaskablePPO", "MlpPolicy", FLAT, MULTI, {}, {"net_arch": [8]}),
    ("DQN", "MlpPolicy", FLAT, FOUR, {}, {"net_arch": [12]}),
    ("DQN", "CnnPolicy", IMAGE, FOUR, {}, {"features_extractor_kwargs": SMALL}),
    ("QRDQN", "MlpPolicy", FLAT, FOUR, {}, {"n_quantiles": 7}),
    ("ARS", "MlpPolicy", FLAT, ARM, {}, {"net_arch": [6]}),
    ("ARS", "MlpPolicy", FLAT, ARM, {}, {"squash_output": False, "with_bias": False}),
    ("ARS", "LinearPolicy", FLAT, ARM, {}, {}),
    ("ARS", "LinearPolicy", FLAT, FOUR, {}, {}),
    ("PPO", "CnnPolicy", WIDE, MULTI, {}, {"features_extractor_kwargs": SMALL}),
    ("PPO", "CnnPolicy", STACK, FOUR, {}, {"features_extractor_kwargs": SMALL}),
    ("PPO", "CnnPolicy", IMAGE, FOUR, {}, IN_BYTES),
    ("PPO", "CnnPolicy", SCALED, FOUR, {}, IN_UNITS),
    ("DQN", "CnnPolicy", STACK, FOUR, {}, {"features_extractor_kwargs": SMALL, "net_arch": [9]}),
]  # fmt: skip


def make(
    name: str, policy: str, obs: Any, act: Any, options: dict[str, Any], kwargs: dict[str, Any]
) -> Any:
    from torch import nn

    kwargs = dict(kwargs)
    if "activation_fn" in kwargs:
        kwargs["activation_fn"] = getattr(nn, kwargs["activation_fn"])
    if name in ("DDPG", "TD3", "SAC", "TQC", "CrossQ", "DQN", "QRDQN"):
        options = {**options, "buffer_size": 10}
    return algorithm(name)(
        policy, Stub(obs, act), policy_kwargs=kwargs, seed=0, device="cpu", **options
    )


def shake(model: Any) -> None:
    """Gives weights that pass differences on, where a fresh network's actions are all alike.

    The weights of a unit have the mean 0, so that the brightness of a picture is not all it sees.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in model.policy.state_dict().items():
            if not value.is_floating_point():
                continue
            if value.ndim > 1 and "log_std" not in name:
                drawn = torch.randn(value.shape, generator=generator).flatten(1)
                drawn = (drawn - drawn.mean(1, keepdim=True)) * 1.5 / drawn.shape[1] ** 0.5
                value.copy_(drawn.reshape(value.shape))
            else:  # statistics that are not 0 and 1
                value.mul_(1.5).add_(0.1 * torch.rand(value.shape, generator=generator))


def seen(space: Any) -> Array:
    """Samples of a space; pictures of large areas, as to a CNN those of noise are all alike."""
    space.seed(1)
    if len(space.shape) != 3 or min(space.shape[:2]) < 3:
        return np.stack([space.sample() for _ in range(1000)])
    sides = [-(-side // 4) for side in space.shape]  # of an area; a channel is one of its own
    areas = np.random.default_rng(1).random((60, 4, 4, 4)) ** 3
    for axis, (area, side) in enumerate(zip(sides, space.shape, strict=True), 1):
        areas = np.repeat(areas, area, axis).take(range(side), axis)
    pictures: Array = space.low + (space.high - space.low) * areas
    return pictures.astype(space.dtype)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", MADE, ids=lambda c: f"{c[0]}-{c[1]}")
def test_agents_made_here(case: Any, tmp_path: Path) -> None:
    model = make(*case)
    shake(model)
    model.save(tmp_path / "agent.zip")
    obs_space, act_space = case[2], case[3]
    obs = seen(obs_space)
    expected, _ = model.predict(obs, deterministic=True)
    rows = expected.reshape(len(obs), -1).astype(np.float64)
    assert len(np.unique(rows.round(4), axis=0)) > 1, "the same action everywhere says nothing"
    if isinstance(act_space, spaces.Box):
        assert (np.ptp(rows, axis=0) > 1e-3).all()

    files = AgentFiles(tmp_path / "agent.zip")
    assert difference(network(files, obs_space, act_space).act(obs, None), expected) <= CLOSE

    save_agent(agent_from(files, space_of(obs_space), space_of(act_space)), tmp_path / "ours")
    kept = load_agent(tmp_path / "ours")
    again = Network(kept.spec, kept.weights)
    assert difference(again.act(obs, None), expected) <= CLOSE
    drawn = again.act(obs, np.random.default_rng(0))
    assert all(act_space.contains(action) for action in drawn)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("keys", [None, ["a", "z"]])
@pytest.mark.parametrize("sort_keys", [True, False])
def test_agents_of_a_dict_with_statistics(sort_keys: bool, keys: Any, tmp_path: Path) -> None:
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    parts = {"z": spaces.Box(-1, 1, (2,)), "a": spaces.Box(-1, 1, (3,))}
    space, rng = spaces.Dict(parts, sort_keys=sort_keys), np.random.default_rng(0)
    vec = VecNormalize(
        DummyVecEnv([lambda: Stub(space, ARM)]), training=False, clip_obs=2.0, norm_obs_keys=keys
    )
    for moments in vec.obs_rms.values():
        moments.mean, moments.var = rng.uniform(0.1, 1, (2, *moments.mean.shape))
    vec.save(str(tmp_path / "vecnormalize.pkl"))
    model = algorithm("PPO")("MultiInputPolicy", vec, seed=0, device="cpu")
    shake(model)
    model.save(tmp_path / "agent.zip")
    rows = DictRows.of(space, "X")
    obs = {key: rng.uniform(-1, 1, (50, *part.shape)) for key, part in parts.items()}
    expected, _ = model.predict(vec.normalize_obs(obs), deterministic=True)
    assert (np.ptp(expected, axis=0) > 0.1).all()
    files = AgentFiles(tmp_path / "agent.zip", tmp_path / "vecnormalize.pkl")
    agent = agent_from(files, rows.space, space_of(ARM))
    seen_rows = rows.rows([obs[part.name] for part in rows.parts])
    assert difference(Network(agent.spec, agent.weights).act(seen_rows, None), expected) <= CLOSE


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("obs_space", "act_space", "sentence"),
    [
        (spaces.Box(-1, 1, (6,), np.float32), ARM, "observations of 5 numbers, but"),
        (FLAT, spaces.Box(-1, 1, (3,), np.float32), "gives 2 numbers"),
        (FLAT, FOUR, "trained with a box action_space"),
    ],
)  # fmt: skip
def test_other_spaces_are_one_sentence(
    obs_space: Any, act_space: Any, sentence: str, tmp_path: Path
) -> None:
    from dagger_cli.core.errors import ExpertError

    make("PPO", "MlpPolicy", FLAT, ARM, {}, {}).save(tmp_path / "agent.zip")
    with pytest.raises(ExpertError, match=sentence) as caught:
        network(AgentFiles(tmp_path / "agent.zip"), obs_space, act_space)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", [MADE[0], MADE[10], MADE[15], MADE[16]], ids=lambda c: c[0])
def test_drawn_actions_have_the_agents_own_spread(case: Any, tmp_path: Path) -> None:
    """gSDE keeps a noise matrix for many steps; ours is drawn anew, with the same spread."""
    model = make(*case)
    model.save(tmp_path / "agent.zip")
    ours = network(AgentFiles(tmp_path / "agent.zip"), case[2], case[3])
    obs = np.repeat(np.ones((1, 5), np.float32), 4000, axis=0)
    if model.use_sde:
        model.policy.reset_noise(len(obs))
    theirs, _ = model.predict(obs, deterministic=False)
    drawn = ours.act(obs, np.random.default_rng(0))
    np.testing.assert_allclose(drawn.std(axis=0), theirs.std(axis=0), rtol=0.1)
    np.testing.assert_allclose(drawn.mean(axis=0), theirs.mean(axis=0), atol=0.1)
