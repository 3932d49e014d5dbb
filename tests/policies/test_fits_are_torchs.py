"""What a learner fits is what a loop of plain torch fits: batches, loss, autograd, torch.optim.

The networks here are written a second time with torch's own layers, and what is in front of them
with NumPy, so that nothing but the weights at the start is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dagger_cli.core.types import History, Space
from dagger_cli.policies.glyphs import glyphs_learner
from dagger_cli.policies.memory import gru_learner, window_learner
from dagger_cli.policies.scene import Scene, scene_learner
from dagger_cli.policies.sources import cnn_learner, mlp_learner, torch_learner

from .learners import dataset

ROWS, BATCH, STEPS = 50, 16, 10
RATES = {"adam": 2e-3, "sgd": 0.05}
FIT: dict[str, Any] = {
    "weight_decay": 0.0, "batch_size": BATCH,
    "gradient_steps": STEPS, "epochs": None, "warm_start": True, "decay": True, "threads": 1,
}  # fmt: skip
TORQUES = Space("box", (2,), "float32", (-1.0, 0.0), (3.0, 1.0))
CHOICES = Space("discrete", (), "int64", sizes=(3,))
BUTTONS = Space("multi_binary", (2,), "int8", sizes=(2, 2))
MAP = {"cells": 6, "flags": 3, "measures": 2, "things": 3, "thing_measures": 2, "thing_flags": 2}
TORCHS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


class Case(NamedTuple):
    """A learner, observations, and the same network: `inputs` makes its inputs of them.

    `draws` seeds are drawn before the batches. A `fresh` fit starts from the same weights.
    """

    make: Callable[..., Any]
    obs: np.ndarray
    network: nn.Module
    inputs: Callable[[np.ndarray], np.ndarray]
    actions: Space
    draws: int = 0
    fresh: bool = False
    options: Mapping[str, Any] = MappingProxyType({})


def box(shape: tuple[int, ...], dtype: str) -> Space:
    n, ends = int(np.prod(shape)), (0.0, 255.0) if dtype == "uint8" else (-np.inf, np.inf)
    return Space("box", shape, dtype, (ends[0],) * n, (ends[1],) * n)


def standard(obs: np.ndarray) -> np.ndarray:
    flat = obs.reshape(len(obs), -1).astype(np.float64)
    deviation = flat.std(0)
    return ((flat - flat.mean(0)) / np.where(deviation > 1e-6, deviation, 1)).reshape(obs.shape)


def numbers(size: int) -> np.ndarray:
    drawn = np.random.default_rng(1).normal(3, 2, (ROWS, size))
    return drawn.astype(np.float32)


def pictures(shape: tuple[int, ...]) -> np.ndarray:
    """Images with a still background, as rendered ones have: most pixels have two values."""
    rng = np.random.default_rng(1)
    return np.where(rng.random((ROWS, *shape)) < 0.3, rng.integers(0, 256, shape), 200).astype("u1")


def dense(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, outputs))


def nature(channels: int, flat: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(channels, 4, 8, stride=4), nn.ReLU(), nn.Conv2d(4, 6, 4, stride=2), nn.ReLU()),
        *(nn.Conv2d(6, 8, 3, stride=1), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(flat, 16), nn.ReLU(), nn.Linear(16, outputs)),
    )


def convolutional(last: bool, normalize: bool, actions: Space = CHOICES) -> Case:
    shape = (40, 44, 3) if last else (3, 40, 44)
    scale = standard if normalize else lambda obs: obs / 255
    return Case(
        cnn_learner,
        pictures(shape),
        nature(3, 16, 2 if actions is TORQUES else 3),
        lambda obs: np.moveaxis(scale(obs), 3, 1) if last else scale(obs),
        actions,
        options={"channels": (4, 6, 8), "units": 16, "normalize": normalize, "loss": "auto"},
    )


class Cells(nn.Module):
    """Gated recurrent units over the frames of a stack, the first of which has no action."""

    def __init__(self, frames: int, size: int, outputs: int, hidden: int = 0) -> None:
        super().__init__()
        self.frames, self.size, self.hidden = frames, size, hidden
        self.cells, self.last = nn.GRU(size + 1, 5, batch_first=True), nn.Linear(5, outputs)
        if hidden:
            layers = nn.Linear(5 + size + 1, hidden), nn.Tanh(), nn.Linear(hidden, outputs)
            self.last = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        split = self.frames * self.size
        seen, acted = x[:, :split].reshape(len(x), self.frames, self.size), x[:, split:, None]
        acted = torch.cat([torch.zeros(len(x), 1, 1), acted], 1)
        steps = torch.cat([seen, acted], 2)
        state = self.cells(steps)[0][:, -1]
        return self.last(torch.cat([state, steps[:, -1]], 1) if self.hidden else state)


class Letters(nn.Module):
    """Two letters of 8 x 12 pixels, each through the same convolutions, and four more numbers."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            *(nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU()),
            *(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(192, 6), nn.ReLU()),
        )
        self.answer = dense(2 * 6 + 3, outputs)

    def forward(self, x: Tensor) -> Tensor:
        codes = [self.encoder(x[:, i : i + 96].reshape(-1, 1, 8, 12)) for i in (0, 96)]
        return self.answer(torch.cat([*codes, x[:, 192:]], 1))


