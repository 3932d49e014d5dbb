"""A recurrent network over the observations of a stack: gated recurrent units (Cho et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dagger_cli.core.types import History
from dagger_cli.networks.layers import Standardise
from dagger_cli.networks.modules import hidden_layers


class Recurrent(nn.Module):
    """Maps stacks (n, ...) to outputs (n, outputs), from the hidden state after the last frame.

    The hidden state starts at zero in every stack, so a row's outputs depend on that row alone, and
    gradients go back through the whole stack. Hidden layers of `sizes` units follow, which get the
    hidden state and the newest frame; None: a linear layer, which gets the hidden state.
    """

    def __init__(
        self,
        history: History,
        units: int,
        outputs: int,
        sizes: Sequence[int] | None = None,
        option: str = "tanh",
    ) -> None:
        super().__init__()
        self.history, self.sees_newest = history, sizes is not None
        self.first = Standardise(history.total)
        width = history.frame_size + history.action_size
        self.cells = nn.GRU(width, units, batch_first=True)
        self.last = (
            nn.Linear(units, outputs)
            if sizes is None
            else nn.Sequential(*hidden_layers(units + width, outputs, sizes, option))
        )

    def forward(self, obs: Tensor) -> Tensor:
        inputs = self._inputs(self.first(obs))
        _, hidden = self.cells(inputs)
        features = hidden[0]
        if self.sees_newest:
            features = torch.cat([features, inputs[:, -1]], dim=1)
        outputs: Tensor = self.last(features)
        return outputs

    def _inputs(self, rows: Tensor) -> Tensor:
        """Returns the inputs of each time step, (n, frames, d): a frame, and the action before."""
        frames, size, action_size = self.history
        seen = rows[:, : frames * size].reshape(-1, frames, size)
        if not action_size:
            return seen
        acted = rows[:, frames * size :].reshape(-1, frames - 1, action_size)
        return torch.cat([seen, nn.functional.pad(acted, (0, 0, 1, 0))], dim=2)
