"""Measures what a chunk of actions costs: memory of a row, CPU time of acting and of a fit.

    python scripts/bench_chunks.py           # prints the table, writes docs/chunks_cost.json
    python scripts/bench_chunks.py out=here.json

A network of 2 x 256 units, of 24 numbers and 4 Box actions, on one thread. The least of interleaved
repeats, as other programs only add to it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import History, Observation, Policy, Space
from dagger_cli.core.windows import flat_windows
from dagger_cli.policies.sources import mlp_learner

PAGE = Path(__file__).resolve().parents[1] / "docs" / "chunks_cost.json"
SEEN = Space("box", (24,), "float32", (-9.0,) * 24, (9.0,) * 24)
ACTED = Space("box", (4,), "float32", (-1.0,) * 4, (1.0,) * 4)
CHUNKS, SLOTS, ROWS = (1, 4, 8), (1, 8, 64), 4000
STEPS, CALLS, REPEATS = 100, 50, 15  # per timing
FIT: dict[str, Any] = {
    "sizes": [256, 256],
    "activation": "relu",
    "loss": "auto",
    "threads": 1,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "batch_size": 128,
    "epochs": None,
    "gradient_steps": STEPS,
    "warm_start": False,
    "decay": True,
    "normalize": True,
}


def fit_of(chunk: int) -> tuple[Callable[[], Policy], Dataset]:
    """Returns a fit of a network that predicts `chunk` actions, and its random rows."""
    rng = np.random.default_rng(0)
    windows = flat_windows(SEEN, History(1, 24, 0), chunk) if chunk > 1 else None
    obs = rng.standard_normal((ROWS, 24 * chunk + (chunk > 1))).astype(np.float32)
    if windows is not None:
        obs[:, windows.count] = chunk - 1
    labels = rng.uniform(-1, 1, (ROWS, 4)).astype(np.float32)
    data = Dataset(obs, np.zeros(ROWS, np.int64), labels, (ROWS,))
    learner = mlp_learner(SEEN, ACTED, chunk=chunk, windows=windows, **FIT)
    return lambda: learner.fit(data, None, np.random.default_rng(0)).policy, data


def acting(policy: Policy, data: Dataset, slots: int) -> Callable[[], None]:
    """Returns CALLS actions of so many slots."""
    seen = Observation(data.obs[:slots], data.steps[:slots])
    rng = np.random.default_rng(0)

    def act() -> None:
        for _ in range(CALLS):
            policy.act(seen, rng)

    return act


def least(parts: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Returns the least CPU time of each part in seconds."""
    taken: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(REPEATS):
        for name, part in parts.items():
            start = time.process_time()
            part()
            taken[name].append(time.process_time() - start)
    return {name: min(times) for name, times in taken.items()}


def main() -> None:
    """Runs the command line of the module's docstring."""
    given = dict(word.partition("=")[::2] for word in sys.argv[1:])
    if set(given) - {"out"}:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    parts: dict[str, Callable[[], Any]] = {}
    row_bytes = {}
    for chunk in CHUNKS:
        fit, data = fit_of(chunk)
        policy = fit()
        row_bytes[chunk] = data.obs.nbytes // len(data)
        parts |= {f"{chunk} {n}": acting(policy, data, n) for n in SLOTS}
        parts[f"{chunk} step"] = fit
    found = least(parts)
    page = {
        str(chunk): {
            "row_bytes": row_bytes[chunk],
            **{f"act_{n}_us": 1e6 * found[f"{chunk} {n}"] / CALLS for n in SLOTS},
            "step_us": 1e6 * found[f"{chunk} step"] / STEPS,
        }
        for chunk in CHUNKS
    }
    Path(given.get("out", PAGE)).write_text(json.dumps(page, indent=1) + "\n")
    print(table(page))


def table(page: Mapping[str, Mapping[str, float]]) -> str:
    """Returns the table of docs/chunks.md."""
    acts = [f"actions of {n} slots" for n in SLOTS]
    heads = ["policy.chunk", "bytes of a row", *acts, "gradient step of 128 rows"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for chunk, costs in page.items():
        size, *times = costs.values()
        lines.append(f"| {chunk} | {size:,} | {' | '.join(f'{us:,.0f} us' for us in times)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
