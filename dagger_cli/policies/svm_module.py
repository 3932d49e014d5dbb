"""Torch modules of the linear support vector machines, for `dagger export`."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array


class SvmModule(nn.Module):
    """Maps observations (n, ...) to scores (n, C) of `policy=svm`.

    `weights` is (d + 1, P), the bias in the last row; `classes` is C for hyperplanes of all pairs,
    None for one hyperplane per class. `products`: d counts those of two numbers of a row.
    """

    weights: Tensor
    pairs: Tensor
    products: Tensor

    def __init__(
        self, weights: Array, classes: int | None, *, votes: bool, products: bool = False
    ) -> None:
        super().__init__()
        n = (math.isqrt(8 * len(weights) - 7) - 1) // 2 if products else 0  # d = n + n (n - 1) / 2
        self.register_buffer("products", torch.from_numpy(np.stack(np.triu_indices(n, 1))))
        self.register_buffer("weights", torch.tensor(weights))
        self.all_pairs, self.votes = classes is not None, votes
        pairs = np.zeros((weights.shape[1], classes or 0), np.float32)
        if classes is not None:
            for p, (first, second) in enumerate(zip(*np.triu_indices(classes, 1), strict=True)):
                pairs[p, first], pairs[p, second] = 1 / (classes - 1), -1 / (classes - 1)
        self.register_buffer("pairs", torch.tensor(pairs))

    def forward(self, obs: Tensor) -> Tensor:
        rows = obs.reshape(obs.shape[0], -1).to(torch.float32)
        if self.products.shape[1]:
            rows = torch.cat([rows, rows[:, self.products[0]] * rows[:, self.products[1]]], dim=1)
        margins = rows @ self.weights[:-1] + self.weights[-1]
        if not self.all_pairs:
            return margins
        return (torch.sign(margins) if self.votes else margins.clamp(-1, 1)) @ self.pairs


class BitsModule(nn.Module):
    """Maps packed bytes (n, ...) to margins (n, buttons) of `policy=sparse_svm`."""

    weights: Tensor
    powers: Tensor

    def __init__(self, weights: Array) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights))
        self.register_buffer("powers", 2.0 ** torch.arange(8))

    def forward(self, obs: Tensor) -> Tensor:
        # By arithmetic, as ONNX does not support bit shifts for every integer type.
        numbers = obs.reshape(obs.shape[0], -1, 1).to(torch.float32)
        bits = torch.floor(numbers / self.powers) % 2
        return bits.reshape(obs.shape[0], -1) @ self.weights[:-1] + self.weights[-1]


class ButtonsModule(nn.Module):
    """Maps outputs to pressed buttons (n, *shape): 1 where the output is above 0."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, outputs: Tensor) -> Tensor:
        return (outputs > 0).to(torch.int64).reshape(-1, *self.shape)
