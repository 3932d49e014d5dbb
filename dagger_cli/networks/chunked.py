"""A network that predicts a chunk of actions, applied to each of the last observations of a row.

Row t has the observations of the steps t, t - 1, ..., t - k + 1. The network predicts k actions
from each, and of those from step t - i the one of i steps later is a prediction for step t.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array
from dagger_cli.core.windows import Windows


class Chunked(nn.Module):
    """Maps rows (n, *row_shape) to outputs (n, k * m + 1).

    `network` maps observations (n, *shape) to k * m outputs, m for each predicted action. Those for
    the action of now come first, newest observation first, then how many observations before the
    newest one are of this episode.
    """

    index: Tensor
    own: Tensor

    def __init__(self, network: nn.Module, windows: Windows, outputs: int) -> None:
        super().__init__()
        self.network, self.shape, self.count = network, windows.space.shape, windows.count
        self.draws = getattr(network, "draws", False)
        self.size = outputs // windows.chunk * windows.chunk**2  # outputs of a row's observations
        # Not saved: the config determines them.
        for name, array in (("index", windows.index), ("own", own_outputs(windows.chunk, outputs))):
            self.register_buffer(name, torch.tensor(array.tolist()), persistent=False)

    def forward(self, obs: Tensor) -> Tensor:
        flat = obs.reshape(obs.shape[0], -1)
        outputs = self.network(flat[:, self.index].reshape(-1, *self.shape))
        own = outputs.reshape(-1, self.size)[:, self.own]
        return torch.cat([own, flat[:, self.count, None].to(own.dtype)], dim=1)


class ChunkedRows:
    """The same in NumPy, in two steps: observations of rows, and what is used of their outputs."""

    def __init__(self, network: Chunked) -> None:
        self._shape, self._count = network.shape, network.count
        self._index, self._own = network.index.numpy(), network.own.numpy()
        self.chunk = len(self._index)

    def observations(self, rows: Array) -> Array:
        """Returns the observations (n * k, *shape) of rows (n, *row_shape), newest first."""
        return rows.reshape(len(rows), -1)[:, self._index].reshape(-1, *self._shape)

    def outputs(self, rows: Array, outputs: Array) -> Array:
        """Returns the outputs (n, k * m + 1) of rows, from those of their observations."""
        own = outputs.reshape(len(rows), -1)[:, self._own]
        past = rows.reshape(len(rows), -1)[:, self._count, None]
        return np.concatenate([own, past.astype(own.dtype)], axis=1)


def single(network: nn.Module) -> nn.Module:
    """Returns the network that is applied to each observation."""
    return network.network if isinstance(network, Chunked) else network


def own_outputs(chunk: int, outputs: int) -> Array:
    """Returns the positions of prediction i of observation i among all outputs of a row."""
    each = np.arange(chunk * outputs).reshape(chunk, chunk, outputs // chunk)
    return np.concatenate([each[i, i] for i in range(chunk)])
