"""Evaluation of networks of other programs on the test seeds, in Gymnasium."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jobs import job_of
from measure import UNSEEN

from dagger_cli.config.components import open_for
from dagger_cli.core.types import Acts, Array
from dagger_cli.loop.evaluate import evaluate

Activation = Callable[[Array], Array]


class Layers:
    """Fully connected network of arrays `weight_<i>` and `bias_<i>`; clips to the action bounds.

    Observations are standardized by `mean` and `deviation` if there are such arrays.
    """

    def __init__(self, arrays: Mapping[str, Array], hidden: Activation, last: Activation) -> None:
        n = sum(name.startswith("weight_") for name in arrays)
        self._mean = arrays.get("mean", np.float32(0))
        self._deviation = arrays.get("deviation", np.float32(1))
        self._layers = [(arrays[f"weight_{i}"], arrays[f"bias_{i}"]) for i in range(n)]
        self._hidden, self._last = hidden, last

    def act(self, observation: Any, rng: Any) -> Acts:
        """Computes actions in float64, so that a row does not depend on the other rows."""
        x = (np.asarray(observation.obs, np.float64) - self._mean) / self._deviation
        for i, (weight, bias) in enumerate(self._layers):
            activation = self._hidden if i + 1 < len(self._layers) else self._last
            x = activation(x @ weight.T.astype(np.float64) + bias)
        return Acts(np.clip(x, -1, 1).astype(np.float32), np.zeros(len(x), bool))


def of_imitation(path: Path) -> Layers:
    """Returns a policy of the library: tanh between layers, mean of the action distribution."""
    return Layers(np.load(path), np.tanh, lambda x: x)


def of_the_loop(folder: Path, round: int) -> Layers:
    """Returns a policy of reference_loop.py."""
    state = torch.load(folder / f"policy_{round}.pt", weights_only=True)
    names = sorted({name.partition(".")[0] for name in state}, key=int)
    parts = [(i, name, part) for i, name in enumerate(names) for part in ("weight", "bias")]
    arrays = {f"{part}_{i}": state[f"{name}.{part}"].numpy() for i, name, part in parts}
    return Layers(arrays, lambda x: np.maximum(x, 0), np.tanh)


def score_network(policy: Layers, *words: str, seeds: range = UNSEEN) -> dict[str, Any]:
    """Returns mean and standard deviation of the returns, and the number of falls.

    `words` are those of `dagger train` that select the environment, the walker without any.
    """
    eval_source = job_of(*(words or ("env=bipedal", "expert=bundled"))).env.eval_source
    with closing(open_for(eval_source, len(seeds))) as env:
        result = evaluate(env, policy, seeds, np.random.default_rng(0))
    returns = {"return": round(result.mean, 1), "std": round(result.std, 1)}
    return {**returns, "falls": result.failures}


def first_good(folder: Path, goal: float) -> int | None:
    """Returns the first round of the reference loop whose policy reaches `goal`.

    Each round is evaluated on ten seeds first, which rejects most bad rounds quickly.
    """
    for round in range(1, len(list(folder.glob("policy_*.pt"))) + 1):
        policy = of_the_loop(folder, round)
        if score_network(policy, seeds=UNSEEN[:10])["return"] >= 0.95 * goal and (
            score_network(policy)["return"] >= goal
        ):
            return round
    return None
