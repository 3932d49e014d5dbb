"""Spaces and small learners that the tests of policies share."""

from __future__ import annotations

from typing import Any

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import Observation, Space
from dagger_cli.policies.sources import mlp_learner
from dagger_cli.policies.torch_learner import TorchLearner

INF = float("inf")
OBS = Space("box", (3,), "float32", (-INF,) * 3, (INF,) * 3)
BOX = Space("box", (2,), "float32", (-1.0, 0.0), (3.0, 1.0))
CHOICE = Space("discrete", (), "int64", sizes=(3,), start=-1)
SWITCHES = Space("multi_binary", (2,), "int8", sizes=(2, 2))


def learner(observations: Space = OBS, actions: Space = BOX, **changes: Any) -> TorchLearner:
    values: dict[str, Any] = {
        "sizes": [8],
        "activation": "relu",
        "loss": "auto",
        "threads": None,
        "optimizer": "adam",
        "learning_rate": 1e-2,
        "weight_decay": 0.0,
        "batch_size": 4,
        "epochs": None,
        "gradient_steps": 10,
        "warm_start": True,
        "decay": False,
        "normalize": True,
    }
    return mlp_learner(observations, actions, **(values | changes))


def looks(n: int, seed: int = 0) -> np.ndarray:
    return (
        np.random.default_rng(seed)
        .normal((1.0, -2.0, 50.0), (1.0, 0.1, 20.0), (n, 3))
        .astype(np.float32)
    )


def dataset(obs: np.ndarray, labels: np.ndarray) -> Dataset:
    return Dataset(obs, np.zeros(len(obs), np.int64), labels, (len(obs),))


def box_data(n: int = 10, seed: int = 0) -> Dataset:
    """Labels within BOX's bounds that a linear network with tanh represents exactly."""
    obs = looks(n, seed)
    unit = np.tanh(
        (obs - [1.0, -2.0, 50.0]) / [1.0, 0.1, 20.0] @ [[0.5, 0.2], [-0.3, 0.4], [0.1, -0.6]]
    )
    return dataset(obs, (unit * [2.0, 0.5] + [1.0, 0.5]).astype(np.float32))


def choice_data(n: int = 10, seed: int = 0) -> Dataset:
    """CHOICE's -1, 0 or 1: the largest of three linear functions."""
    obs = looks(n, seed)
    scores = (
        (obs - [1.0, -2.0, 50.0]) / [1.0, 0.1, 20.0] @ [[2.0, 0, -2], [0, 2.0, -1], [1, -1, 2.0]]
    )
    return dataset(obs, scores.argmax(1) - 1)


def observation(obs: np.ndarray) -> Observation:
    return Observation(obs, np.zeros(len(obs), np.int64))


def numbers(learner_: TorchLearner, policy: Any) -> dict[str, np.ndarray]:
    return {name: array.copy() for name, array in learner_.pack(policy).items()}


def equal(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k], equal_nan=True) for k in a)
