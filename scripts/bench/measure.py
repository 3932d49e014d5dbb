"""Run a command and say what it took."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
A2C = Path(os.environ.get("DAGGER_SHARED", HERE.parents[2] / "shared")) / "hub/sb3"


class Took(NamedTuple):
    """Wall and processor seconds of a command with all its children, and its peak memory."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    output: str


def took(words: list[str]) -> Took:
    """Raises CalledProcessError where the command fails."""
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, words, output)
    seconds, cpu = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
    return Took(seconds, cpu, usage.ru_maxrss / 1024, output)


def python(script: str, *words: str) -> Took:
    """One of the scripts beside this one."""
    return took([sys.executable, str(HERE / script), *words])


def train(folder: Path, *words: str) -> tuple[Took, dict[str, Any], list[dict[str, Any]]]:
    """`dagger train` into a fresh folder: what it took, its summary and its rounds."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "dagger_cli.cli", "train", *words, f"hydra.run.dir={folder}"]
    cost = took(command)
    summary = json.loads((folder / "summary.json").read_text())
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return cost, summary, [json.loads(line) for line in lines]


def walker_expert() -> list[str]:
    """The Hub's A2C agent where it lies in shared/, else the bundled one."""
    a2c = A2C / "a2c-BipedalWalker-v3"
    return ["expert=path", f"expert.path={a2c}"] if a2c.exists() else ["expert=bundled"]
