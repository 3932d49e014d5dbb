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


# Ours: 10 rounds of 1,000 steps. Theirs: as many steps in all, over all labels in every round.
LABELS, ROUNDS, STEPS = 20_000, 10, 1_000
EPOCHS = {"dagger": 12, "bc": 64}  # 128 rows a batch: 10,310 and 10,000 steps
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
    found: dict[str, Any] = {
        task.env: {"expert": score("expert", *_words(task)), "pairs": []} for task in tasks
    }
    for seed in range(repeats):
        for task in tasks:
            pair = {}
            for method in TRAINERS:
                pair |= _theirs_and_ours(task, method, seed, runs, interpreter)
            found[task.env]["pairs"].append(pair)
            print(task.env, seed, pair, flush=True)
    return found


def _theirs_and_ours(
    task: Task, method: str, seed: int, runs: Path, interpreter: Path
) -> dict[str, Any]:
    """Returns a run of each; of theirs also one that does not standardize, for the first seed."""
    trainer = TRAINERS[method]
    ours = dagger(runs / f"{task.env}_{method}_{seed}", *_ours(task, trainer, seed), *_words(task))
    found = {
        f"imitation {method}, standardized": _theirs(task, method, seed, runs, interpreter, "true"),
        f"dagger trainer={trainer}": ours,
    }
    if seed == 0:
        plain = _theirs(task, method, seed, runs, interpreter, "false")
        found = {f"imitation {method}": plain, **found}
    return found


def _theirs(
    task: Task, method: str, seed: int, runs: Path, interpreter: Path, standardize: str
) -> dict[str, Any]:
    words = _words(task)
    agent = export_expert(runs / f"{task.env}.npz", *words)
    out = runs / f"imitation_{task.env}_{method}_{seed}_{standardize}"
    given = [f"expert={agent}", f"env={task.id}", f"method={method}", f"seed={seed}"]
    given += [f"labels={LABELS}", f"epochs={EPOCHS[method]}", f"beta={task.theirs}"]
    given += ["sizes=256,256", "n_envs=2", "episodes=2", "steps=2000", f"standardize={standardize}"]
    return imitation(interpreter, out, *given, env=words)


def _words(task: Task) -> list[str]:
    agent = SHARED / "hub/sb3" / task.agent
    return [
        *(f"env={task.env}", "env.version=4", "env.backend=envpool"),
        *("expert=path", f"expert.path={agent}"),
    ]


def _ours(task: Task, trainer: str, seed: int) -> list[str]:
    words = [f"trainer={trainer}", f"seed={seed}", f"rounds={ROUNDS}", "policy.sizes=[256,256]"]
    words += [f"labels={LABELS}", f"policy.gradient_steps={STEPS}", "policy=mlp"]
    words += ["validation.episodes=0", "regret=false"]
    return [*words, *(task.beta if trainer == "dagger" else ())]
