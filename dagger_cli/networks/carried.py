"""A recurrent network that carries its state from step to step of an episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dagger_cli.networks.layers import Standardise
from dagger_cli.networks.modules import hidden_layers


class Segments(NamedTuple):
    """b pieces of k env steps, each of one episode, and what a loss is computed of.

    `obs` (b, k, *obs_shape); `state` (b, units) before the first step of each; `rows` (r,) int64
    are positions among the b * k steps.
    """

    obs: Tensor
    state: Tensor
    rows: Tensor

    @property
    def device(self) -> torch.device:
        """Device of all three."""
        return self.obs.device


class Carried(nn.Module):
    """Gated recurrent units (Cho et al. 2014), and hidden layers of `sizes` units after them.

    The hidden layers get the units' state and the observation. The state is zero before the first
    step of an episode.
    """

    def __init__(
        self, size: int, units: int, outputs: int, sizes: Sequence[int], option: str
    ) -> None:
        super().__init__()
        self.first = Standardise(size)
        self.cells = nn.GRU(size, units, batch_first=True)
        self.last = nn.Sequential(*hidden_layers(units + size, outputs, sizes, option))

    @property
    def units(self) -> int:
        """Numbers of a state."""
        return self.cells.hidden_size

    def forward(self, seen: Segments) -> Tensor:
        """Returns the outputs (r, k) of the rows; gradients go back to the start of a segment."""
        inputs = self.inputs(seen.obs)
        states, _ = self.cells(inputs, seen.state[None])
        features = torch.cat([states, inputs], dim=2).flatten(0, 1)
        outputs: Tensor = self.last(features[seen.rows])
        return outputs

    def inputs(self, obs: Tensor) -> Tensor:
        """Returns observations (b, k, *obs_shape) as inputs of the units, (b, k, d)."""
        b, k = obs.shape[:2]
        inputs: Tensor = self.first(obs.reshape(b * k, -1))
        return inputs.reshape(b, k, -1)

    def after(self, obs: Tensor, state: Tensor) -> Tensor:
        """Returns the states (b, units) after k steps."""
        _, after = self.cells(self.inputs(obs), state[None])
        last: Tensor = after[0]
        return last


class CarriedStep(nn.Module):
    """Policy of such a network for export: one step, with the state as input and output.

    Maps observations (n, *obs_shape) and states (n, units) to `actions` (n, *action_shape),
    `outputs` (n, k) of the last layer and the `next_states` (n, units).
    """

    def __init__(self, network: Carried, head: nn.Module) -> None:
        super().__init__()
        self.first, self.last, self.head = network.first, network.last, head
        self.units = network.units
        # A cell, as exporters write the sequence of nn.GRU with a fixed batch.
        self.cell = nn.GRUCell(network.cells.input_size, network.units)
        weights = network.cells.state_dict()
        self.cell.load_state_dict({name.removesuffix("_l0"): w for name, w in weights.items()})

    def forward(self, obs: Tensor, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inputs = self.first(obs)
        after = self.cell(inputs, states)
        outputs = self.last(torch.cat([after, inputs], dim=1))
        return self.head(outputs), outputs, after
