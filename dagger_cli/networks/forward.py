"""How a fitted network acts: raw observations to its outputs, always on the processor.

Our networks without convolutions count in float64, and their outputs alone are rounded to float32:
sums in float32 depend on how rows are batched, and walkers amplify the last digit, so an episode
would end differently with other episodes beside it. Networks of the user act in float32 (they may
hold numbers that know no other type), and depend on it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cached_property, reduce

import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array
from dagger_cli.networks.modules import dense
from dagger_cli.networks.prepared import Prepared
from dagger_cli.networks.small_batch_float64 import Float64Rows, takes
from dagger_cli.utils.malloc import reused

PIECE = 4096  # rows


class Forward:
    """(n, *obs_shape) observations to (n, outputs); `network` must not change any more."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def __call__(self, obs: Array) -> Array:
        few = self._few
        if few is not None and len(obs) <= few.most:
            return few(obs)
        outputs: Array = self.by_torch(obs).numpy()
        return outputs

    def by_torch(self, obs: Array) -> Tensor:
        """The same for any number of rows."""
        with torch.inference_mode():
            rows = torch.as_tensor(obs)
            if len(rows) <= PIECE:
                return self._whole(rows)
            # Or the hidden layers of a whole round's rows would outweigh its data.
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
        # Nothing hooks into the layers; calling them as modules costs a few rows twice the time.
        layers = [layer.forward for layer in network]
        return lambda x: reduce(lambda y, layer: layer(y), layers, x)

    def _in_float32(self, obs: Tensor) -> Tensor:
        with reused():  # its arrays are large and made in every step
            outputs: Tensor = self._network(obs)
            return outputs