class Own(nn.Module):
    """A user's network of pictures, in torch's layout for convolutions on a processor."""

    def __init__(self, inputs: tuple[int, int, int], outputs: int) -> None:
        super().__init__()
        channels = inputs[0]
        self.see = nn.Conv2d(channels, 6, 5, stride=3, bias=False)  # the norm has one
        self.norm, self.last = nn.BatchNorm2d(6), nn.Linear(6 * 12 * 14, outputs)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.relu(self.norm(self.see(x))).flatten(1))


class Turned(nn.Module):
    """Parameters that are part of a larger array, and one with its axes exchanged."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        wide = torch.arange(1.0, 1 + 2 * inputs * 4).cos().reshape(inputs, 8)
        self.first = nn.Parameter(wide[:, ::2])
        self.second = nn.Parameter(torch.arange(4.0 * outputs).sin().reshape(outputs, 4).t())

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x @ self.first) @ self.second


class Lazy(nn.Sequential):
    """Layers that learn the sizes of their inputs from the first batch."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(outputs))


def compact(n: int) -> np.ndarray:
    """Binary features where the layout has them, else bytes."""
    drawn = np.random.default_rng(1).integers(0, 256, (n, 23), np.uint8)
    drawn[:, :9] &= 1
    drawn[:, 11:].reshape(n, 3, 4)[..., 2:] &= 1
    return drawn


def scene_map() -> Scene:
    from dagger_cli.policies.scene import Layout

    return Scene(Layout(**MAP), 4, code=4, sizes=[8])


