"""Inference of a fitted network: observations to outputs, always on the CPU.

The package's networks without convolutions compute in float64, and only the actions are rounded to
float32. In float32 a row's result depends on the batch size; BipedalWalker amplifies the last
digit, so an episode would depend on the episodes beside it. Networks defined by the user, which may
support float32 only, and convolutional ones compute in float32, and do depend on the batch size.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property, reduce
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array
from dagger_cli.networks.carried import Carried
from dagger_cli.networks.carried_forward import CarriedForward
from dagger_cli.networks.chunked import Chunked, ChunkedRows
from dagger_cli.networks.modules import dense
from dagger_cli.networks.prepared import Prepared
from dagger_cli.networks.small_batch_float64 import Float64Rows, takes
from dagger_cli.utils.malloc import reused

PIECE = 4096  # rows


class Outputs(Protocol):
    """Function from observations (n, *obs_shape) to outputs (n, k), in float64 or float32.

    That of a network which carries a state takes rows with a past (core/past.py).
    """

    def __call__(self, rows: Any, /) -> Array:
        """Returns the outputs."""
        ...

    def by_torch(self, rows: Any, /) -> Tensor:
        """Returns them as a tensor."""
        ...


def forward_of(network: nn.Module) -> Outputs:
    """Returns the function that computes a network, which must not change."""
    if isinstance(network, Carried):
        return CarriedForward(network)
    return ChunkedForward(network) if isinstance(network, Chunked) else Forward(network)


class ChunkedForward:
    """The same for a network that is applied to several observations of a row."""

    def __init__(self, network: Chunked) -> None:
        self._forward, self._rows = Forward(network.network), ChunkedRows(network)

    def __call__(self, obs: Array) -> Array:
        if len(obs) > PIECE:
            return np.concatenate([self(obs[i : i + PIECE]) for i in range(0, len(obs), PIECE)])
        return self._rows.outputs(obs, self._forward(self._rows.observations(obs)))

    def by_torch(self, obs: Array) -> Tensor:
        """Returns the same as a tensor."""
        return torch.from_numpy(self(obs))


class Forward:
    """Function from observations (n, *obs_shape) to outputs (n, k); `network` must not change."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def __call__(self, obs: Array) -> Array:
        few = self._few
        if few is not None and len(obs) <= few.most:
            return few(obs)
        outputs: Array = self.by_torch(obs).numpy()
        return outputs

    def by_torch(self, obs: Array) -> Tensor:
        """Computes the same with torch, for any number of rows."""
        with torch.inference_mode():
            rows = torch.as_tensor(obs)
            if len(rows) <= PIECE:
                return self._whole(rows)
            # Otherwise the hidden layers of a round's rows would need more memory than its data.
            return torch.cat([self._whole(piece) for piece in torch.split(rows, PIECE)])

    @cached_property
    def _few(self) -> Float64Rows | None:
        plain = dense(self._network)
        return Float64Rows(plain) if plain is not None and takes(plain) else None

    @cached_property
    def _whole(self) -> Callable[[Tensor], Tensor]:
        if any(isinstance(layer, (nn.Conv2d, Prepared)) for layer in self._network.modules()):
            return self._in_float32
        network = copy.deepcopy(self._network).double()
        if not isinstance(network, nn.Sequential):
            return network
        # The layers have no hooks; calling them as modules doubles the time of small batches.
        layers = [layer.forward for layer in network]
        return lambda x: reduce(lambda y, layer: layer(y), layers, x)

    def _in_float32(self, obs: Tensor) -> Tensor:
        with reused():  # large arrays are allocated in every step
            outputs: Tensor = self._network(obs)
            return outputs
