"""Comparison with the library `imitation` on MuJoCo's HalfCheetah and Hopper: BC and DAgger.

Both use version 4 of the environments with MuJoCo 3.6: Gymnasium 0.29.1 there, EnvPool 1.2.5 here.
Same expert (rl-zoo's agents of v3, whose observations are those of v4), same labels, same network
sizes, about the same number of gradient steps, one torch thread, no validation; both students are
scored here on the same unseen seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from measure import SHARED, score
from peers import dagger, export_expert, imitation, installed


class Task(NamedTuple):
    """Names of an environment and its agent, and the same beta for both programs."""

    env: str
    id: str
    agent: str
    beta: Sequence[str]
    theirs: str


# Ours: 10 rounds of 2,000 steps. Theirs: as many steps in all, over all labels in every round.
LABELS, ROUNDS, STEPS = 50_000, 10, 2_000
EPOCHS = {"dagger": 9, "bc": 51}  # 128 rows a batch: 19,330 and 19,940 steps
TRAINERS = {"dagger": "dagger", "bc": "sup"}
TASKS = (
    # No episode of it ends early: the expert soon stops acting (conf/experiment/halfcheetah_best).
    Task(
        "halfcheetah",
        "HalfCheetah-v4",
        "sac-HalfCheetah-v3",
        ("beta=exponential", "beta_schedule.p=0.5"),
        "0.5",
    ),
    Task("hopper", "Hopper-v4", "ppo-Hopper-v3", ("beta=linear",), str(ROUNDS)),
)


def peers_mujoco(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns CPU seconds and returns of both programs, per task, method and seed."""
    tasks = [task for task in TASKS if (SHARED / "hub/sb3" / task.agent).exists()]
    if not tasks:
        return {"skipped": "the agents are not in hub/sb3 of DAGGER_SHARED."}
    interpreter = installed(runs / "peers_venv")
    return {task.env: _task(task, repeats, runs, interpreter) for task in tasks}


def _task(task: Task, repeats: int, runs: Path, interpreter: Path) -> dict[str, Any]:
    words = (f"env={task.env}", "env.version=4", "env.backend=envpool", "expert=path")
    words = (*words, f"expert.path={SHARED / 'hub/sb3' / task.agent}")
    agent = export_expert(runs / f"{task.env}.npz", *words)
    pairs = []
    for seed in range(repeats):
        pair: dict[str, Any] = {}
        for method, trainer in TRAINERS.items():
            folder = runs / f"{task.env}_{method}_{seed}"
            given = [f"expert={agent}", f"env={task.id}", f"method={method}", f"seed={seed}"]
            given += [f"labels={LABELS}", f"epochs={EPOCHS[method]}", f"beta={task.theirs}"]
            given += ["sizes=256,256", "n_envs=5", "episodes=5"]
            pair[f"imitation {method}"] = imitation(
                interpreter, runs / f"imitation_{folder.name}", *given, env=words
            )
            pair[f"dagger trainer={trainer}"] = dagger(folder, *_ours(task, trainer, seed), *words)
            print(seed, pair, flush=True)
        pairs.append(pair)
    return {"expert": score("expert", *words), "pairs": pairs}


def _ours(task: Task, trainer: str, seed: int) -> list[str]:
    words = [f"trainer={trainer}", f"seed={seed}", f"rounds={ROUNDS}", "policy.sizes=[256,256]"]
    words += [f"labels={LABELS}", f"policy.gradient_steps={STEPS}", "policy=mlp"]
    words += ["validation.episodes=0", "regret=false"]
    return [*words, *(task.beta if trainer == "dagger" else ())]