def cases() -> dict[str, Case]:
    """Returns a case for every kind of network that is fitted by gradients."""
    past, own = History(3, 2, 1), {"normalize": True, "loss": "auto"}
    seen = numbers(past.total)
    plain = {"sizes": [8], "activation": "relu", **own}
    letters = {"image": [8, 12], "history": 1, "encoder": "conv", "code": 6, "sizes": [8]}
    letters |= {"dropout": 0.0, "shift": 0, "loss": "auto"}
    scenes = {"layout": MAP, "code": 4, "sizes": [8], "unsafe_penalty": 1.0}
    channels_first = lambda obs: np.moveaxis(obs / 255, 3, 1)  # noqa: E731
    return {
        "mlp": Case(mlp_learner, numbers(5), dense(5, 2), standard, TORQUES, options=plain),
        "mlp of pictures": Case(
            mlp_learner, pictures((6, 5, 1)), nn.Sequential(nn.Flatten(), *dense(30, 3)), standard,
            CHOICES, options=plain,
        ),
        "window": Case(
            window_learner, seen, dense(past.total, 2), standard, TORQUES,
            options={"past": past, "window": 3, **plain},
        ),
        "gru": Case(
            gru_learner, seen, Cells(3, 2, 3), standard, CHOICES,
            options={"past": past, "window": 3, "units": 5, **own},
        ),
        "gru with hidden layers": Case(
            gru_learner, seen, Cells(3, 2, 3, hidden=4), standard, CHOICES,
            options={"past": past, "window": 3, "units": 5, "sizes": [4], **own},
        ),
        "cnn, channels last": convolutional(True, False),
        "cnn, channels first": convolutional(False, False),
        "cnn, channels last, normalized": convolutional(True, True, TORQUES),
        "cnn, channels first, normalized": convolutional(False, True),
        "glyphs": Case(
            glyphs_learner, pictures((195,)) // 64, Letters(3), lambda obs: obs, CHOICES, draws=1,
            options=letters,
        ),
        "scene": Case(
            scene_learner, compact(ROWS), scene_map(), lambda obs: obs, BUTTONS, options=scenes
        ),
        "torch, channels last": Case(
            torch_learner, pictures((40, 44, 3)), Own((3, 40, 44), 3), channels_first, CHOICES,
            draws=1, options={"network": Own, **own},
        ),
        "torch, lazy": Case(
            torch_learner, numbers(5), dense(5, 3), standard, CHOICES, draws=1,
            options={"network": Lazy, **own},
        ),
        "torch, strided": Case(
            torch_learner, numbers(5), Turned(5, 3), standard, CHOICES, draws=2,
            fresh=True, options={"network": Turned, **own},
        ),
    }  # fmt: skip


CASES = cases()


def labels_of(space: Space) -> np.ndarray:
    rng = np.random.default_rng(2)
    if space.kind == "box":
        return rng.uniform(space.low, space.high, (ROWS, space.size)).astype(np.float32)
    if space.kind == "discrete":
        return rng.integers(0, 3, ROWS)
    return rng.integers(0, 2, (ROWS, 2), np.int8)


def loss_of(space: Space, outputs: Tensor, labels: np.ndarray) -> Tensor:
    if space.kind == "box":
        low, high = np.array(space.low), np.array(space.high)
        unit = torch.from_numpy(((labels - (low + high) / 2) / ((high - low) / 2)).astype("f4"))
        return functional.mse_loss(torch.tanh(outputs), unit)
    if space.kind == "multi_binary":  # one output per combination
        labels = labels @ [2, 1]
    return functional.cross_entropy(outputs, torch.from_numpy(labels))


def by_torch(case: Case, labels: np.ndarray, optimizer: str) -> float:
    """Fits `case.network` in the batches of a learner's generator 3; returns the mean loss."""
    network, rng = case.network.train(), np.random.default_rng(3)
    rng.integers(2**63, size=case.draws)
    inputs = torch.from_numpy(case.inputs(case.obs).astype(np.float32))
    steps, rate = TORCHS[optimizer](network.parameters(), lr=1.0), RATES[optimizer]
    order, total = np.zeros(0, np.int64), 0.0
    for i in range(STEPS):
        order = order if order.size else rng.permutation(ROWS)
        rows, order = order[:BATCH], order[BATCH:]
        loss = loss_of(case.actions, network(inputs[rows]), labels[rows])
        steps.zero_grad()
        loss.backward()
        steps.param_groups[0]["lr"] = rate * (1 - i / STEPS)
        steps.step()
        total += float(loss.detach()) / STEPS
    network.eval()
    return total


def same_weights(learned: nn.Module, other: nn.Module) -> None:
    """Copies the weights of the learner's network to the other one."""
    with torch.no_grad():
        for to, source in zip(other.parameters(), learned.parameters(), strict=True):
            to.copy_(source)
        for to, source in zip(moving(other), moving(learned), strict=True):
            to.copy_(source)


def moving(network: nn.Module) -> list[Tensor]:
    """Returns the running statistics of batch normalization."""
    return [t for name, t in network.named_buffers() if "running" in name]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("name", CASES)
