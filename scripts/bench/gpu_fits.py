"""Learners and data for the checks on a GPU, and gradient steps on batches of a check's choice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.types import History, Space
from dagger_cli.networks.gradients import gradient_of, trainable
from dagger_cli.networks.layers import Standardise
from dagger_cli.networks.modules import initialise
from dagger_cli.policies.batches import TOGETHER
from dagger_cli.policies.memory import gru_learner
from dagger_cli.policies.optimizers import OPTIMIZERS
from dagger_cli.policies.sources import cnn_learner, mlp_learner
from dagger_cli.policies.torch_learner import TorchLearner

RATE, BATCH = 1e-3, 128
TORQUES = Space("box", (4,), "float32", (-1.0,) * 4, (1.0,) * 4)
BUTTONS = Space("discrete", (), "int64", sizes=(6,))
Batch = tuple[Tensor, Tensor]
Step = Callable[[Tensor, Tensor], Tensor]  # observations, targets -> the loss


class Size(NamedTuple):
    """Amount of work: of the fits whose results are compared, and of those that are timed."""

    rows: int
    checked: int
    timed: int
    pictures: int
    wide: tuple[int, int]  # units per layer and batch of the larger network
    repeats: int  # of a timing


FULL = Size(100_000, checked=10, timed=1000, pictures=4000, wide=(1024, 4096), repeats=3)
QUICK = Size(2000, checked=5, timed=10, pictures=130, wide=(128, 256), repeats=1)


def fit_keys(device: str, steps: int, batch: int) -> dict[str, Any]:
    """Returns the keys of `conf/policy` that all learners have; torch's default threads."""
    return {
        "optimizer": "adam",
        "learning_rate": RATE,
        "weight_decay": 0.0,
        "batch_size": batch,
        "epochs": None,
        "gradient_steps": steps,
        "warm_start": False,
        "decay": False,
        "threads": None,
        "loss": "auto",
        "device": device,
    }


def mlp(device: str, steps: int, batch: int, width: int) -> TorchLearner:
    """Returns `policy=mlp` for the walker's observations, two layers of `width` units."""
    fit = {**fit_keys(device, steps, batch), "normalize": True}
    return mlp_learner(_numbers(24), TORQUES, sizes=(width, width), activation="relu", **fit)


def gru(device: str, steps: int, batch: int) -> TorchLearner:
    """Returns `policy=gru`, 64 units over 8 observations of the walker."""
    fit = {**fit_keys(device, steps, batch), "normalize": True}
    past = History(8, 24, 0)
    return gru_learner(
        _numbers(past.total), TORQUES, past=past, window=8, units=64, sizes=[64], **fit
    )


def cnn(device: str, steps: int, batch: int) -> TorchLearner:
    """Returns `policy=cnn` with the sizes of the Nature CNN, for four stacked grey pictures."""
    size = 84 * 84 * 4
    pictures = Space("box", (84, 84, 4), "uint8", (0.0,) * size, (255.0,) * size)
    return cnn_learner(pictures, BUTTONS, **fit_keys(device, steps, batch))


def walker_data(rows: int, width: int = 24) -> Dataset:
    """Returns random observations, and actions that a network can partly learn from them."""
    rng = np.random.default_rng(0)
    obs = rng.standard_normal((rows, width)).astype(np.float32)
    labels = np.tanh(obs[:, :4] * obs[:, -4:]).astype(np.float32)
    return Dataset(obs, np.zeros(rows, np.int64), labels, (rows,))


def picture_data(rows: int) -> Dataset:
    """Returns random pictures; the action says which sixth of the pictures' means it is in."""
    rng = np.random.default_rng(0)
    bright = rng.integers(6, size=rows)
    shape = (rows, 84, 84, 4)
    obs = (
        rng.integers(100, size=shape, dtype=np.uint8)
        + (25 * bright).astype(np.uint8)[:, None, None, None]
    )
    return Dataset(obs, np.zeros(rows, np.int64), bright.astype(np.int64), (rows,))


def fitted(learner: TorchLearner, data: Dataset) -> tuple[float, list[Tensor]]:
    """Returns the loss of a fit and its weights; with the same data, batches and first weights."""
    done = learner.fit(data, None, np.random.default_rng(0))
    policy: Any = done.policy
    return float(done.loss), [p.detach().clone() for p in policy.network.parameters()]


def network_of(learner: TorchLearner, data: Dataset, device: torch.device) -> nn.Module:
    """Returns a new network of the learner, with the same weights for all devices."""
    network = learner.make_network()
    initialise(network, torch.Generator().manual_seed(0))
    for layer in network.modules():
        if isinstance(layer, Standardise):
            layer.take(torch.from_numpy(data.obs))
    return network.to(device).train()


def batches(data: Dataset, steps: int, size: int, device: torch.device) -> Iterator[Batch]:
    """Yields batches as a fit does: gathered on the host and copied, several at a time."""
    obs, labels = torch.from_numpy(data.obs), torch.from_numpy(data.labels)
    for rows in _order(len(data), steps, size).split(TOGETHER * size):
        both = obs[rows].to(device), labels[rows].to(device)
        yield from zip(*(x.split(size) for x in both), strict=True)


def batches_there(data: Dataset, steps: int, size: int, device: torch.device) -> Iterator[Batch]:
    """Yields the same batches, gathered on the device from the whole aggregate."""
    obs, labels = (torch.from_numpy(x).to(device) for x in (data.obs, data.labels))
    for rows in _order(len(data), steps, size).to(device).split(size):
        yield obs[rows], labels[rows]


def descend(
    step: Step, chosen: Iterable[Batch], weights: Sequence[Tensor]
) -> tuple[float, list[Tensor]]:
    """Makes a gradient step per batch, as a fit does; returns the mean loss and the weights."""
    losses = [step(*batch) for batch in chosen]
    return float(torch.stack(losses).mean()), [w.detach().clone() for w in weights]


def stepper(learner: TorchLearner, network: nn.Module) -> tuple[Step, list[nn.Parameter]]:
    """Returns a function that makes one step of Adam, and the weights that it changes."""
    weights = trainable(network)
    gradient = gradient_of(network, learner.head)
    optimizer = OPTIMIZERS["adam"](weights, [], 0.0)

    def step(obs: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            loss, gradients = gradient.of(gradient.prepare(obs), targets)
            optimizer.step(gradients, RATE)
        return loss

    return step, weights


def seconds(do: Callable[[], Any], device: torch.device) -> float:
    """Returns the wall seconds of a call, with everything it started on the device."""
    _wait(device)
    begun = time.perf_counter()
    do()
    _wait(device)
    return time.perf_counter() - begun


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def _order(n: int, steps: int, size: int) -> Tensor:
    """Returns the rows of all batches, (steps * size,)."""
    return torch.randint(n, (steps * size,), generator=torch.Generator().manual_seed(0))


def _numbers(width: int) -> Space:
    return Space("box", (width,), "float32", (-np.inf,) * width, (np.inf,) * width)
