"""PPO that goes on from a student, with and without a critic, and from scratch.

    python scripts/continue_with_rl.py run [env=mountaincar] [seeds=0,1,2,3,4]
    python scripts/continue_with_rl.py run env=cartpole seeds=0,1,2

`run` trains a student of few labels for each seed, exports it, and lets PPO of stable-baselines3 go
on; what is in the folder (folder=outputs/continue_with_rl) is not repeated. With and without `run`,
it then writes the environment's part of docs/continue_with_rl.json and prints its table for
docs/continue_with_rl.md: mean return of 20 episodes (test seeds, most likely actions) before PPO
and after every 4,096 of its env steps, and of the policy kept by then: of the student and those
after it the one with the highest return in 50 other episodes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from dagger_cli.utils.files import write_json

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "continue_with_rl.json"
STEPS, EVERY = 40_960, 4096
TEST, VALIDATION = range(1000, 1020), range(2000, 2050)  # seeds
ENVS = {  # the environment's id, and the labels of its student
    "mountaincar": ("MountainCar-v0", ("rounds=2", "steps_per_round=300")),
    "cartpole": ("CartPole-v1", ("rounds=2", "steps_per_round=100")),
}
STUDENT = (
    "expert=bundled", "policy.sizes=[64,64]", "policy.gradient_steps=300", "evaluation.episodes=20",
    "evaluation.checkpoint=last", "regret=false", "validation.episodes=0", "gif=false",
)  # fmt: skip
PPO = {"n_steps": 256, "batch_size": 64, "gamma": 0.99, "gae_lambda": 0.98}  # gamma of the critic
CAREFUL = {"learning_rate": 1e-4, "n_epochs": 4, "clip_range": 0.1}

ARCHIVES = {  # that PPO begins with
    "careful": "critic",
    "careful without critic": "no critic",
    "usual": "critic",
    "scratch": None,
}
NAMES = {  # in the table
    "careful": "small steps, with critic",
    "careful, kept": "small steps, with critic, kept",
    "careful without critic": "small steps, without critic",
    "usual": "usual steps, with critic",
    "usual, kept": "usual steps, with critic, kept",
    "scratch": "from scratch, usual steps",
}


def student(folder: Path, env: str, seed: int) -> Path:
    """Returns the folder of a trained and exported student."""
    run = folder / f"student_{seed}"
    if not (run / "summary.json").exists():
        line = ["train", f"env={env}", *STUDENT, *ENVS[env][1], f"seed={seed}"]
        line.append(f"hydra.run.dir={run}")
        subprocess.run([sys.executable, "-m", "dagger_cli", *line], check=True)
    for name, word in (("critic", "critic=true"), ("no critic", "critic=false")):
        line = ["export", f"checkpoint={run}/last", "format=sb3", f"path={run}/{name}.zip", word]
        subprocess.run([sys.executable, "-m", "dagger_cli", *line], check=True)
    return run


def score(model: Any, env_id: str, seeds: range) -> float:
    """Returns the mean return of an episode for each seed."""
    import gymnasium

    envs = [gymnasium.make(env_id) for _ in seeds]
    obs = np.stack([env.reset(seed=s)[0] for s, env in zip(seeds, envs, strict=True)])
    running, total = list(range(len(envs))), 0.0
    while running:
        actions = model.predict(obs[running], deterministic=True)[0]
        for i, action in zip([*running], actions, strict=True):
            obs[i], reward, ended, cut, _ = envs[i].step(action)
            total += float(reward)
            if ended or cut:
                running.remove(i)
    return total / len(envs)


def go_on(run: Path, env_id: str, way: str, seed: int) -> dict[str, list[float]]:
    """Returns the scores before PPO and after every `EVERY` steps, and those of the policy kept."""
    import torch
    from stable_baselines3 import PPO as Algorithm
    from stable_baselines3.common.env_util import make_vec_env

    torch.set_num_threads(1)
    env = make_vec_env(env_id, 8, seed=seed)
    settings = {**PPO, **(CAREFUL if way.startswith("careful") else {})}
    archive = ARCHIVES[way]
    if archive is None:
        own = {"net_arch": [64, 64]}
        model = Algorithm("MlpPolicy", env, seed=seed, policy_kwargs=own, device="cpu", **settings)
    else:
        path = run / f"{archive}.zip"
        model = Algorithm.load(path, env, seed=seed, device="cpu", **settings)
    scores, kept, best = [], [], -np.inf
    while True:
        scores.append(score(model, env_id, TEST))
        figure = score(model, env_id, VALIDATION)
        kept.append(scores[-1] if figure > best else kept[-1])
        best = max(best, figure)
        if model.num_timesteps >= STEPS:
            return {"returns": scores, "kept": kept}
        model.learn(EVERY, reset_num_timesteps=False)


def measure(folder: Path, env: str, seeds: list[int]) -> None:
    """Measures what is missing, a file for each way and seed."""
    for seed in seeds:
        run = student(folder, env, seed)
        for way in ARCHIVES:
            file = result_file(folder, way, seed)
            if not file.exists():
                write_json(file, go_on(run, ENVS[env][0], way, seed))


def result_file(folder: Path, way: str, seed: int) -> Path:
    return folder / f"{way.replace(' ', '_')}_{seed}.json"


def main() -> None:
    given = dict(word.split("=") for word in sys.argv[1:] if "=" in word)
    env = given.get("env", "mountaincar")
    seeds = [int(seed) for seed in given.get("seeds", "0,1,2,3,4").split(",")]
    folder = Path(given.get("folder", "outputs/continue_with_rl")) / env
    folder.mkdir(parents=True, exist_ok=True)
    if "run" in sys.argv[1:]:
        measure(folder, env, seeds)
    found = {
        way: [json.loads(result_file(folder, way, seed).read_text()) for seed in seeds]
        for way in ARCHIVES
    }
    rows = {
        name: [one[key] for one in found[way]]
        for way in ARCHIVES
        for name, key in ((way, "returns"), (f"{way}, kept", "kept"))
        if key == "returns" or ARCHIVES[way] == "critic"
    }
    result = {"seeds": seeds, "every": EVERY, "episodes": len(TEST), "returns": rows}
    write_json(RESULTS, json.loads(RESULTS.read_text()) | {ENVS[env][0]: result})
    shown = (0, 1, 2, 4, 7, 10)
    print("| PPO's env steps |", " | ".join(f"{EVERY * i:,}" for i in shown), "| lowest |")
    print("|---|" + "---|" * (len(shown) + 1))
    for name, curves in rows.items():
        columns = [*np.array(curves).T[list(shown)], np.min(curves, axis=1)]
        cells = [f"{np.mean(c):.0f} ({', '.join(f'{x:.0f}' for x in c)})" for c in columns]
        print(f"| {NAMES[name]} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
