"""Time of a gradient step, and of its matrix products alone.

    python scripts/bench/fitting.py [repeats=5] [sizes=128,128] [batch=128]

Compares the learner's fit of 400 steps on 10,000 rows of 24 numbers with the same products alone
(forward, gradients of weights and of hidden units); also times the forward products of a batch of 8
for actor and expert. All with torch on one thread.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jobs import job_of, options

from dagger_cli.core.dataset import Dataset

STEPS, ROWS, ACTORS = 400, 10_000, 8


def main(words: list[str]) -> None:
    given = options(words, repeats="5", sizes="128,128", batch="128")
    batch = int(given["batch"])
    learner = job_of(
        "env=bipedal",
        "expert=bundled",
        f"policy.sizes=[{given['sizes']}]",
        f"policy.gradient_steps={STEPS}",
        f"policy.batch_size={batch}",
    ).kit.learner
    rng = np.random.default_rng(0)
    data = Dataset(
        rng.normal(size=(ROWS, 24)).astype(np.float32),
        np.zeros(ROWS, np.int64),
        rng.uniform(-1, 1, (ROWS, 4)).astype(np.float32),
        (ROWS,),
    )
    widths = [24, *map(int, given["sizes"].split(",")), 4]
    fits, bounds = [], []
    for _ in range(int(given["repeats"])):
        fits.append(_seconds(lambda: learner.fit(data, None, rng)) / STEPS * 1e6)
        bounds.append(products(widths, batch))
    result: dict[str, Any] = {
        "sizes": given["sizes"],
        "batch": batch,
        "step_us": round(min(fits)),
        "products_us": round(min(bounds)),
        "acting_us": round(min(acting(widths) for _ in fits), 1),
        "ratio_median": round(float(np.median(np.array(fits) / np.array(bounds))), 2),
    }
    print(json.dumps(result))


def products(widths: list[int], batch: int) -> float:
    """Returns the microseconds of a step's matrix products."""
    layers = [
        (torch.randn(batch, a), torch.randn(b, a), torch.randn(batch, b))
        for a, b in pairwise(widths)
    ]

    def step() -> None:
        for x, weight, out in layers:
            x @ weight.T
            out.T @ x
            out @ weight

    return _seconds(lambda: [step() for _ in range(STEPS)]) / STEPS * 1e6


def acting(widths: list[int]) -> float:
    """Returns the microseconds of a batch's forward products: learner and expert 24-64-64-4."""
    rows = {torch.float64: pairwise(widths), torch.float32: pairwise([24, 64, 64, 4])}
    layers = [
        (torch.randn(ACTORS, a, dtype=kind), torch.randn(a, b, dtype=kind))
        for kind, pairs in rows.items()
        for a, b in pairs
    ]
    return _seconds(lambda: [[x @ w for x, w in layers] for _ in range(STEPS)]) / STEPS * 1e6


def _seconds(do: Any) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(sys.argv[1:])
