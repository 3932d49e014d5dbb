"""Large runs: whether a round costs the same however many came before, in time and in files.

Also a script, to measure some of it anew, those whose names contain a word:

    python scripts/bench/growth.py only=cartpole [out=docs] [runs=outputs/bench]
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jobs import machine, options
from measure import HERE, took, train
from safetensors.numpy import load_file

from dagger_cli.core.row_forms import rows_in

# A constant beta, so that expert and student act as often in every round.
HALF = ("beta=constant", "beta.value=0.5")
BRIEF = ("validation.episodes=1", "evaluation.episodes=1", "gif=false", "env.workers=0")
PATH = f"PYTHONPATH={HERE}:{HERE.parents[1]}"
PHASES = ("collect", "label", "fit", "regret", "validate", "round")


class Run(NamedTuple):
    """Words of a run, and the bytes of a row of its aggregate as arrays."""

    words: tuple[str, ...]
    row: int


RUNS = {
    "walker, 1,000,000 labels": Run(
        (
            *("env=bipedal", "expert=bundled", *HALF),
            *("n_envs=32", "rounds=100", "steps_per_round=10000"),
        ),
        24 * 4 + 8 + 4 * 4,
    ),
    "cartpole, 10,000,000 labels": Run(
        (
            *("env=cartpole", "expert=bundled", *HALF),
            *("n_envs=256", "rounds=100", "steps_per_round=100000"),
        ),
        4 * 4 + 8 + 8,
    ),
    "images, 1,000,000 labels": Run(
        (
            *("env=gym", "env.id=Moving-v0", "env.imports=moving", "n_envs=64", "policy=cnn"),
            *("expert=python", "expert.target=moving:expert", "expert.batched=true"),
            *("rounds=40", "steps_per_round=25000", "policy.gradient_steps=10", "policy.threads=1"),
            # The expert acts and no loss is measured: forward passes would take most of the time.
            *("trainer=sup", "regret=false"),
        ),
        4 * 84 * 84 + 8 + 8,
    ),
}


# Short runs with the rows of a long one: its words, and the rows of the long one.
ROWS = {
    "experiment=mario_best": (
        (
            "experiment=mario_best",
            "steps_per_round=16000",
            "policy.gradient_steps=10",
            "policy.final_fit=1",
        ),
        6_400_000,
    ),
    "experiment=mario_paper": (("experiment=mario_paper", "policy.passes=1"), 100_000),
    "env=atari game=pong": (
        (
            *("env=atari", "policy=cnn", "steps_per_round=1000", "policy.gradient_steps=5"),
            *("expert=python", "expert.target=moving:still", "expert.batched=true"),
            "policy.threads=1",
        ),
        20_000,
    ),
}


def growth_large(repeats: int, runs: Path) -> dict[str, Any]:
    """Returns what each of the large runs took, which are not repeated, and the bytes of rows."""
    folder = runs / "large"
    return {
        "runs": {name: measured(name, folder) for name in RUNS},
        "rows": {name: row_bytes(name, folder) for name in ROWS},
        "per_million_s": per_million(),
    }


def per_million() -> dict[str, float]:
    """Returns the processor seconds of what a fit does with all rows, for a million of them.

    Measured with five million, as small arrays are in the processor's cache. CartPole's rows have 4
    numbers, the walker's 24.
    """
    import torch

    from dagger_cli.networks.layers import Standardise

    torch.set_num_threads(1)
    rng, n = np.random.default_rng(0), 5_000_000
    rows = rng.random((n, 24), np.float32)
    work: dict[str, Callable[[], Any]] = {
        "permutation": lambda: rng.permutation(n),
        "statistics of 4": lambda: Standardise(4).take(rows[:, :4].copy()),
        "statistics of 24": lambda: Standardise(24).take(rows),
    }
    return {name: round(_cpu_seconds(do) / n * 1e6, 3) for name, do in work.items()}


def _cpu_seconds(do: Any) -> float:
    """Returns the least processor seconds of three calls."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        do()
        taken.append(time.process_time() - begun)
    return min(taken)


