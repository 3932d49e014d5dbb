"""Agents as people save them: names, statistics, masks and spaces that need a word."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from hub_client import Client
from trusted import space_of

from dagger_cli.core.errors import ConfigError, ExpertError, HubUnreachable
from dagger_cli.core.types import Expert, Observation
from dagger_cli.experts.hub import Hub
from dagger_cli.experts.path import Path as FromPath

OBS = spaces.Box(-9, 9, (4,), np.float32)
ACT = spaces.Discrete(2)


class Blank(gym.Env):
    """Has spaces only."""

    def __init__(self, observation_space: Any = OBS, action_space: Any = ACT) -> None:
        self.observation_space, self.action_space = observation_space, action_space

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        return self.observation_space.sample(), 0.0, True, False, {}

    def action_masks(self) -> Any:
        return [True, True]


def saved(path: Path, *given: Any, kind: str = "PPO") -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sb3_contrib
        import stable_baselines3

        algorithm = getattr(stable_baselines3, kind, None) or getattr(sb3_contrib, kind)
        options = {
            "n_steps": 4,
            "batch_size": 4,
            "device": "cpu",
            "policy_kwargs": {"net_arch": [4]},
        }
        algorithm("MlpPolicy", Blank(*given), **options).save(path)


def statistics(path: Path) -> None:
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    env = VecNormalize(DummyVecEnv([Blank]))
    env.obs_rms.mean = np.full(4, 5.0)
    env.save(str(path))


def load(path: Path, observation_space: Any = OBS, action_space: Any = ACT) -> Expert:
    given = space_of(observation_space), space_of(action_space)
    return FromPath(path=str(path), algo=None, deterministic=True).load("Blank-v0", *given)


def normalised(expert: Any) -> bool:
    return expert.network.spec.clip is not None


def test_the_statistics_of_a_checkpoint_are_used(tmp_path: Path) -> None:
    archive = tmp_path / "rl_model_8192_steps.zip"
    saved(archive)
    statistics(tmp_path / "rl_model_vecnormalize_4096_steps.pkl")  # of another one
    bare = load(archive)
    assert not normalised(bare)
    (note,) = bare.card.notes
    assert "rl_model_vecnormalize_4096_steps.pkl beside the expert looks like VecNormalize" in note
    statistics(tmp_path / "rl_model_vecnormalize_8192_steps.pkl")
    whole = load(archive)
    assert normalised(whole) and whole.card.notes == ()


def test_other_pickles_are_no_statistics(tmp_path: Path) -> None:
    saved(tmp_path / "agent.zip")
    (tmp_path / "replay_buffer.pkl").write_bytes(b"\x80\x04N.")
    assert load(tmp_path).card.notes == ()


def test_a_name_without_its_suffix_is_found(tmp_path: Path) -> None:
    saved(tmp_path / "my.agent.zip")
    assert load(tmp_path / "my.agent").card.sha256 == load(tmp_path / "my.agent.zip").card.sha256


def test_a_folder_of_the_hubs_cache_is_read(tmp_path: Path) -> None:
    repo = tmp_path / "models--sb3--ppo-Blank-v0"
    for commit in ("a" * 40, "b" * 40):
        (repo / "snapshots" / commit).mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("a" * 40)
    saved(repo / "snapshots" / ("a" * 40) / "ppo-Blank-v0.zip")
    assert "ppo-Blank-v0.zip" in load(repo).card.name
    (repo / "refs" / "main").write_text("../../..")
    with pytest.raises(ExpertError, match="no agent for 'Blank-v0'"):
        load(tmp_path / "models--sb3--ppo-Blank-v0" / "snapshots" / ("b" * 40))


def test_masks_are_noted(tmp_path: Path) -> None:
    saved(tmp_path / "masked.zip", kind="MaskablePPO")
    (note,) = load(tmp_path / "masked.zip").card.notes
    assert "action masks (MaskablePPO), which are not applied" in note


def test_actions_that_do_not_start_at_0_are_refused(tmp_path: Path) -> None:
    """stable-baselines3 passes 0 to n - 1 to such environments."""
    late = spaces.Discrete(2, start=-1)
    saved(tmp_path / "late.zip", OBS, late)
    with pytest.raises(ExpertError, match=r"counts actions from 0, but .* start at -1: shift them"):
        load(tmp_path / "late.zip", OBS, late)


@pytest.mark.parametrize(
    ("trained", "here", "says"),
    [
        (16, 4, "this looks like a stack of 4 frames: .*FrameStackObservation"),
        (111, 27, r"Ant-v3 has 111 numbers .*\+env\.kwargs\.use_contact_forces=true"),
        (111, 105, r"set env\.version=3"),
        (112, 27, r"env\.kwargs\.use_contact_forces=true"),
        (5, 4, "config.yml beside it that names the TimeFeatureWrapper"),
        (7, 4, "choose an expert of this environment"),
    ],
)
def test_other_sizes_say_what_may_be_the_reason(
    trained: int, here: int, says: str, tmp_path: Path
) -> None:
    wide, narrow = (spaces.Box(-9, 9, (n,), np.float32) for n in (trained, here))
    saved(tmp_path / "wide.zip", wide)
    with pytest.raises(ExpertError, match=says):
        load(tmp_path / "wide.zip", narrow)


HUB: dict[str, Any] = {
    "algo": "ppo", "repo_id": None, "filename": None, "revision": None, "sha256": None,
    "fallback": "none", "deterministic": True,
}  # fmt: skip


@pytest.mark.parametrize("algo", ["rainbow", "PPO", "ppo2"])
def test_an_unknown_algorithm_is_refused_before_the_network(algo: str) -> None:
    with pytest.raises(ConfigError, match=r"expert\.algo must be one of a2c, .*ppo"):
        Hub(**{**HUB, "algo": algo})
    Hub(**{**HUB, "algo": algo, "repo_id": "me/mine"})


def test_a_cache_made_by_others_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Client(monkeypatch, tmp_path, "http://127.0.0.1:9")
    repo = tmp_path / "HF_HUB_CACHE" / "models--sb3--ppo-Blank-v0"
    (repo / "snapshots" / ("a" * 40)).mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("a" * 40)
    given = space_of(OBS), space_of(ACT)
    with pytest.raises(HubUnreachable):
        Hub(**HUB).load("Blank-v0", *given)
    saved(repo / "snapshots" / ("a" * 40) / "ppo-Blank-v0.zip")
    expert = Hub(**HUB).load("Blank-v0", *given)
    (note,) = expert.card.notes
    assert "'sb3/ppo-Blank-v0' is used as it is in the cache, without vec_normalize.pkl" in note
    acts = expert.act(
        Observation(np.zeros((1, 4), np.float32), np.zeros(1, np.int64)), np.random.default_rng(0)
    )
    assert acts.actions.shape == (1,)
