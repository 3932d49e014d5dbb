"""Each option of conf/expert: the expert that it loads, and its error messages."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import yaml
from trusted import space_of

from dagger_cli.core.errors import ConfigError, ExpertError
from dagger_cli.core.types import Array, Expert, Observation, Space
from dagger_cli.experts.bundled import AGENTS, Bundled, bundled_ids
from dagger_cli.experts.heuristic import Heuristic, lander_actions
from dagger_cli.experts.path import Path as FromPath
from dagger_cli.networks.agent_files import load_agent, save_agent

ROOT = Path(__file__).parents[2]
TARGETS = {
    "Acrobot-v1": -90, "BipedalWalker-v3": 295, "CartPole-v1": 500, "LunarLander-v3": 250,
    "LunarLanderContinuous-v3": 250, "MountainCar-v0": -115, "MountainCarContinuous-v0": 90,
    "Pendulum-v1": -170,
}  # fmt: skip
LINE = Space("box", (2,), "float32", (-1.0,) * 2, (1.0,) * 2)


def spaces_of(env_id: str) -> tuple[Space, Space]:
    env = gymnasium.make(env_id)
    return space_of(env.observation_space), space_of(env.action_space)


def ask(expert: Expert, obs: Array) -> Array:
    acts = expert.act(Observation(obs, np.zeros(len(obs), np.int64)), np.random.default_rng(0))
    assert acts.from_expert.all() and len(acts.from_expert) == len(obs)
    return acts.actions


@pytest.mark.parametrize(
    "path", sorted((ROOT / "conf" / "expert").glob("*.yaml")), ids=lambda p: p.stem
)
def test_every_option_names_a_source_with_just_these_keys(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("# ")
    keys = yaml.safe_load(text)
    module, _, name = keys.pop("_target_").rpartition(".")
    source = getattr(importlib.import_module(module), name)
    fields = {field.name for field in dataclasses.fields(source)}
    assert set(keys) == fields - {"trust"}  # which is of the command line
    assert callable(source.load)


@pytest.mark.parametrize("env_id", sorted(TARGETS))
def test_bundled_agents_reach_their_targets(env_id: str) -> None:
    card = json.loads((AGENTS / f"{env_id}.json").read_text())
    score = card["score"]
    assert score["mean"] >= TARGETS[env_id]
    assert score["falls"] == 0
    assert score["seeds"] == [1000, 1099]
    for key in ("algo", "command", "seed", "steps", "versions"):
        assert card[key] or card[key] == 0


def test_bundled_agents_play_as_their_cards_say() -> None:
    expert = Bundled(deterministic=True).load("CartPole-v1", *spaces_of("CartPole-v1"))
    env = gymnasium.make("CartPole-v1")
    obs, _ = env.reset(seed=1000)
    steps, ended = 0, False
    while not ended:
        obs, _, terminated, truncated, _ = env.step(ask(expert, obs[None])[0])
        steps, ended = steps + 1, terminated or truncated
    assert steps == 500
    assert expert.card.published == (500.0, 0.0)


@pytest.mark.slow
def test_bundled_agents_need_no_stable_baselines() -> None:
    words = f"""
import sys
import numpy as np
from dagger_cli.networks.agent_files import load_agent
from dagger_cli.experts.bundled import AGENTS, bundled_ids
from dagger_cli.networks.network import Network
assert "torch" not in sys.modules
for env_id in bundled_ids():
    agent = load_agent(AGENTS / env_id)
    space = agent.spec.observation_space
    Network(agent.spec, agent.weights).act(np.zeros((2, *space.shape), space.dtype), None)
assert len(bundled_ids()) == {len(bundled_ids())}
foreign = {{"stable_baselines3", "sb3_contrib", "rl_zoo3", "gym", "gymnasium", "cloudpickle"}}
assert not foreign & set(sys.modules), foreign & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_bundled_errors() -> None:
    with pytest.raises(ExpertError, match=r"there is one for: .*CartPole-v1"):
        Bundled(deterministic=True).load("Ant-v5", LINE, LINE)
    with pytest.raises(
        ExpertError, match=r"observation space box \(4,\) of float32, but the environment has"
    ):
        Bundled(deterministic=True).load("CartPole-v1", LINE, LINE)


