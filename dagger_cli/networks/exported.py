"""Torch modules of a policy for export: observations in, actions and outputs out."""

from __future__ import annotations

from typing import Protocol, cast

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


class ChunkModule(nn.Module):
    """Head for `chunk` predictions of one action, newest first, and their count after the first.

    Their average is weighted by exp(-decay * i) for that of i steps ago; those that the count lacks
    weigh nothing.
    """

    weights: Tensor

    def __init__(self, head: nn.Module, chunk: int, decay: float) -> None:
        super().__init__()
        self.head, self.chunk = head, chunk
        # Row c is for c + 1 predictions. The largest exponent is 0, so that none overflows.
        exponents = -decay * torch.arange(chunk, dtype=torch.float64)
        there = torch.ones(chunk, chunk).tril().bool()
        self.register_buffer("weights", exponents.masked_fill(~there, -torch.inf).softmax(1))

    def forward(self, outputs: Tensor) -> Tensor:
        head = cast("Averages", self.head)
        return head.decided(self.mean(outputs))

    def mean(self, outputs: Tensor) -> Tensor:
        """Returns the average of what the head averages, (n, k)."""
        predictions = outputs[:, :-1].reshape(outputs.shape[0], self.chunk, -1)
        count = outputs[:, -1].clamp(0, self.chunk - 1).to(torch.int64)
        weights = self.weights[count].to(outputs.dtype)
        return (cast("Averages", self.head).averaged(predictions) * weights[:, :, None]).sum(1)
