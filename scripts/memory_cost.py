"""Measures what a student's memory costs: CPU time of an action and of a gradient step.

    python scripts/memory_cost.py           # prints the table of docs/views.md

Networks with the sizes of their options on observations of 8 numbers; one thread, the least of
interleaved repeats, as other programs only add to it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dagger_cli.core.compact import CompactRows
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.past import joined
from dagger_cli.core.tape import Tape
from dagger_cli.core.types import Array, History, Observation, Policy, Space
from dagger_cli.policies.memory import gru_learner, window_learner
from dagger_cli.policies.sources import mlp_learner

SIZE, SLOTS, EPISODE, EPISODES, STEPS, REPEATS = 8, 8, 200, 8, 100, 5
TORQUE = Space("box", (1,), "float32", (-1.0,), (1.0,))
FIT: dict[str, Any] = {
    "optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0, "gradient_steps": STEPS,
    "epochs": None, "warm_start": True, "decay": True, "normalize": True, "threads": 1,
    "loss": "auto",
}  # fmt: skip
GRU: dict[str, Any] = {"units": 64, "sizes": [64], "activation": "tanh"}
MLP: dict[str, Any] = {"sizes": [256, 256], "activation": "relu"}


class Case(NamedTuple):
    """A learner with its data, and what it observes in a roll-out, step by step."""

    learner: Any
    data: Dataset
    seen: list[Observation]


def space(frames: int) -> Space:
    """Returns the space of a stack."""
    n = frames * SIZE
    return Space("box", (n,), "float32", (-9.0,) * n, (9.0,) * n)


def pasts(rng: np.random.Generator) -> list[CompactRows]:
    """Returns what is observed in random episodes, step by step."""
    tape, rows = Tape(SLOTS, (SIZE,), "float32"), []
    for step in range(EPISODES * EPISODE):
        frames = rng.standard_normal((SLOTS, SIZE)).astype(np.float32)
        (tape.push if step % EPISODE else tape.start)(slice(None), frames)
        rows.append(tape.rows)
    return rows


def cases() -> dict[str, Case]:
    """Returns what is measured, by name."""
    rng = np.random.default_rng(0)
    rows, n = pasts(rng), SLOTS * EPISODE * EPISODES
    labels = rng.uniform(-1, 1, (n, 1)).astype(np.float32)
    steps = np.repeat(np.arange(EPISODE * EPISODES) % EPISODE, SLOTS)

    def stacked(learner: Any, frames: int) -> Case:
        obs: Array = rng.standard_normal((n, frames * SIZE)).astype(np.float32)
        t = np.zeros(SLOTS, np.int64)
        seen = [Observation(obs[i * SLOTS :][:SLOTS], t) for i in range(EPISODE)]
        return Case(learner, Dataset(obs, steps, labels, (n,)), seen)

    carried = gru_learner(
        space(1), TORQUE, past=History(1, SIZE, 0), window=1, carry=True, truncate=16,
        **GRU, **FIT, batch_size=512,
    )  # fmt: skip
    window = {"past": History(4, SIZE, 0), "window": 4}
    eight = {"past": History(8, SIZE, 0), "window": 8}
    seen = [Observation(np.asarray(one), one.parts["past"], past=one) for one in rows[-EPISODE:]]
    small = {**FIT, "batch_size": 128}
    return {
        "policy=mlp": stacked(mlp_learner(space(1), TORQUE, **MLP, **small), 1),
        "policy=window": stacked(window_learner(space(4), TORQUE, **window, **MLP, **small), 4),
        "policy=gru": Case(carried, Dataset(joined(rows), steps, labels, (n,)), seen),
        "policy=gru_window": stacked(gru_learner(space(8), TORQUE, **eight, **GRU, **small), 8),
    }


def taken(work: Callable[[], object]) -> float:
    """Returns the CPU time of a call."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def act(policy: Policy, seen: list[Observation]) -> None:
    """Acts in each of the observations."""
    rng = np.random.default_rng(0)
    for observation in seen:
        policy.act(observation, rng)


def main() -> int:
    found: dict[str, tuple[float, float]] = {}
    todo = cases()
    for _ in range(REPEATS):
        for name, (learner, data, seen) in todo.items():
            policies: list[Policy] = []
            fit = taken(
                lambda: policies.append(learner.fit(data, None, np.random.default_rng(0)).policy)  # noqa: B023
            )
            acted = taken(lambda: act(policies[0], seen))  # noqa: B023
            best = found.get(name, (np.inf, np.inf))
            found[name] = min(best[0], acted / len(seen)), min(best[1], fit / STEPS)
    print(f"| | an action in {SLOTS} slots | a gradient step | rows of it |")
    print("|---|---|---|---|")
    for name, (acted, fit) in found.items():
        rows = todo[name].learner.batch_size
        print(f"| `{name}` | {acted * 1e3:.2f} ms | {fit * 1e3:.1f} ms | {rows} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
