"""DAgger and BC of the library `imitation`, for peers.py to run in that library's own environment.

    python scripts/bench/imitation_dagger.py expert=EXPERT.npz out=FOLDER [labels=100000]
        [env=BipedalWalker-v3] [method=dagger] [sizes=64,64] [n_envs=8] [episodes=3] [steps=500]
        [epochs=8] [beta=15] [standardize=false] [seed=0] [threads=1]

Tuned: Adam 1e-3, batches of 128, `epochs` passes per fit, no roll-outs for its log, no progress
bar. It takes the least CPU time with one torch thread; `threads=torch` uses torch's default, one
per core, which is the default of the library. Writes the learner's layers to FOLDER/student.npz,
and labels, rounds and the CPU seconds of this process, start-up included, to FOLDER/spent.json.

`method=dagger` is SimpleDAggerTrainer. In a round each of `n_envs` environments finishes its
episode, at least `episodes` and `steps` in total: 8 of them give some 8,000 labels of the walker.
It ends after the first round with `labels` labels in total. beta falls from 1 to 0 in `beta`
rounds, or, below 1, is `beta` to the power of the round. `method=bc` clones `labels` steps of the
expert in one fit.
With `standardize` the student's first layer standardizes observations, as dagger-cli's does: by
the demonstrations of `bc`, or by 2,000 steps of the expert before the first round of `dagger`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from imitation.algorithms import bc
from imitation.algorithms.dagger import (
    ExponentialBetaSchedule,
    LinearBetaSchedule,
    SimpleDAggerTrainer,
)
from imitation.data import rollout
from imitation.util.util import make_vec_env
from imitation_parts import ArrayExpert, layers_of, student_of

DEFAULTS = {"expert": "", "out": "", "labels": "100000", "n_envs": "8", "episodes": "3"}
DEFAULTS |= {"beta": "15", "seed": "0", "threads": "1", "epochs": "8", "sizes": "64,64"}
DEFAULTS |= {"env": "BipedalWalker-v3", "method": "dagger", "standardize": "false"}
DEFAULTS |= {"steps": "500"}  # the library's own default of a round
STANDARD_STEPS = 2_000


def main(words: list[str]) -> None:
    given = DEFAULTS | dict(word.partition("=")[::2] for word in words)
    out = Path(given["out"])
    out.mkdir(parents=True, exist_ok=True)
    if given["threads"] != "torch":
        torch.set_num_threads(int(given["threads"]))
    torch.manual_seed(int(given["seed"]))
    rng = np.random.default_rng(int(given["seed"]))
    venv = make_vec_env(given["env"], rng=rng, n_envs=int(given["n_envs"]))
    expert = ArrayExpert(venv.observation_space, venv.action_space, np.load(given["expert"]))
    run = dagger if given["method"] == "dagger" else clone
    labels, rounds, student = run(given, venv, expert, rng)
    cpu = round(time.process_time(), 1)
    np.savez(out / "student.npz", **layers_of(student))
    spent = {"labels": labels, "rounds": rounds, "cpu_seconds": cpu}
    (out / "spent.json").write_text(json.dumps(spent))


def dagger(given: dict[str, str], venv: Any, expert: Any, rng: Any) -> tuple[int, int, Any]:
    """Trains until the labels are used; returns labels, rounds and the student."""
    labels, beta = 0, float(given["beta"])
    schedule = ExponentialBetaSchedule(beta) if beta < 1 else LinearBetaSchedule(int(beta))
    seen = None
    if given["standardize"] == "true":  # its expert's actions are not used, nor counted as labels
        seen = _of_expert(expert, venv, STANDARD_STEPS, rng).obs
    cloning = _cloning(given, venv, rng, seen)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SimpleDAggerTrainer(
            venv=venv,
            scratch_dir=scratch,
            expert_policy=expert,
            rng=rng,
            bc_trainer=cloning,
            beta_schedule=schedule,
        )
        while labels < int(given["labels"]):
            trainer.train(
                1,  # one round
                rollout_round_min_episodes=int(given["episodes"]),
                rollout_round_min_timesteps=int(given["steps"]),
                bc_train_kwargs=_fit(given),
            )
            labels = sum(len(episode) for episode in trainer._all_demos)
            print(f"{labels:,} labels, {time.process_time():.1f} CPU s", flush=True)
        return labels, trainer.round_num, cloning.policy


def clone(given: dict[str, str], venv: Any, expert: Any, rng: Any) -> tuple[int, int, Any]:
    """Collects the labels with the expert, and fits once; returns the same."""
    shown = _of_expert(expert, venv, int(given["labels"]), rng)
    cloning = _cloning(given, venv, rng, shown.obs if given["standardize"] == "true" else None)
    cloning.set_demonstrations(shown)
    cloning.train(**_fit(given))
    return len(shown), 1, cloning.policy


def _of_expert(expert: Any, venv: Any, steps: int, rng: Any) -> Any:
    """Returns at least so many transitions of whole episodes of the expert."""
    until = rollout.make_sample_until(min_timesteps=steps)
    episodes = rollout.rollout(expert, venv, until, rng=rng, unwrap=False)
    returns = [episode.rews.sum() for episode in episodes]
    print(f"the expert's return: {np.mean(returns):.1f} in {len(returns)} episodes", flush=True)
    return rollout.flatten_trajectories(episodes)


def _cloning(given: dict[str, str], venv: Any, rng: Any, seen: Any) -> bc.BC:
    spaces = venv.observation_space, venv.action_space
    sizes = [int(size) for size in given["sizes"].split(",")]
    return bc.BC(
        observation_space=spaces[0],
        action_space=spaces[1],
        rng=rng,
        policy=student_of(*spaces, sizes, seen),
        batch_size=128,
        device="cpu",
    )


def _fit(given: dict[str, str]) -> dict[str, Any]:
    return {"n_epochs": int(given["epochs"]), "log_rollouts_venv": None, "progress_bar": False}


if __name__ == "__main__":
    main(sys.argv[1:])
