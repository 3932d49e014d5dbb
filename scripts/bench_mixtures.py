"""Time of a mixture of networks to act: batched over members, and one member after the other.

    python scripts/bench_mixtures.py [members=20] [rows=32] [calls=300]

Networks of BipedalWalker's size (24-128-128-4), one thread; prints the microseconds per call,
median of 7.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from unittest import mock

import numpy as np
import torch

from dagger_cli.core import policies
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.policies import Mixture
from dagger_cli.core.types import Observation, Policy, Space
from dagger_cli.policies.sources import mlp_learner

OBS = Space("box", (24,), "float32", (-1.0,) * 24, (1.0,) * 24)
ACTIONS = Space("box", (4,), "float32", (-1.0,) * 4, (1.0,) * 4)
FIT = {"optimizer": "adam", "learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 128}
FIT |= {"gradient_steps": 2, "epochs": None, "warm_start": False, "decay": True, "normalize": True}


def main(words: Sequence[str]) -> int:
    given = {"members": 20, "rows": 32, "calls": 300}
    given |= {key: int(value) for key, _, value in (word.partition("=") for word in words)}
    torch.set_num_threads(1)
    networks = fitted(given["members"])
    n, calls = given["rows"], given["calls"]
    mixture = Mixture(networks, (1 / len(networks),) * len(networks))
    print(f"| {n} rows | microseconds |\n|---|---|")
    print(f"| one network | {cost(networks[0], n, calls):.0f} |")
    with mock.patch.object(policies, "FEW_ROWS", 0):
        print(f"| {len(networks)}, one after the other | {cost(mixture, n, calls):.0f} |")
    print(f"| {len(networks)}, in one pass | {cost(mixture, n, calls):.0f} |")
    return 0


def fitted(n: int) -> tuple[Policy, ...]:
    learner = mlp_learner(OBS, ACTIONS, sizes=[128, 128], activation="relu", loss="auto",
                          threads=1, **FIT)  # fmt: skip
    rng = np.random.default_rng(0)
    obs, labels = (rng.uniform(-1, 1, (256, k)).astype(np.float32) for k in (24, 4))
    data = Dataset(obs, np.zeros(256, np.int64), labels, (256,))
    return tuple(learner.fit(data, None, rng).policy for _ in range(n))


def cost(policy: Policy, n: int, calls: int) -> float:
    rng = np.random.default_rng(0)
    observation = Observation(rng.uniform(-1, 1, (n, 24)).astype(np.float32), np.zeros(n, np.int64))
    took = []
    for _ in range(8):
        begin = time.process_time()
        for _ in range(calls):
            policy.act(observation, rng)
        took.append((time.process_time() - begin) / calls)
    return float(np.median(took[1:])) * 1e6  # the first is for warming up


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
