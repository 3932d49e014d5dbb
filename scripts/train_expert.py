"""Trains the bundled expert of one environment, and writes its card.

    python scripts/train_expert.py env=bipedal [algo=a2c] [seed=0] [steps=5000000] [out=folder]
    python scripts/train_expert.py env=bipedal from=logs/a2c/BipedalWalker-v3_1

Trains with rl_zoo3 and its tuned hyper-parameters, as expert=train does; `from` uses an existing
log folder instead. The best evaluated model (or the last one, if its score is higher) is converted
by this package's loader and evaluated on the seeds 1000..1099 in Gymnasium, with deterministic
actions.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from dagger_cli.core.types import Space
from dagger_cli.experts.bundled import AGENTS
from dagger_cli.experts.sb3.convert import agent_from
from dagger_cli.experts.sb3.zoo_training import Plan, candidates, command, run_folders, tuned_steps
from dagger_cli.networks.agent_files import Agent, load_agent, save_agent
from dagger_cli.networks.network import Network

SEEDS = range(1000, 1100)
PACKAGES = (
    "dagger-cli",
    "rl_zoo3",
    "stable_baselines3",
    "sb3_contrib",
    "gymnasium",
    "torch",
    "numpy",
)
KEYS = ("env", "algo", "seed", "steps", "out", "from")


class Task(NamedTuple):
    """Settings of an environment: the score that its agent must reach, and evaluation frequency."""

    env_id: str
    algo: str
    target: float
    eval_freq: int
    fall_reward: float | None = None  # the last reward of an episode that ended badly


TASKS = {
    "acrobot": Task("Acrobot-v1", "ppo", -90, 50_000),
    "bipedal": Task("BipedalWalker-v3", "a2c", 295, 100_000, -100),
    "cartpole": Task("CartPole-v1", "ppo", 500, 10_000),
    "lunarlander": Task("LunarLander-v3", "ppo", 250, 50_000, -100),
    "lunarlander_continuous": Task("LunarLanderContinuous-v3", "ppo", 250, 50_000, -100),
    "mountaincar": Task("MountainCar-v0", "dqn", -115, 5_000),
    "mountaincar_continuous": Task("MountainCarContinuous-v0", "sac", 90, 5_000),
    "pendulum": Task("Pendulum-v1", "tqc", -170, 1_000),
}


def main(words: list[str]) -> int:
    given = dict(word.partition("=")[::2] for word in words)
    if set(given) - set(KEYS) or given.get("env") not in TASKS:
        print(__doc__)
        print(f"env is one of: {', '.join(TASKS)}")
        return 2
    task = TASKS[given["env"]]
    logs = Path(given["from"]) if "from" in given else train(task, given)
    out = Path(given.get("out", AGENTS))
    facts, score = bundle(task, logs, out / task.env_id)
    print(json.dumps({"env": task.env_id, **facts, "score": score}, indent=1))
    reached = score["mean"] >= task.target
    print(f"target {task.target}: {'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


def train(task: Task, given: dict[str, str]) -> Path:
    """Runs rl_zoo3; returns its log folder."""
    algo, logs = given.get("algo", task.algo), Path("logs")
    steps = int(given.get("steps", 0)) or tuned_steps(algo, task.env_id)
    plan = Plan(task.env_id, algo, int(given.get("seed", 0)), steps)
    before = set(run_folders(plan, logs))
    words = ["-n", str(steps), "--eval-freq", str(task.eval_freq), "--eval-episodes", "50"]
    done = subprocess.run(command(plan, logs, words), check=False)
    if done.returncode:
        raise SystemExit(f"rl_zoo3 ended with exit code {done.returncode}")
    (folder,) = set(run_folders(plan, logs)) - before
    return folder


def bundle(task: Task, logs: Path, stem: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Writes the better of the best and last models with its card; returns the card's entries."""
    env = gym.make(task.env_id)
    spaces = space_of(env.observation_space), space_of(env.action_space)
    chosen: tuple[dict[str, Any], dict[str, Any], Agent] | None = None
    for name, files, _ in candidates(logs, task.env_id):
        agent = agent_from(files, *spaces)
        score = score_of(task, agent, stem.parent)
        print(f"{name}: {score['mean']:.1f} +- {score['std']:.1f}, falls {score['falls']}")
        if chosen is None or score["mean"] > chosen[1]["mean"]:
            chosen = facts_of(task, logs, name, agent), score, agent
        if score["mean"] >= task.target and not score["falls"]:
            break
    if chosen is None:
        raise SystemExit(f"no best_model.zip or {task.env_id}.zip in {logs}")
    facts, score, agent = chosen
    save_agent(Agent(agent.spec, agent.weights, {**facts, "score": score}), stem)
    return facts, score


def facts_of(task: Task, logs: Path, name: str, agent: Agent) -> dict[str, Any]:
    given = (logs / task.env_id / "command.txt").read_text().split()
    evaluations = np.load(logs / "evaluations.npz")
    best = int(evaluations["timesteps"][evaluations["results"].mean(axis=1).argmax()])
    return {
        "env_id": task.env_id,
        "algo": given[given.index("--algo") + 1],
        "command": " ".join(["python", *given[given.index("-m") :]]),
        "seed": int(given[given.index("--seed") + 1]),
        "steps": int(evaluations["timesteps"][-1]),
        "model": name,
        "model_step": best if name == "best" else int(evaluations["timesteps"][-1]),
        "archive_sha256": agent.facts["sha256"],
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def score_of(task: Task, agent: Agent, scratch: Path) -> dict[str, Any]:
    """Evaluates on the fixed seeds, with one environment per process on two cores."""
    stem = scratch / f".scoring-{task.env_id}"
    paths = save_agent(agent, stem)
    try:
        with get_context("spawn").Pool(2) as pool:
            jobs = [(task, stem, seed) for seed in SEEDS]
            played = np.array(pool.starmap(play, jobs, chunksize=5))
    finally:
        for path in paths:
            path.unlink()
    returns, falls = played[:, 0], played[:, 1]
    numbers = {
        "mean": returns.mean(),
        "std": returns.std(),
        "min": returns.min(),
        "max": returns.max(),
    }
    rounded = {key: round(float(value), 3) for key, value in numbers.items()}
    return {**rounded, "falls": int(falls.sum()), "seeds": [SEEDS.start, SEEDS.stop - 1]}


def play(task: Task, stem: Path, seed: int) -> tuple[float, bool]:
    """Runs one episode; returns its return, and whether it failed."""
    import torch

    torch.set_num_threads(1)
    agent = load_agent(stem)
    network = Network(agent.spec, agent.weights)
    env = gym.make(task.env_id)
    obs, _ = env.reset(seed=seed)
    total, reward, ended = 0.0, 0.0, False
    while not ended:
        obs, step_reward, terminated, truncated, _ = env.step(network.act(obs[None], None)[0])
        reward = float(step_reward)
        total += reward
        ended = terminated or truncated
    return total, task.fall_reward is not None and reward <= task.fall_reward


def space_of(space: Any) -> Space:
    """Converts a Gymnasium space; Box and Discrete suffice for the bundled environments."""
    if isinstance(space, gym.spaces.Discrete):
        return Space(
            "discrete", (), str(space.dtype), sizes=(int(space.n),), start=int(space.start)
        )
    low, high = (tuple(map(float, bound.ravel())) for bound in (space.low, space.high))
    return Space("box", space.shape, str(space.dtype), low=low, high=high)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
