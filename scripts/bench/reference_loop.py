"""Plain reimplementation of the script this project grew from, for comparison.

Described in docs/experiments/original_walker.md.

    python scripts/bench/reference_loop.py out=FOLDER [rounds=50] [steps=2000] [seed=0]
                                           [expert=FOLDER_OR_ZIP] [until=0]

One Gymnasium environment; expert and policy act on one observation at a time; transitions are in a
list; every round fits 5 epochs of batches of 64 over all of it with torch's DataLoader,
warm-started; network 24-128-64-4, Adam 1e-3, squared error;
beta_i = 1 - (i - 1) / rounds. Writes FOLDER/rounds.json (wall and processor seconds spent until
the end of each round, without imports) and FOLDER/policy_<round>.pt (its state dict), which
`scoring.py` evaluates. `until` is the number of rounds to run, with the same schedule.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from jobs import job_of, options
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from dagger_cli.core.types import Observation


def main(words: list[str]) -> None:
    given = options(words, out="", rounds="50", steps="2000", seed="0", expert="", until="0")
    out, rounds, seed = Path(given["out"]), int(given["rounds"]), int(given["seed"])
    out.mkdir(parents=True, exist_ok=True)
    expert = the_expert(given["expert"])
    torch.set_num_threads(1)  # the fastest for a network as small as this
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    policy = nn.Sequential(
        nn.Linear(24, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 4), nn.Tanh()
    )
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-3)
    env = gymnasium.make("BipedalWalker-v3")
    states: list[Any] = []
    answers: list[Any] = []
    seconds, cpu = [], []
    begun, cpu_begun = time.perf_counter(), time.process_time()
    obs, _ = env.reset(seed=seed)
    for i in range(1, (int(given["until"]) or rounds) + 1):
        beta = 1 - (i - 1) / rounds
        for _ in range(int(given["steps"])):
            answer = expert(obs)
            states.append(obs)
            answers.append(answer)
            action = answer if rng.random() < beta else act(policy, obs)
            obs, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                obs, _ = env.reset()
        fit(policy, optimizer, states, answers)
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - cpu_begun)
        torch.save(policy.state_dict(), out / f"policy_{i}.pt")
        print(f"round {i}/{rounds}: {len(states):,} labels, {seconds[-1]:.1f} s", flush=True)
    spent = {"steps": int(given["steps"]), "seconds": seconds, "cpu_seconds": cpu}
    (out / "rounds.json").write_text(json.dumps(spent))


def the_expert(path: str) -> Any:
    """Returns the agent that dagger-cli uses, as a function of one observation."""
    words = ["expert=path", f"expert.path={path}"] if path else ["expert=bundled"]
    expert, rng = job_of("env=bipedal", *words).kit.expert, np.random.default_rng(0)
    return lambda obs: expert.act(Observation(obs[None], np.zeros(1, np.int64)), rng).actions[0]


def act(policy: nn.Module, obs: Any) -> Any:
    with torch.no_grad():
        return policy(torch.from_numpy(obs).unsqueeze(0)).squeeze(0).numpy()


def fit(policy: nn.Module, optimizer: Any, states: list[Any], answers: list[Any]) -> None:
    data = TensorDataset(torch.from_numpy(np.array(states)), torch.from_numpy(np.array(answers)))
    for _ in range(5):
        for obs, labels in DataLoader(data, batch_size=64, shuffle=True):
            loss = nn.functional.mse_loss(policy(obs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


if __name__ == "__main__":
    main(sys.argv[1:])
