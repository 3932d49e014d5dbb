"""Parts of the benchmark: functions of (repeats, folder for runs) that return measurements."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from growth import growth_large
from limit import limit
from measure import SHORT, python, took, train, walker_expert
from others import handwriting, mario, sequences
from peers import curves, peers
from peers_mujoco import peers_mujoco
from quality import quality
from reference import goal, reference, until_trained
from storage import LONG, storage

Figures = dict[str, Any]
FITS = [("128,128", 128)] + [
    (f"{units},{units}", batch) for units in (64, 128, 256, 512) for batch in (64, 256, 1024)
]
BRIEF = ["evaluation.episodes=1", "validation.episodes=1"]


def startup(repeats: int, runs: Path) -> Figures:
    """Returns the start-up seconds of commands, best and median of the repeats."""
    here = [sys.executable, "-m", "dagger_cli.cli.main"]
    commands = {
        "python": [sys.executable, "-c", "pass"],
        "import dagger_cli": [sys.executable, "-c", "import dagger_cli"],
        "import torch": [sys.executable, "-c", "import torch"],
        "dagger --version": [*here, "--version"],
        "dagger --help": [*here, "--help"],
        "dagger train --cfg job": [*here, "train", "--cfg", "job"],
    }
    taken = {
        name: [took(words).seconds for _ in range(repeats)] for name, words in commands.items()
    }
    to_first_round = [_to_first_round(runs / "first") for _ in range(repeats)]
    return {
        **{name: _spread(seconds) for name, seconds in taken.items()},
        "dagger train, to its first round": _spread(to_first_round),
    }


def _to_first_round(folder: Path) -> float:
    """Returns the seconds from a command until its run's config is written, before round 1."""
    cost, _, _ = train(folder, *SHORT, *walker_expert())
    return (folder / "config.yaml").stat().st_mtime - cost.begun


def imports(repeats: int, runs: Path) -> Figures:
    """Returns what `dagger train` imports until its end, and the time of each package."""
    line = python("imports.py", f"folder={runs / 'imports'}").output.splitlines()[-1]
    return dict(json.loads(line))


def collection(repeats: int, runs: Path) -> Figures:
    """Returns steps per second with actor, expert and labels, relative to the bare backend."""
    lines = {}
    for backend, n_envs in (("envpool", 16), ("envpool", 32), ("envpool", 64), ("gymnasium", 16)):
        words = [f"backend={backend}", f"n_envs={n_envs}", f"repeats={repeats}"]
        lines[f"{backend}, {n_envs} environments"] = json.loads(
            python("collection.py", *words).output.splitlines()[-1]
        )
    return lines


def ways(repeats: int, runs: Path) -> Figures:
    """Returns the rates of other ways to collect, relative to the bare backend."""
    return {
        n_envs: json.loads(
            python("ways.py", f"n_envs={n_envs}", f"repeats={repeats}").output.splitlines()[-1]
        )
        for n_envs in ("16", "32", "64")
    }


def fit(repeats: int, runs: Path) -> Figures:
    """Returns the microseconds of gradient steps, and of their matrix products alone."""

    def line(*words: str) -> Figures:
        return dict(json.loads(python("fitting.py", *words).output.splitlines()[-1]))

    often = f"repeats={3 * repeats}"
    steps = [line(often, f"sizes={sizes}", f"batch={batch}") for sizes, batch in FITS]
    return {"steps": steps, "members": line(often, "members=5")}


def growth(repeats: int, runs: Path) -> Figures:
    """Measures `dagger train` with 100,000 and with 400,000 labels."""
    figures: Figures = {"seconds": {}, "peak_mib": {}}
    for labels in (100_000, 400_000):
        words = ["env=bipedal", "expert=bundled", "steps_per_round=10000", "n_envs=32", *BRIEF]
        words.append(f"rounds={labels // 10_000}")
        folder = runs / f"growth_{labels}"
        costs = [train(folder, *words)[0] for _ in range(min(repeats, LONG))]
        figures["seconds"][labels] = _spread([cost.seconds for cost in costs])
        figures["peak_mib"][labels] = round(max(cost.peak_mib for cost in costs))
    seconds, peaks = figures["seconds"], figures["peak_mib"]
    figures["seconds_ratio"] = round(seconds[400_000]["median"] / seconds[100_000]["median"], 2)
    row = 24 * 4 + 8 + 4 * 4  # bytes: observation, step, label
    more = (peaks[400_000] - peaks[100_000]) * 2**20 / (300_000 * row)
    figures["memory_per_byte_of_aggregate"] = round(more, 2)
    return figures


def profile(repeats: int, runs: Path) -> Figures:
    """Returns the default run's time by phase, and its lower bound.

    In the second run the expert plays its episodes, too.
    """
    folder, words = runs / "default", ("env=bipedal", "beta=linear", *walker_expert())
    with tempfile.TemporaryDirectory() as cache:
        os.environ["DAGGER_CACHE"] = cache
        cost, summary, rounds = train(folder, *words)
        fresh, _, _ = train(runs / "fresh", *words, "evaluation.fresh=true")
        del os.environ["DAGGER_CACHE"]
    config = yaml.safe_load((folder / "config.yaml").read_text())
    parts = ("collect", "label", "fit", "validate")
    spent = {part: round(sum(r.get(f"time/{part}", 0.0) for r in rounds), 2) for part in parts}
    table = cost.seconds - until_trained(folder, cost)
    rest = cost.seconds - sum(spent.values()) - table
    return {
        "seconds": round(cost.seconds, 1),
        "fresh_seconds": round(fresh.seconds, 1),
        "peak_mib": round(cost.peak_mib),
        "parts": {
            **spent,
            "final table (Gymnasium)": round(table, 1),
            "start-up, checkpoints, the rest": round(rest, 1),
        },
        "student": [round(summary["student"]["mean"], 1), summary["student"]["failures"]],
        "limit": limit(config, summary, rounds, repeats),
    }


def _spread(values: list[float]) -> Figures:
    return {
        "best": round(min(values), 3),
        "median": round(float(np.median(values)), 3),
        "worst": round(max(values), 3),
    }


PARTS: dict[str, Callable[[int, Path], Figures]] = {
    "startup": startup,
    "imports": imports,
    "collection": collection,
    "ways": ways,  # by `run.py only=ways`: a record of what was tried
    "fit": fit,
    "growth": growth,
    "storage": storage,
    "reference": reference,
    "goal": goal,
    "profile": profile,
    "handwriting": handwriting,
    "sequences": sequences,
    "mario": mario,
    "growth_large": growth_large,  # by `run.py only=growth_large`: it takes an hour or two
    "quality": quality,  # reads the runs of `dagger bench`, starts none
    "peers": peers,  # by `make bench-peers`: these three install an environment of their own
    "curves": curves,
    "peers_mujoco": peers_mujoco,
}
