"""Run folders made by hand: the files that reports read, without training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


def config(
    env: str = "toy", trainer: str = "dagger", seed: int = 0, rounds: int = 3, **keys: Any
) -> dict[str, Any]:
    """A config as a run saves it; `policy__lr=1` sets policy.lr."""
    value: dict[str, Any] = {
        "seed": seed,
        "rounds": rounds,
        "env": {"_target_": "dagger_cli.envs.gym.GymSource", "name": env, "id": env},
        "policy": {"_target_": "dagger_cli.policies.sources.mlp_learner", "name": "mlp"},
        "trainer": {"_target_": f"dagger_cli.trainers.{trainer}.T", "name": trainer},
    }
    if trainer == "dagger":
        value["trainer"]["beta"] = {"over": 2.0}
    for key, item in keys.items():
        group, _, name = key.partition("__")
        value[group] = {**value[group], name: item} if name else item
    return value


def row(round: int, labels: int, mean: float, **more: float) -> dict[str, float]:
    return {
        "round": round,
        "train/labels": labels,
        "train/env_steps": labels,
        "eval/return_mean": mean,
        "eval/return_std": 1.0,
        "time/total": 2.0,
        **more,
    }


def summary(student: float, expert: float | None, labels: int) -> dict[str, Any]:
    return {
        "student": {"mean": student, "std": 1.0, "failures": 0, "episodes": 5},
        "student_round": 2,
        "expert": None if expert is None else {"mean": expert, "std": 0.0},
        "best": {"round": 2, "validation_mean": student},
        "spent": {"labels": labels, "env_steps": labels},
        "wall_seconds": 12.5,
        "commands": {"evaluate": "rm -rf /", "watch": "rm -rf /"},
    }


def make_run(
    folder: Path,
    curve: Sequence[float] = (50.0, 90.0, 96.0),
    *,
    final: float | None = 97.0,
    expert: float | None = 100.0,
    job: Mapping[str, Any] | None = None,
    **keys: Any,
) -> Path:
    """A run with 100 labels a round; without `final` it is unfinished."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config(**keys)))
    (folder / "versions.json").write_text(json.dumps({"dagger-cli": "0.1.0", "python": "3"}))
    rows = [row(i, 100 * i, mean) for i, mean in enumerate(curve, 1)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    if final is not None:
        value = summary(final, expert, 100 * len(curve))
        (folder / "summary.json").write_text(json.dumps(value))
    if job is not None:
        (folder / "job.json").write_text(json.dumps(job))
    return folder


def job(status: str, *words: str, error: str | None = None) -> dict[str, Any]:
    return {"number": 0, "words": list(words), "status": status, "error": error, "trace": None}


def make_sweep(folder: Path, finals: Mapping[str, Sequence[float]], **keys: Any) -> Path:
    """One run per trainer and seed, in the layout of a sweep."""
    number = 0
    for trainer, scores in finals.items():
        for seed, final in enumerate(scores):
            words = (f"trainer={trainer}", f"seed={seed}")
            name = f"{number}_{trainer}_seed{seed}"
            own = {"trainer": trainer, "seed": seed, **keys}
            make_run(folder / name, final=final, job=job("finished", *words), **own)
            number += 1
    return folder
