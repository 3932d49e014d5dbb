"""Inference of a learner's network in float64 on small batches, as in rollouts.

Calls dominate the time there, and NumPy's cost a third of torch's. Actions are rounded to float32
afterwards, which makes them independent of the batch size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

from dagger_cli.core.types import Array
from dagger_cli.networks.layers import CUT, OneHot, Standardise
from dagger_cli.networks.modules import Dense

# Multiplications per product. From 2**19 on OpenBLAS uses threads, and beside those of simulators a
# product then took up to 50 times as long. The overhead of torch's calls is small there.
MOST = 2**19 - 1


def takes(network: Dense) -> bool:
    """Returns whether all activations of the network have a NumPy version."""
    return all(row.by_numpy is not None for row in network.rows())


class Float64Layers:
    """Linear layers with activations: function from (n, d), n up to `most`, to outputs (n, k)."""

    def __init__(self, network: Dense) -> None:
        activations = [*(row.by_numpy for row in network.rows()), None]
        self._layers = [
            (np.ascontiguousarray(_array(linear.weight).T), _array(linear.bias), activate)
            for linear, activate in zip(network.linears, activations, strict=True)
        ]
        self.most = MOST // max(weight.size for weight, _, _ in self._layers)  # rows

    def __call__(self, x: Array) -> Array:
        for weight, bias, activate in self._layers:
            x = x @ weight
            x += bias
            if activate is not None:
                activate(x)
        return x


class Float64Rows:
    """Function from observations (n, ...) to outputs (n, k), n up to `most`; see `takes`."""

    def __init__(self, network: Dense) -> None:
        self._input, self._layers = _input(network.first), Float64Layers(network)
        self.most = self._layers.most

    def __call__(self, obs: Array) -> Array:
        return self._layers(self._input(obs))


def _input(first: Standardise | OneHot) -> Callable[[Array], Array]:
    """Returns the first layer as a function from observations (n, ...) to float64 (n, d)."""
    return first.in_numpy(np.float64) if isinstance(first, OneHot) else standardised_by(first)


def standardised_by(first: Standardise) -> Callable[[Array], Array]:
    """Returns the layer as a function from observations (n, ...) to float64 (n, d)."""
    mean, std = _array(first.mean), _array(first.std)

    def standardised(obs: Array) -> Array:
        x: Array = obs.reshape(len(obs), -1) - mean
        x /= std
        np.maximum(x, -CUT, out=x)
        np.minimum(x, CUT, out=x)
        return x

    return standardised


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().double().numpy()
    return array
