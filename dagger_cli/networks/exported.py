"""Torch modules of a policy for export: observations in, actions and outputs out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array, Space


class Exported(nn.Module):
    """Policy in float32, whatever the type it acts in here.

    Maps observations (n, *obs_shape) of the space's dtype to `actions` (n, *action_shape), float32
    for Box and int64 for all other spaces, and the network's `outputs` (n, k).
    """

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        outputs = self.network(obs)
        return self.head(outputs), outputs


class ScaledModule(nn.Module):
    """Head for Box: tanh, scaled to the bounds; linear without both bounds; clipped to them."""

    centre: Tensor
    reach: Tensor
    low: Tensor
    high: Tensor
    bounded: Tensor

    def __init__(self, space: Space) -> None:
        super().__init__()
        bounded, centre, half = space.centre_and_half()
        arrays = {"centre": centre, "reach": half, "low": space.low, "high": space.high}
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32))
        self.register_buffer("bounded", torch.tensor(bounded))
        self.shape, self.whole = space.shape, space.whole

    def forward(self, outputs: Tensor) -> Tensor:
        unit = torch.where(self.bounded, torch.tanh(outputs), outputs)
        inside = torch.clamp(unit * self.reach + self.centre, self.low, self.high)
        if self.whole:
            inside = torch.round(inside)
        return inside.reshape(-1, *self.shape)


class ChoicesModule(nn.Module):
    """Head for finite spaces: the argmax of each component."""

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.sizes, self.start, self.shape = list(space.sizes), space.start, space.shape

    def forward(self, outputs: Tensor) -> Tensor:
        parts = torch.split(outputs, self.sizes, dim=1)
        choices = torch.stack([part.argmax(dim=1) + self.start for part in parts], dim=1)
        return choices.reshape(-1, *self.shape)


class TableModule(nn.Module):
    """Head for joint actions: the row of `table` (K, *action_shape) of the largest output."""

    table: Tensor

    def __init__(self, actions: Array) -> None:
        super().__init__()
        self.register_buffer("table", torch.tensor(actions, dtype=torch.int64))

    def forward(self, outputs: Tensor) -> Tensor:
        return self.table[outputs.argmax(dim=1)]
