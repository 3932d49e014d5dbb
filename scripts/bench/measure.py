"""Time and memory of commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("DAGGER_SHARED", HERE.parents[2] / "shared"))
UNSEEN = range(50_000, 50_100)  # neither the table's seeds nor any that defaults were chosen on
SHORT = (  # a run of one round that does next to nothing
    "rounds=1", "steps_per_round=8", "policy.gradient_steps=1", "validation.episodes=0",
    "evaluation.episodes=1", "evaluation.expert=false", "gif=false",
)  # fmt: skip


class Took(NamedTuple):
    """Wall and CPU seconds of a command with all its children, and its peak memory."""

    begun: float  # seconds since the epoch, as files' times
    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: str


def took(words: list[str]) -> Took:
    """Runs a command and measures it; raises CalledProcessError where it fails."""
    epoch, begun = time.time(), time.perf_counter()
    # Where Python may not keep what it compiled, every command would compile this package anew.
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, words, output)
    seconds, cpu = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
    return Took(epoch, seconds, cpu, usage.ru_maxrss / 1024, output)


def python(script: str, *words: str) -> Took:
    """Returns the command that runs a script of this folder."""
    return took([sys.executable, str(HERE / script), *words])


def train(
    folder: Path, *words: str, before: tuple[str, ...] = ()
) -> tuple[Took, dict[str, Any], list[dict[str, Any]]]:
    """Runs `dagger train` in a new folder; returns its usage, summary and rounds.

    `before` is a prefix of the command line, such as a command that runs another one.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "dagger_cli.cli.main",
        "train",
        *words,
        f"hydra.run.dir={folder}",
    ]
    cost = took([*before, *command])
    summary = json.loads((folder / "summary.json").read_text())
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return cost, summary, [json.loads(line) for line in lines]


def score(checkpoint: Path | str, *words: str) -> dict[str, Any]:
    """Returns the scores of `dagger eval` for a run's best policy, or `expert`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "score.json"
        more = [f"episodes={len(UNSEEN)}", f"seed={UNSEEN[0]}", f"json={path}", *words]
        took(
            [sys.executable, "-m", "dagger_cli.cli.main", "eval", f"checkpoint={checkpoint}", *more]
        )
        read = json.loads(path.read_text())
    return {
        "return": round(read["mean"], 1),
        "std": round(read["std"], 1),
        "falls": read["failures"],
    }


def walker_agent() -> Path | None:
    """Returns the path of the Hub's A2C agent in shared/."""
    agent = SHARED / "hub/sb3/a2c-BipedalWalker-v3"
    return agent if agent.exists() else None


def walker_expert() -> list[str]:
    """Returns overrides that select that agent, or the bundled one without it."""
    agent = walker_agent()
    return ["expert=bundled"] if agent is None else ["expert=path", f"expert.path={agent}"]
