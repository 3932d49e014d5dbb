"""Torch modules of a policy for export: observations in, actions and outputs out."""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np
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
        return self.decided(self.averaged(outputs))

    def averaged(self, outputs: Tensor) -> Tensor:
        """Maps outputs (..., k) to actions in units of half the range."""
        return torch.where(self.bounded, torch.tanh(outputs), outputs)

    def decided(self, unit: Tensor) -> Tensor:
        """Maps such actions (n, k) to those of the space."""
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

    def averaged(self, outputs: Tensor) -> Tensor:
        """Maps logits (..., k) to the probabilities of each component's choices."""
        parts = torch.split(outputs, self.sizes, dim=-1)
        return torch.cat([torch.softmax(part, dim=-1) for part in parts], dim=-1)

    decided = forward


class TableModule(nn.Module):
    """Head for joint actions: the row of `table` (K, *action_shape) of the largest output."""

    table: Tensor

    def __init__(self, actions: Array) -> None:
        super().__init__()
        self.register_buffer("table", torch.tensor(actions, dtype=torch.int64))

    def forward(self, outputs: Tensor) -> Tensor:
        return self.table[outputs.argmax(dim=1)]

    def averaged(self, outputs: Tensor) -> Tensor:
        """Maps logits (..., k) to probabilities."""
        return torch.softmax(outputs, dim=-1)

    decided = forward


class Averages(Protocol):
    """Head for one prediction whose `averaged` outputs can be averaged over several, `decided`."""

    def averaged(self, outputs: Tensor) -> Tensor:
        """Maps outputs (..., k) to what is averaged, of the same shape."""
        ...

    def decided(self, averages: Tensor) -> Tensor:
        """Maps averages (n, k) to actions (n, *action_shape)."""
        ...


def ensemble_weights(chunk: int, decay: float) -> Array:
    """Returns the weights (chunk, chunk) of predictions, newest first, in rows that sum to 1.

    Row c is for c + 1 predictions; that of i steps ago weighs exp(-decay * i).
    """
    exponents = np.tile(-decay * np.arange(chunk), (chunk, 1))
    exponents[np.triu_indices(chunk, 1)] = -np.inf
    weights = np.exp(exponents - exponents.max(1, keepdims=True))  # the largest is 1
    return np.asarray(weights / weights.sum(1, keepdims=True))


class ChunkModule(nn.Module):
    """Head for several predictions of one action, newest first, and their number after the first.

    `head` is that of one, whose averages are weighted by the rows of `weights`.
    """

    weights: Tensor

    def __init__(self, head: nn.Module, weights: Array) -> None:
        super().__init__()
        self.head, self.chunk = head, len(weights)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float32))

    def forward(self, outputs: Tensor) -> Tensor:
        predictions = outputs[:, :-1].reshape(outputs.shape[0], self.chunk, -1)
        past = outputs[:, -1].clamp(0, self.chunk - 1)
        weights = self.weights[past.to(torch.int64)]
        head = cast("Averages", self.head)
        return head.decided((head.averaged(predictions) * weights[:, :, None]).sum(1))
