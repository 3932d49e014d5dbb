"""A recurrent network over the observations of a stack: gated recurrent units (Cho et al. 2014)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dagger_cli.core.types import History
from dagger_cli.networks.layers import Standardise


class Recurrent(nn.Module):
    """Maps stacks (n, ...) to outputs (n, outputs), from the hidden state after the last frame.

    The hidden state starts at zero in every stack, so a row's outputs depend on that row alone, and
    gradients go back through the whole stack.
    """

    def __init__(self, history: History, units: int, outputs: int) -> None:
        super().__init__()
        self.history = history
        self.first = Standardise(history.total)
        self.cells = nn.GRU(history.frame_size + history.action_size, units, batch_first=True)
        self.last = nn.Linear(units, outputs)

    def forward(self, obs: Tensor) -> Tensor:
        _, hidden = self.cells(self._inputs(self.first(obs)))
        outputs: Tensor = self.last(hidden[0])
        return outputs

    def _inputs(self, rows: Tensor) -> Tensor:
        """Returns the inputs of each time step, (n, frames, d): a frame, and the action before."""
        frames, size, action_size = self.history
        seen = rows[:, : frames * size].reshape(-1, frames, size)
        if not action_size:
            return seen
        acted = rows[:, frames * size :].reshape(-1, frames - 1, action_size)
        return torch.cat([seen, nn.functional.pad(acted, (0, 0, 1, 0))], dim=2)