def row_bytes(name: str, folder: Path) -> dict[str, Any]:
    """Returns the bytes of a row as arrays and as it is stored, from the last round of two."""
    words, rows = ROWS[name]
    shutil.rmtree(folder, ignore_errors=True)
    brief = ("rounds=2", "validation.episodes=1", "evaluation.episodes=1", "gif=false")
    train(folder, *words, *brief, "regret=false", before=("env", PATH))
    shard = folder / "checkpoints" / "aggregate" / "round_0002.safetensors"
    arrays = load_file(shard)
    stored = rows_in(arrays)
    assert stored is not None
    others = sum(a.nbytes for name, a in arrays.items() if not name.startswith("obs"))
    n, file_bytes = len(arrays["steps"]), shard.stat().st_size
    shutil.rmtree(folder)
    return {
        "rows": rows,
        "read_us": [_read_us(np.asarray(stored)), _read_us(stored)],
        "observation_bytes": [np.asarray(stored).nbytes // n, round(stored.nbytes / n, 1)],
        "file_bytes": [
            round((np.asarray(stored).nbytes + others) / n, 1),
            round(file_bytes / n, 1),
        ],
    }


def measured(name: str, folder: Path) -> dict[str, Any]:
    """Runs one of the large runs; returns its cost as a whole, of early and of late rounds."""
    run = RUNS[name]
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, str(HERE / "growth_cpu.py"), "train", *run.words, *BRIEF]
    cost = took(["env", PATH, *command, f"hydra.run.dir={folder}"])
    rounds = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    labels = int(json.loads((folder / "summary.json").read_text())["spent"]["labels"])
    shards = sorted((folder / "checkpoints" / "aggregate").iterdir())
    last = folder / "checkpoints" / "last"
    figures = {
        "labels": labels,
        "seconds": round(cost.seconds),
        "cpu_seconds": round(cost.cpu_seconds),
        "peak_mib": round(cost.peak_mib),
        "aggregate_as_arrays_mib": round(labels * run.row / 2**20),
        "files_mib": round(_size(folder) / 2**20),
        "early_s": _by_phase(rounds[1 : 1 + len(rounds) // 10]),
        "late_s": _by_phase(rounds[-(len(rounds) // 10) :]),
        "shard_kib": [round(shards[i].stat().st_size / 2**10) for i in (1, -1)],
        "checkpoint_kib": round(_size(last) / 2**10),
        "manifest_kib": round((last / "checkpoint.json").stat().st_size / 2**10),
    }
    shutil.rmtree(folder)
    return figures


def _read_us(rows: Any) -> float:
    """Returns the processor microseconds to read a row in batches of 1,024 random ones."""
    order = np.random.default_rng(0).permutation(len(rows))
    batches = [order[begin : begin + 1024] for begin in range(0, len(order) - 1023, 1024)]
    batches = batches or [order]
    seconds = _cpu_seconds(lambda: [np.asarray(rows[batch]) for batch in batches])
    return round(seconds / sum(map(len, batches)) * 1e6, 2)


def _by_phase(rounds: list[dict[str, Any]]) -> dict[str, float]:
    """Returns the median processor seconds of each phase."""
    return {
        phase: round(float(np.median([one.get(f"time/{phase}", 0.0) for one in rounds])), 3)
        for phase in PHASES
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.resolve().rglob("*") if path.is_file())


def main(words: list[str]) -> None:
    given = options(words, only="", out="docs", runs="outputs/bench")
    path, folder = Path(given["out"]) / "benchmarks.json", Path(given["runs"]).resolve() / "large"
    for name in (*RUNS, *ROWS):
        if given["only"] in name:
            made, kind = (measured, "runs") if name in RUNS else (row_bytes, "rows")
            _write(path, kind, {name: made(name, folder)})
    if given["only"] in "per_million":
        _write(path, "per_million_s", per_million())


def _write(path: Path, kind: str, figures: dict[str, Any]) -> None:
    """Adds figures to those of this part in benchmarks.json."""
    results = json.loads(path.read_text())
    part = results.setdefault("growth_large", {"figures": {}})
    part["machine"] = {"date": time.strftime("%Y-%m-%d"), **machine()}
    part["figures"][kind] = {**part["figures"].get(kind, {}), **figures}
    path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
