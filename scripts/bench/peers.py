"""Comparison with DAgger of the library `imitation`: time of 100,000 labels, returns of fewer."""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jobs import job_of
from measure import HERE, score, took, train, walker_agent
from scoring import of_imitation, score_network

PINS = ["setuptools<81", "wheel", "box2d", "imitation==1.0.1"]
PINS += [
    "stable-baselines3==2.2.1",
    "gymnasium==0.29.1",
    "mujoco==3.6.0",
    "torch==2.13.0",
]  # the page names them
WALKER = "env=bipedal"
MANY, FEW = 100_000, (2_000, 4_000, 8_000, 16_000)
ROUND = 1_000  # labels of ours in a round of the curve: an episode or so, as in imitation's


NO_AGENT = {"skipped": "the A2C agent is not in hub/sb3 of DAGGER_SHARED."}


def peers(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns CPU seconds and returns of both, with the same expert and the same test seeds."""
    words = expert_words()
    if not words:
        return NO_AGENT
    interpreter, expert = (
        installed(runs / "peers_venv"),
        export_expert(runs / "expert.npz", WALKER, *words),
    )

    def one(seed: int, threads: str) -> dict[str, Any]:
        out = runs / f"imitation_{MANY}_{threads}_{seed}"
        given = [f"expert={expert}", f"seed={seed}", f"threads={threads}"]
        return imitation(interpreter, out, *given)

    def many(seed: int) -> dict[str, Any]:
        folder, same = runs / f"dagger_{MANY}_{seed}", ["experiment=walker_100k", f"seed={seed}"]
        # Machines that others use, too, change their speed within minutes: ours in between.
        costs, theirs = [cpu_of(folder, *same, *words)], {}
        # Torch's own number is measured once: ten minutes, and far off.
        for threads in ("1", "torch") if seed == 0 else ("1",):
            name = "imitation, one thread" if threads == "1" else "imitation"
            theirs[name] = one(seed, threads)
            costs.append(cpu_of(folder, *same, *words))
        ours = dagger(folder, *same, *words)
        ours["cpu_seconds"] = round(float(np.mean([*costs, ours["cpu_seconds"]])), 1)
        times = {
            name: round(run["cpu_seconds"] / ours["cpu_seconds"], 1) for name, run in theirs.items()
        }
        return {**theirs, "dagger": ours, "times_less_cpu": times}

    return {
        "expert": score("expert", WALKER, *words),
        "many": [many(seed) for seed in range(repeats)],
    }


def curves(repeats: int, runs: Path) -> dict[str, Any]:
    """Measures the returns of both with few labels."""
    words = expert_words()
    if not words:
        return NO_AGENT
    interpreter, expert = (
        installed(runs / "peers_venv"),
        export_expert(runs / "expert.npz", WALKER, *words),
    )

    def few(labels: int, seed: int) -> dict[str, Any]:
        n, ending = labels // ROUND, f"{labels}_{seed}"
        one = [f"labels={labels}", "n_envs=1", "episodes=1", f"beta={n}"]
        out = runs / f"imitation_{ending}"
        theirs = imitation(interpreter, out, f"expert={expert}", f"seed={seed}", *one)
        default = [WALKER, "beta=linear", f"rounds={n}", f"steps_per_round={ROUND}"]
        ours = dagger(runs / f"dagger_{ending}", *default, f"seed={seed}", *words)
        return {"imitation": theirs, "dagger": ours}

    return {
        "expert": score("expert", WALKER, *words),
        "few": {labels: [few(labels, seed) for seed in range(repeats)] for labels in FEW},
    }


def expert_words() -> list[str]:
    """Returns overrides that select the Hub's agent, empty where it is missing."""
    agent = walker_agent()
    return [] if agent is None else ["expert=path", f"expert.path={agent}"]


def installed(folder: Path) -> Path:
    """Returns the interpreter of a virtual environment with imitation; creates it if missing."""
    interpreter = folder / "bin" / "python"
    if not interpreter.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([interpreter, "-m", "pip", "install", "-q", *PINS], check=True)
    return interpreter


def export_expert(path: Path, *words: str) -> Path:
    """Writes the expert's layers and statistics as plain arrays, so that nothing is unpickled."""
    network = job_of(*words).kit.expert.network
    spec, weights = network.spec, network.weights
    arrays = {name: weights[name] for name in ("mean", "variance") if name in weights}
    numbers = [i for i, layer in enumerate(spec.layers) if layer.kind == "Linear"]
    for i, number in enumerate(numbers):
        arrays |= {f"{part}_{i}": weights[f"layers.{number}.{part}"] for part in ("weight", "bias")}
    limits = {"epsilon": spec.epsilon, "clip": np.inf if spec.clip is None else spec.clip}
    activation = spec.layers[numbers[0] + 1].kind
    np.savez(path, activation=activation, squash=spec.head.squash, **limits, **arrays)
    return path


def imitation(interpreter: Path, out: Path, *words: str, env: Sequence[str] = ()) -> Any:
    """Runs the library; returns its usage and the score of its learner in our `env`."""
    took([str(interpreter), str(HERE / "imitation_dagger.py"), f"out={out}", *words])
    spent = json.loads((out / "spent.json").read_text())
    return {**spent, **score_network(of_imitation(out / "student.npz"), *env)}


def cpu_of(folder: Path, *words: str) -> float:
    """Returns the CPU seconds of `dagger train`, with start-up and a final table of one episode."""
    return train(folder, *words, "evaluation.episodes=1")[0].cpu_seconds


def dagger(folder: Path, *words: str) -> dict[str, Any]:
    """Returns the same for `dagger train`, including start-up and a final table of one episode."""
    cost, summary, rounds = train(folder, *words, "evaluation.episodes=1")
    shutil.rmtree(folder / "checkpoints" / "aggregate")
    spent = {"labels": summary["spent"]["labels"], "rounds": len(rounds)}
    cpu = round(cost.cpu_seconds, 1)
    return {**spent, "cpu_seconds": cpu, **score(folder)}