def test_path_finds_the_layouts(hub_folder: Path, tmp_path: Path) -> None:
    """A Hub repository, rl-zoo's folders and a single file are all the same agent."""
    repo, env_id = hub_folder / "a2c-BipedalWalker-v3", "BipedalWalker-v3"
    zoo = tmp_path / "rl-trained-agents" / "a2c" / f"{env_id}_1"
    (zoo / env_id).mkdir(parents=True)
    shutil.copy(repo / "a2c-BipedalWalker-v3.zip", zoo / f"{env_id}.zip")
    shutil.copy(repo / "vec_normalize.pkl", zoo / env_id / "vecnormalize.pkl")
    for name in ("config.yml", "args.yml"):
        shutil.copy(repo / name, zoo / env_id / name)
    agents = [
        FromPath(path=str(path), algo=None, deterministic=True).load(env_id, *spaces_of(env_id))
        for path in (repo, repo / "a2c-BipedalWalker-v3.zip", zoo, zoo / f"{env_id}.zip")
    ]
    assert len({agent.card.sha256 for agent in agents}) == 1
    obs = np.random.default_rng(0).standard_normal((5, 24)).astype(np.float32)
    for agent in agents[1:]:
        np.testing.assert_array_equal(ask(agent, obs), ask(agents[0], obs))

    shutil.copy(
        hub_folder / "ppo-BipedalWalker-v3" / "ppo-BipedalWalker-v3.zip", zoo / "best_model.zip"
    )
    last = FromPath(path=str(zoo), algo=None, deterministic=True).load(env_id, *spaces_of(env_id))
    assert last.card.sha256 == agents[0].card.sha256  # the statistics are the last model's

    (zoo / env_id / "vecnormalize.pkl").unlink()
    with pytest.raises(ExpertError, match=r"statistics .* are missing"):
        FromPath(path=str(zoo), algo=None, deterministic=True).load(env_id, *spaces_of(env_id))


def test_path_reads_our_own_format_and_says_where_it_was_trained(tmp_path: Path) -> None:
    agent = load_agent(AGENTS / "CartPole-v1")
    save_agent(agent._replace(facts={"trained_in": "CartPole-v0"}), tmp_path / "mine")
    source = FromPath(path=str(tmp_path), algo=None, deterministic=False)
    expert = source.load("CartPole-v1", *spaces_of("CartPole-v1"))
    assert expert.card.notes == (
        "The expert was trained in CartPole-v0 and is used in CartPole-v1.",
    )
    (tmp_path / "mine.safetensors").write_bytes(b"short")
    with pytest.raises(ExpertError, match="damaged"):
        source.load("CartPole-v1", *spaces_of("CartPole-v1"))


def test_path_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expert\.path is empty"):
        FromPath(path="", algo=None, deterministic=True)
    for path, sentence in ((tmp_path / "no", "does not exist"), (tmp_path, "no agent for 'X-v1'")):
        with pytest.raises(ExpertError, match=sentence):
            FromPath(path=str(path), algo=None, deterministic=True).load("X-v1", LINE, LINE)


@pytest.mark.parametrize("continuous", [False, True])
def test_heuristic_is_gymnasiums_row_by_row(continuous: bool) -> None:
    from gymnasium.envs.box2d.lunar_lander import heuristic

    env = gymnasium.make("LunarLander-v3", continuous=continuous)
    rng = np.random.default_rng(0)
    obs = (0.5 * rng.standard_normal((2000, 8))).astype(np.float32)
    obs[:, 6:] = rng.random((2000, 2)) < 0.2
    expected = np.array([heuristic(env, row) for row in obs])
    np.testing.assert_array_equal(lander_actions(obs, continuous), expected)
    spaces = space_of(env.observation_space), space_of(env.action_space)
    expert = Heuristic().load("LunarLander-v3", *spaces)
    actions = ask(expert, obs)
    assert actions.dtype == env.action_space.dtype
    np.testing.assert_allclose(actions, expected, rtol=1e-6)


def test_heuristic_elsewhere_is_an_error() -> None:
    with pytest.raises(ExpertError, match="only for LunarLander"):
        Heuristic().load("CartPole-v1", LINE, LINE)


def test_hub_settings_are_checked_when_born() -> None:
    from dagger_cli.experts.hub import Hub

    good: dict[str, Any] = {
        "algo": "a2c", "repo_id": None, "filename": None, "revision": None, "sha256": None,
        "fallback": "none", "deterministic": True,
    }  # fmt: skip
    Hub(**good)
    for key, value in {"fallback": "x", "sha256": "12", "repo_id": "me", "algo": "a/b"}.items():
        with pytest.raises(ConfigError, match=rf"expert\.{key}"):
            Hub(**{**good, key: value})
