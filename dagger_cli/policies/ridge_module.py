"""Torch modules of `policy=ridge`, for `dagger export`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array, Space


class LinearModule(nn.Module):
    """Maps observations (n, ...) to outputs (n, k); `weights` (d + 1, k), the intercept last."""

    weights: Tensor

    def __init__(self, weights: Array) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32))

    def forward(self, obs: Tensor) -> Tensor:
        rows = obs.reshape(obs.shape[0], -1).to(torch.float32)
        return rows @ self.weights[:-1] + self.weights[-1]


class ClippedModule(nn.Module):
    """Maps outputs in units of half the range to actions (n, *action_shape) within their bounds."""

    centre: Tensor
    reach: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, space: Space) -> None:
        super().__init__()
        _, centre, half = space.centre_and_half()
        arrays = {"centre": centre, "reach": half, "low": space.low, "high": space.high}
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32))
        self.shape, self.whole = space.shape, space.whole

    def forward(self, outputs: Tensor) -> Tensor:
        inside = torch.clamp(outputs * self.reach + self.centre, self.low, self.high)
        if self.whole:
            inside = torch.round(inside)
        return inside.reshape(-1, *self.shape)