def test_a_fit_is_that_of_a_loop_in_torch(name, optimizer):
    case = cases()[name]
    obs, labels = case.obs, labels_of(case.actions)
    seen = box(obs.shape[1:], str(obs.dtype))
    how = {"optimizer": optimizer, "learning_rate": RATES[optimizer]}
    learner = case.make(seen, case.actions, **FIT, **case.options, **how)
    data = dataset(obs, labels)
    short = replace(learner, gradient_steps=1, learning_rate=1e-12)
    start = None
    if not case.fresh:
        start = replace(short.fit(data, None, np.random.default_rng(0)).policy, optimizer=())
        same_weights(start.network, case.network)
    before = [parameter.detach().clone() for parameter in case.network.parameters()]
    fitted = learner.fit(data, start, np.random.default_rng(3))
    assert fitted.loss == pytest.approx(by_torch(case, labels, optimizer), rel=1e-4)
    pairs = zip(fitted.policy.network.parameters(), case.network.parameters(), before, strict=True)
    for ours, theirs, first in pairs:
        assert (theirs - first).abs().max() > 1e-4, "nothing was learned"
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=2e-5)
    inputs = torch.from_numpy(case.inputs(obs).astype(np.float32))
    for rows in (slice(1), slice(7), np.arange(300) % ROWS):
        found = torch.from_numpy(np.array(fitted.policy.outputs(obs[rows]), np.float32))
        with torch.no_grad():
            torch.testing.assert_close(found, case.network(inputs[rows]), rtol=1e-3, atol=1e-4)


