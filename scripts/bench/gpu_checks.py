"""Checks of fits on a device against the CPU, and their times; each yields lines of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from gpu_acting import acting
from gpu_fits import (
    BATCH,
    FULL,
    QUICK,
    Size,
    batches,
    batches_there,
    cnn,
    descend,
    fitted,
    gru,
    mlp,
    network_of,
    picture_data,
    stepper,
    walker_data,
)
from gpu_graph import graph
from gpu_lines import Line, apart, check, exact_products, loss_and_weights, timing

from dagger_cli.core.dataset import Dataset
from dagger_cli.networks.gradients import gradient_of
from dagger_cli.policies.torch_learner import TorchLearner

# Relative, in float32 without TF32, where sums in another order differ by some 1e-6. Adam divides a
# gradient by its own size, so differences grow from step to step: with first weights that differ by
# 1e-6, on one CPU, weights differ by 4e-4 (mlp) and 2e-3 (cnn) after 10 steps, by 1e-2 after 20.
GRADIENT, LOSS, WEIGHTS = 1e-4, 1e-4, 1e-2
CPU = torch.device("cpu")
Make = Callable[[str, int], TorchLearner]  # device, gradient steps


def checks(device: torch.device, *, quick: bool) -> Iterator[Line]:
    """Yields the lines of all checks, each as soon as it is known."""
    size = QUICK if quick else FULL
    walker, stacked = walker_data(size.rows), walker_data(size.rows // 4, 8 * 24)
    (units, wide), few = size.wide, max(size.timed // 10, 1)
    fits: list[tuple[str, Dataset, Make, int]] = [
        ("mlp 256-256, batch 128", walker, lambda d, n: mlp(d, n, BATCH, 256), size.timed),
        (f"mlp {units}-{units}, batch {wide}", walker, lambda d, n: mlp(d, n, wide, units), few),
        ("gru, batch 128", stacked, lambda d, n: gru(d, n, BATCH), size.timed),
        ("cnn, batch 128", picture_data(size.pictures), lambda d, n: cnn(d, n, BATCH), few),
    ]
    for name, data, make, timed in fits:
        with exact_products():
            yield same_gradient(name, data, make("cpu", 1), device)
            steps = min(size.checked, timed)
            one, other = (fitted(make(where, steps), data) for where in ("cpu", device.type))
        yield from loss_and_weights(f"{name}: fit of {steps} steps", one, other, LOSS, WEIGHTS)
        yield fit_time(name, data, make, device, timed, size.repeats)
    learner = mlp("cpu", 1, BATCH, 256)
    yield from graph(learner, walker, device, size)
    yield from on_device(learner, walker, device, size)
    yield from acting(device, size)


def same_gradient(name: str, data: Dataset, learner: TorchLearner, device: torch.device) -> Line:
    """Compares the gradients of one batch: the norm of their difference by that of the CPU's."""
    found = []
    for where in (CPU, device):
        gradient = gradient_of(network_of(learner, data, where), learner.head)
        obs = torch.from_numpy(data.obs[:BATCH]).to(where)
        targets = learner.head.targets(torch.from_numpy(data.labels[:BATCH])).to(where)
        with torch.no_grad():
            found.append(gradient.of(gradient.prepare(obs), targets)[1])
    return check(f"{name}: gradient of a batch", apart(*found), GRADIENT)


def fit_time(
    name: str, data: Dataset, make: Make, device: torch.device, steps: int, repeats: int
) -> Line:
    """Times whole fits of the learner, which copies batch by batch."""

    def fit(where: str, steps: int) -> None:
        make(where, steps).fit(data, None, np.random.default_rng(0))

    fit(device.type, 1)  # loads the kernels
    return timing(
        f"{name}: fit of {steps} steps",
        f"cpu / {device.type}",
        repeats,
        (lambda: fit("cpu", steps), CPU),
        (lambda: fit(device.type, steps), device),
    )


def on_device(
    learner: TorchLearner, data: Dataset, device: torch.device, size: Size
) -> Iterator[Line]:
    """Compares batches gathered on the device with batches that are copied there one by one."""

    def run(way: Callable[..., Iterator[tuple[torch.Tensor, torch.Tensor]]], steps: int) -> object:
        step, weights = stepper(learner, network_of(learner, data, device))
        return descend(step, way(data, steps, BATCH, device), weights)

    what = f"mlp 256-256: aggregate of {len(data):,} rows on the device"
    with exact_products():
        one, other = (run(way, size.checked) for way in (batches, batches_there))
    yield from loss_and_weights(what, one, other, LOSS, WEIGHTS)
    yield timing(
        f"{what}, {size.timed} steps",
        "copying / there",
        size.repeats,
        (lambda: run(batches, size.timed), device),
        (lambda: run(batches_there, size.timed), device),
    )
