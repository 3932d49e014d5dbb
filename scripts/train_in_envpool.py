"""Trains the bundled expert of a MuJoCo environment with PPO in EnvPool, and writes its card.

    python scripts/train_in_envpool.py env=HalfCheetah-v5 [seed=0] [steps=2000000] [out=folder]

Hyper-parameters are rl-baselines3-zoo's of PPO for HalfCheetah-v4 (hyperparams/ppo.yml), with 8
environments in place of one. Every 50,000 steps the agent is evaluated on 10 episodes; the best is
converted by this package's loader and scored on the seeds 1000..1099 with deterministic actions.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from dagger_cli.core.types import Expert
from dagger_cli.envs.gym import GymSource
from dagger_cli.experts.bundled import AGENTS
from dagger_cli.experts.network_expert import NetworkExpert
from dagger_cli.experts.path import Path as AgentPath
from dagger_cli.loop.evaluate import evaluate
from dagger_cli.networks.agent_files import Agent, save_agent

N_ENVS, EVERY, EPISODES = 8, 50_000, 10
PACKAGES = ("dagger-cli", "stable_baselines3", "envpool", "torch", "numpy")
TUNED = {
    "batch_size": 64,
    "n_steps": 64,  # times 8 environments: rl-zoo's 512
    "gamma": 0.98,
    "learning_rate": 2.0633e-05,
    "ent_coef": 0.000401762,
    "clip_range": 0.1,
    "n_epochs": 20,
    "gae_lambda": 0.92,
    "max_grad_norm": 0.8,
    "vf_coef": 0.58096,
    "policy_kwargs": {
        "log_std_init": -2,
        "ortho_init": False,
        "activation_fn": torch.nn.ReLU,
        "net_arch": {"pi": [256, 256], "vf": [256, 256]},
    },
}


class Environments(VecEnv):
    """EnvPool's environments as stable-baselines3 has them: an ended episode is reset at once."""

    def __init__(self, source: GymSource, n: int, first_seed: int) -> None:
        space = source.observation_space
        obs = gym.spaces.Box(-np.inf, np.inf, space.shape, np.dtype(space.dtype))
        low, high = (
            np.array(b, np.float32) for b in (source.action_space.low, source.action_space.high)
        )
        super().__init__(n, obs, gym.spaces.Box(low, high, dtype=np.float32))
        self._env, self._next, self._slots = source.open(n), first_seed, np.arange(n)
        self._actions = np.zeros((n, *source.action_space.shape), np.float32)

    def _start(self, slots: Any) -> None:
        seeds = np.arange(self._next, self._next + len(slots))
        self._env.reset(slots, seeds)
        self._next += len(slots)

    def reset(self) -> Any:
        """Starts an episode in every environment."""
        self._start(self._slots)
        return self._env.observation.obs.copy()

    def step_async(self, actions: Any) -> None:
        """Keeps the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Steps all environments and resets those that ended."""
        step = self._env.step(self._slots, self._actions)
        obs, infos = self._env.observation.obs.copy(), [{} for _ in self._slots]
        over = np.flatnonzero(step.ended)
        for slot in over:
            infos[slot] = {
                "terminal_observation": obs[slot].copy(),
                "TimeLimit.truncated": bool(step.truncated[slot] and not step.terminated[slot]),
            }
        if over.size:
            self._start(over)
            obs[over] = self._env.observation.obs[over]
        return obs, step.rewards.astype(np.float32), step.ended, infos

    def close(self) -> None:
        """Ends the threads."""
        self._env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Returns an attribute of this class."""
        return [getattr(self, attr_name, None) for _ in self._slots]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Is not supported."""
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Is not supported."""
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Returns that none is wrapped."""
        return [False for _ in self._slots]


class Best(BaseCallback):
    """Saves the agent with the highest mean return so far, with its statistics."""

    def __init__(self, source: GymSource, folder: Path) -> None:
        super().__init__()
        self.source, self.folder = source, folder
        self.top, self.step, self.due = -np.inf, 0, EVERY

    def _on_step(self) -> bool:
        if self.num_timesteps >= self.due:
            self.due += EVERY
            latest = self.folder / "latest"
            self._save(latest)
            mean = score(expert_in(latest, self.source), self.source, range(2000, 2000 + EPISODES))[
                "mean"
            ]
            print(
                f"{self.num_timesteps:,} steps, {time.process_time():.0f} s: {mean:.0f}", flush=True
            )
            if mean > self.top:
                self.top, self.step = mean, self.num_timesteps
                self._save(self.folder / "best")
        return True

    def _save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save(folder / "best_model.zip")
        self.training_env.save(str(folder / "vecnormalize.pkl"))


def expert_in(folder: Path, source: GymSource) -> NetworkExpert:
    """Loads what `Best` saved."""
    loaded: Expert = AgentPath(str(folder), None, True).load(
        source.id, source.observation_space, source.action_space
    )
    assert isinstance(loaded, NetworkExpert)
    return loaded


def score(expert: Expert, source: GymSource, seeds: range) -> dict[str, Any]:
    """Returns mean, standard deviation, smallest and largest return."""
    with closing(source.open(min(len(seeds), 25))) as env:
        played = evaluate(env, expert, seeds, np.random.default_rng(0)).returns
    numbers = {"mean": played.mean(), "std": played.std(), "min": played.min(), "max": played.max()}
    return {key: round(float(value), 3) for key, value in numbers.items()}


def main(words: list[str]) -> int:
    given = dict(word.partition("=")[::2] for word in words)
    if set(given) - {"env", "seed", "steps", "out"} or "env" not in given:
        print(__doc__)
        return 2
    seed, steps = int(given.get("seed", 0)), int(given.get("steps", 2_000_000))
    source = GymSource(
        id=given["env"], imports=None, kwargs={}, max_episode_steps=None, fresh_simulator=False,
        workers=0, backend="envpool", failure="none",
    )  # fmt: skip
    folder = Path("logs") / f"ppo-{source.id}-{seed}"
    torch.set_num_threads(1)
    envs = VecNormalize(Environments(source, N_ENVS, 2**24 + seed * 10**7), gamma=TUNED["gamma"])
    best = Best(source, folder)
    PPO("MlpPolicy", envs, seed=seed, device="cpu", **TUNED).learn(steps, callback=best)
    expert = expert_in(folder / "best", source)
    final = score(expert, source, range(1000, 1100))
    facts = {
        "env_id": source.id,
        "algo": "ppo",
        "command": f"python scripts/train_in_envpool.py env={source.id} seed={seed} steps={steps}",
        "seed": seed,
        "steps": steps,
        "model_step": best.step,
        "archive_sha256": expert.card.sha256,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
    }
    facts["score"] = {**final, "seeds": [1000, 1099]}
    network = expert.network
    save_agent(
        Agent(network.spec, network.weights, facts), Path(given.get("out", AGENTS)) / source.id
    )
    print(json.dumps(facts, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
