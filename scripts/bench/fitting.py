"""Time of a gradient step, and of its matrix products alone.

    python scripts/bench/fitting.py [repeats=5] [sizes=128,128] [batch=128] [members=1]

Compares the learner's fit on 10,000 rows of 24 numbers with the same products alone (forward,
gradients of weights and of hidden units), in turn; with several members, their fit at once with
one fit after the other. Also times the forward products of a batch of 8 for actor and expert. All
with torch on one thread.
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

ROWS, ACTORS = 10_000, 8
WORK = 2e9  # multiplications of the products of one timed fit


def main(words: list[str]) -> None:
    given = options(words, repeats="5", sizes="128,128", batch="128", members="1")
    batch, members = int(given["batch"]), int(given["members"])
    widths = [24, *map(int, given["sizes"].split(",")), 4]
    steps = int(np.clip(WORK / (3 * batch * sum(a * b for a, b in pairwise(widths))), 40, 400))
    learner = job_of(
        "env=bipedal",
        "expert=bundled",
        f"policy.sizes=[{given['sizes']}]",
        f"policy.gradient_steps={steps}",
        f"policy.batch_size={batch}",
    ).kit.learner
    rng = np.random.default_rng(0)
    data = Dataset(
        rng.normal(size=(ROWS, 24)).astype(np.float32),
        np.zeros(ROWS, np.int64),
        rng.uniform(-1, 1, (ROWS, 4)).astype(np.float32),
        (ROWS,),
    )
    result: dict[str, Any] = {"sizes": given["sizes"], "batch": batch}
    one = lambda: learner.fit(data, None, rng)  # noqa: E731
    if members > 1:
        together = lambda: learner.fit_members(data, [None] * members, rng)  # noqa: E731
        apart = lambda: [one() for _ in range(members)]  # noqa: E731
        pairs = [(_seconds(together), _seconds(apart)) for _ in range(int(given["repeats"]))]
        result |= {"members": members, "ratio_median": _median_ratio(pairs)}
    else:
        pairs = [
            (_seconds(one) / steps, products(widths, batch, steps) / steps)
            for _ in range(int(given["repeats"]))
        ]
        best = [round(min(times) * 1e6) for times in zip(*pairs, strict=True)]
        acted = round(min(acting(widths) for _ in pairs), 1)
        result |= dict(zip(("step_us", "products_us"), best, strict=True))
        result |= {"acting_us": acted, "ratio_median": _median_ratio(pairs)}
    print(json.dumps(result))


def _median_ratio(pairs: list[tuple[float, float]]) -> float:
    return round(float(np.median([a / b for a, b in pairs])), 2)


def products(widths: list[int], batch: int, steps: int) -> float:
    """Returns the seconds of the matrix products of so many steps."""
    layers = [
        (torch.randn(batch, a), torch.randn(b, a), torch.randn(batch, b))
        for a, b in pairwise(widths)
    ]

    def step() -> None:
        for x, weight, out in layers:
            x @ weight.T
            out.T @ x
            out @ weight

    return _seconds(lambda: [step() for _ in range(steps)])


def acting(widths: list[int]) -> float:
    """Returns the microseconds of a batch's forward products: learner and expert 24-64-64-4."""
    rows = {torch.float64: pairwise(widths), torch.float32: pairwise([24, 64, 64, 4])}
    layers = [
        (torch.randn(ACTORS, a, dtype=kind), torch.randn(a, b, dtype=kind))
        for kind, pairs in rows.items()
        for a, b in pairs
    ]
    return _seconds(lambda: [[x @ w for x, w in layers] for _ in range(400)]) / 400 * 1e6


def _seconds(do: Any) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(sys.argv[1:])