class Normed(nn.Sequential):
    """Batch normalization of numbers."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Linear(inputs, 4), nn.BatchNorm1d(4), nn.Linear(4, outputs))


@pytest.mark.parametrize("rows", [1, 17, 33])
def test_a_single_row_that_batch_normalization_cannot_take_is_no_part_of_the_loss(rows):
    """The labels are all 3 and 1, the upper bounds, so that a loss of 0 would lower the mean."""
    obs, labels = numbers(5)[:rows], np.tile(np.float32(TORQUES.high), (rows, 1))
    how = {"optimizer": "sgd", "learning_rate": 1e-12, "network": Normed, "loss": "auto"}
    fit = {**FIT, "gradient_steps": None, "epochs": 3, "normalize": False, **how}
    learner = torch_learner(box((5,), "float32"), TORQUES, **fit)
    fitted = learner.fit(dataset(obs, labels), None, np.random.default_rng(3))
    network = fitted.policy.network.network.train()
    rng, losses = np.random.default_rng(3), []
    rng.integers(2**63, size=2)
    for order in (rng.permutation(rows) for _ in range(3)):
        for batch in np.split(order, range(BATCH, rows, BATCH)):
            if len(batch) > 1:
                outputs = network(torch.from_numpy(obs[batch]))
                losses.append(float(loss_of(TORQUES, outputs, labels[batch]).detach()))
    if not losses:
        losses = [float(loss_of(TORQUES, network.eval()(torch.from_numpy(obs)), labels).detach())]
    assert fitted.loss == pytest.approx(np.mean(losses), rel=1e-5) and fitted.loss > 0.5


DIALS = Space("multi_discrete", (2,), "int64", sizes=(2, 3))
LEVER = Space("discrete", (), "int64", sizes=(3,), start=5)
OPTIONS: list[tuple[Space, dict[str, Any]]] = [
    (TORQUES, {"optimizer": "adamw", "weight_decay": 0.1}),
    (TORQUES, {"optimizer": "adam", "weight_decay": 0.1, "decay": False}),
    (TORQUES, {"optimizer": "sgd", "weight_decay": 0.1, "activation": "silu"}),
    (TORQUES, {"loss": "huber", "activation": "elu", "batch_size": 1}),
    (TORQUES, {"epochs": 3, "gradient_steps": None, "activation": "tanh"}),
    (TORQUES, {"batch_size": 500, "activation": "gelu"}),
    (DIALS, {"loss": "hinge"}),
    (DIALS, {"epochs": 2, "gradient_steps": None, "batch_size": 49}),
    (LEVER, {"loss": "hinge", "optimizer": "adamw", "weight_decay": 0.01}),
]
OPTIMIZERS = {**TORCHS, "adamw": torch.optim.AdamW}
UNITS = {"relu": nn.ReLU, "tanh": nn.Tanh, "silu": nn.SiLU, "elu": nn.ELU, "gelu": nn.GELU}


@pytest.mark.parametrize(("actions", "changes"), OPTIONS, ids=lambda x: str(x)[:60])
def test_every_option_of_a_fit_is_torchs(actions, changes):
    """Observations far from 0 in float64, of several scales, one constant."""
    obs = numbers(5) * np.array([1.0, 1e3, 1e-3, 0.0, 1.0]) + np.array([0.0, 0.0, 0.0, 7.0, 1e3])
    rng = np.random.default_rng(2)
    if actions.kind == "box":
        labels = rng.uniform(actions.low, actions.high, (ROWS, 2)).astype(np.float32)
    else:
        choices = [rng.integers(0, size, ROWS) for size in actions.sizes]
        labels = np.stack(choices, 1).reshape(ROWS, *actions.shape) + actions.start
    fit = {"optimizer": "adam", "learning_rate": 5e-3, "sizes": [8], "activation": "relu"}
    fit = {**FIT, "loss": "auto", "normalize": True, **fit, **changes}
    learner = mlp_learner(box((5,), "float64"), actions, **fit)
    data = dataset(obs, labels)
    short = replace(learner, gradient_steps=1, epochs=None, learning_rate=1e-12)
    start = replace(short.fit(data, None, np.random.default_rng(0)).policy, optimizer=())
    units = UNITS[fit["activation"]]
    network = nn.Sequential(nn.Linear(5, 8), units(), nn.Linear(8, learner.head.outputs))
    same_weights(start.network, network)

    inputs = torch.from_numpy(standard(obs).astype(np.float32))
    decay = fit["weight_decay"]
    steps = OPTIMIZERS[fit["optimizer"]](network.parameters(), lr=1.0, weight_decay=decay)
    rng, size = np.random.default_rng(3), fit["batch_size"]
    n = fit["gradient_steps"] or fit["epochs"] * -(-ROWS // size)
    passes = (np.split(rng.permutation(ROWS), range(size, ROWS, size)) for _ in range(n))
    batches = [batch for one in passes for batch in one][:n]
    losses = []
    for i, batch in enumerate(batches):
        parts = losses_of(actions, fit["loss"], network(inputs[batch]), labels[batch])
        loss = torch.stack(parts).mean()
        steps.zero_grad()
        loss.backward()
        steps.param_groups[0]["lr"] = fit["learning_rate"] * (1 - i / n if fit["decay"] else 1)
        steps.step()
        losses.append(float(loss.detach()))
    fitted = learner.fit(data, start, np.random.default_rng(3))
    assert fitted.loss == pytest.approx(np.mean(losses), rel=1e-4)
    weights = list(fitted.policy.network.parameters())
    for ours, theirs in zip(weights, network.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=5e-5)
    found = np.asarray(fitted.policy.outputs(obs), np.float32)
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(found), network(inputs), rtol=1e-3, atol=1e-3)


def losses_of(space: Space, loss: str, outputs: Tensor, labels: np.ndarray) -> list[Tensor]:
    """Returns the loss of each component."""
    if space.kind == "box":
        low, high = np.array(space.low), np.array(space.high)
        unit = torch.from_numpy(((labels - (low + high) / 2) / ((high - low) / 2)).astype("f4"))
        distance = functional.huber_loss if loss == "huber" else functional.mse_loss
        return [distance(torch.tanh(outputs), unit)]
    distance = functional.multi_margin_loss if loss == "hinge" else functional.cross_entropy
    parts = torch.split(outputs, list(space.sizes), 1)
    wanted = torch.from_numpy(labels.reshape(len(labels), -1) - space.start)
    return [distance(part, wanted[:, i]) for i, part in enumerate(parts)]
