"""Returns of networks that are not runs of ours over the unseen seeds, in Gymnasium itself."""

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
    """A fully connected network: `weight_<i>` and `bias_<i>`, a clip to the actions' bounds."""

    def __init__(self, arrays: Mapping[str, Array], hidden: Activation, last: Activation) -> None:
        n = len(arrays) // 2
        self._layers = [(arrays[f"weight_{i}"], arrays[f"bias_{i}"]) for i in range(n)]
        self._hidden, self._last = hidden, last

    def act(self, observation: Any, rng: Any) -> Acts:
        """Answer every row, in float64, so that no answer depends on which rows stand beside it."""
        x = np.asarray(observation.obs, np.float64)
        for i, (weight, bias) in enumerate(self._layers):
            activation = self._hidden if i + 1 < len(self._layers) else self._last
            x = activation(x @ weight.T.astype(np.float64) + bias)
        return Acts(np.clip(x, -1, 1).astype(np.float32), np.zeros(len(x), bool))


def of_imitation(path: Path) -> Layers:
    """A student of the library: tanh between the layers, the mean of its actions at the end."""
    return Layers(np.load(path), np.tanh, lambda x: x)


def of_the_loop(folder: Path, round: int) -> Layers:
    """A policy of reference_loop.py."""
    state = torch.load(folder / f"policy_{round}.pt", weights_only=True)
    names = sorted({name.partition(".")[0] for name in state}, key=int)
    parts = [(i, name, part) for i, name in enumerate(names) for part in ("weight", "bias")]
    arrays = {f"{part}_{i}": state[f"{name}.{part}"].numpy() for i, name, part in parts}
    return Layers(arrays, lambda x: np.maximum(x, 0), np.tanh)


def score_network(policy: Layers, seeds: range = UNSEEN) -> dict[str, Any]:
    """Mean and deviation of the returns, and falls."""
    eval_source = job_of("env=bipedal", "expert=bundled").env.eval_source
    with closing(open_for(eval_source, len(seeds))) as env:
        result = evaluate(env, policy, seeds, np.random.default_rng(0))
    returns = {"return": round(result.mean, 1), "std": round(result.std, 1)}
    return {**returns, "falls": result.failures}


def first_good(folder: Path, goal: float) -> int | None:
    """The first round of the reference loop whose policy reaches `goal`.

    Rounds are tried on ten of the seeds first, so that most of the bad ones cost little.
    """
    for round in range(1, len(list(folder.glob("policy_*.pt"))) + 1):
        policy = of_the_loop(folder, round)
        if score_network(policy, UNSEEN[:10])["return"] >= 0.95 * goal and (
            score_network(policy)["return"] >= goal
        ):
            return round
    return None
