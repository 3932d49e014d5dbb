"""Training with rl_zoo3's tuned hyper-parameters: the command, its checkpoints, its result."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.errors import ExpertError
from dagger_cli.experts.sb3.convert import AgentFiles

ALGORITHMS = (
    "a2c", "ars", "crossq", "ddpg", "dqn", "ppo", "qrdqn", "sac", "td3", "tqc", "trpo",
)  # fmt: skip
EVALUATIONS = 20  # evaluations of the agent during training
CHECKPOINTS = 20


class Plan(NamedTuple):
    """What to train, and the number of env steps."""

    env_id: str
    algo: str
    seed: int
    steps: int


class Candidate(NamedTuple):
    """A model of the training and its score by rl_zoo3, if there is one."""

    name: str
    files: AgentFiles
    score: tuple[float, float] | None


def tuned_steps(algo: str, env_id: str) -> int:
    """Returns rl_zoo3's number of steps; raises ExpertError without hyper-parameters for it."""
    if algo not in ALGORITHMS:
        raise ExpertError(f"expert.algo={algo} cannot be trained; use {', '.join(ALGORITHMS)}")
    found = _tuned(algo).get(env_id)
    if not isinstance(found, dict):
        others = [name for name in ALGORITHMS if env_id in _tuned(name)]
        hint = f"use expert.algo={'|'.join(others)}" if others else "use another expert"
        raise ExpertError(f"rl_zoo3 has no tuned hyper-parameters of {algo} for '{env_id}'; {hint}")
    return int(float(found["n_timesteps"]))


def _tuned(algo: str) -> dict[str, Any]:
    import yaml

    spec = find_spec("rl_zoo3")
    if spec is None or spec.origin is None:
        raise ExpertError("expert=train needs the package rl_zoo3: pip install rl_zoo3")
    path = Path(spec.origin).parent / "hyperparams" / f"{algo}.yml"
    found: dict[str, Any] = yaml.safe_load(path.read_bytes())
    return found


def command(plan: Plan, logs: Path, extra: Sequence[str] = ()) -> list[str]:
    """Returns the training command; its arguments are those of `python -m rl_zoo3.train`."""
    words = [sys.executable, "-m", "dagger_cli.experts.sb3.zoo_process"]
    words += ["--algo", plan.algo, "--env", plan.env_id, "--seed", str(plan.seed), "-f", str(logs)]
    words += ["--num-threads", "1", "--vec-env", "dummy", "--device", "cpu"]
    return [*words, *extra]


def train(plan: Plan, logs: Path, *, progress: bool) -> None:
    """Trains, or resumes from the last checkpoint in `logs`; raises ExpertError on failure."""
    done, start = _last_checkpoint(plan, logs)
    left = plan.steps - done
    every = max(plan.steps // CHECKPOINTS, 1)
    words = ["-n", str(left), "--verbose", "0", "--save-freq", str(every)]
    words += ["--eval-freq", str(max(plan.steps // EVALUATIONS, 1)), "--eval-episodes", "20"]
    words += ["-i", str(start)] if start is not None else []
    words += ["--progress"] if progress else []
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / "output.txt"
    with log.open("ab") as file:
        done_process = subprocess.run(
            command(plan, logs, words),
            stdout=file,
            stderr=None if progress else file,
            check=False,
            # `python -m` would find modules of the current folder first (subprocess_engine.py).
            env={**os.environ, "PYTHONSAFEPATH": "1"},
        )
    if done_process.returncode < 0 or done_process.returncode == 130:
        raise KeyboardInterrupt
    if done_process.returncode:
        raise ExpertError(f"training ended with an error: {_last_line(log)} (full log: {log})")


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "no output")


def run_folders(plan: Plan, logs: Path) -> list[Path]:
    """Returns rl_zoo3's folders `<algo>/<env id>_<n>`, oldest first."""
    found = (logs / plan.algo).glob(f"{plan.env_id.replace('/', '-')}_*")
    return sorted(found, key=lambda path: int(path.name.rpartition("_")[2]))


def _last_checkpoint(plan: Plan, logs: Path) -> tuple[int, Path | None]:
    """Returns the steps done and the archive to resume from, with copies of its companions."""
    kept = [(_steps(path), path) for run in run_folders(plan, logs) for path in run.glob("*.zip")]
    steps, path = max(kept, default=(0, None), key=lambda pair: pair[0])
    if path is None or not 0 < steps < plan.steps:
        return 0, None
    resumed = logs / "resumed"
    shutil.rmtree(resumed, ignore_errors=True)
    settings = resumed / plan.env_id.replace("/", "-")
    settings.mkdir(parents=True)
    shutil.copy2(path, resumed / "agent.zip")
    for kind, target in (("vecnormalize", settings), ("replay_buffer", resumed)):
        beside = path.with_name(f"rl_model_{kind}_{steps}_steps.pkl")
        if beside.exists():
            shutil.copy2(beside, target / f"{kind}.pkl")
    return steps, resumed / "agent.zip"


def _steps(path: Path) -> int:
    match = re.fullmatch(r"rl_model_(\d+)_steps\.zip", path.name)
    return int(match[1]) if match else 0


def candidates(run: Path, env_id: str) -> Iterator[Candidate]:
    """Yields the best evaluated model, then the last one, each with its own statistics."""
    settings = run / env_id.replace("/", "-")
    config, args = settings / "config.yml", settings / "args.yml"
    last = settings / "vecnormalize.pkl"
    best = run / "best" / "vecnormalize.pkl"
    for name, archive, statistics in (
        ("best", run / "best_model.zip", best if last.exists() else None),
        ("last", run / f"{env_id.replace('/', '-')}.zip", last if last.exists() else None),
    ):
        if archive.exists() and (statistics is None or statistics.exists()):
            files = AgentFiles(archive, statistics, config, args)
            yield Candidate(name, files, _evaluated(run / "evaluations.npz", name))


def _evaluated(path: Path, name: str) -> tuple[float, float] | None:
    """Returns rl_zoo3's score of the best or last evaluation: (mean, standard deviation)."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            results = arrays["results"]
    except (OSError, ValueError, KeyError):
        return None
    row = results[results.mean(axis=1).argmax() if name == "best" else -1]
    return float(row.mean()), float(row.std())


def best_of(plan: Plan, logs: Path) -> Candidate:
    """Returns the model with the highest score, of all folders of the training."""
    found = [c for run in run_folders(plan, logs) for c in candidates(run, plan.env_id)]
    if not found:
        raise ExpertError(f"the training left no model in '{logs}'; remove that folder to start")
    return max(found, key=lambda c: -np.inf if c.score is None else c.score[0])
