"""A fully connected network on the few rows that environments are stepped with.

There the calls take the time and not the arithmetic, and NumPy's cost a third of torch's.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import nn

from dagger_cli.core.types import Array
from dagger_cli.networks.modules import CUT, Standardise

# Multiplications of a product. From twice as many on OpenBLAS wakes its threads, which costs more
# than it saves.
PIECE = 2**19
PIECES = 4  # with more rows torch's calls hardly count any more


def _relu(x: Array) -> None:
    np.maximum(x, 0.0, out=x)


def _tanh(x: Array) -> None:
    np.tanh(x, out=x)


def _stay(x: Array) -> None:
    pass


ACTIVATIONS: dict[type[nn.Module], Callable[[Array], None]] = {nn.ReLU: _relu, nn.Tanh: _tanh}


def takes(network: nn.Sequential) -> bool:
    """Whether it is made of nothing but layers known here."""
    return all(isinstance(m, (Standardise, nn.Linear, *ACTIVATIONS)) for m in network)


class FewRows:
    """In float64; `network` must be one that `takes` is true of."""

    def __init__(self, network: nn.Sequential) -> None:
        standardise, *layers = network
        assert isinstance(standardise, Standardise)
        self._mean, self._std = (x.double().numpy() for x in (standardise.mean, standardise.std))
        self._layers = [
            (*_numbers(linear), _stay if after is None else ACTIVATIONS[type(after)])
            for linear, after in zip(layers[::2], [*layers[1::2], None], strict=True)
        ]
        self._piece = PIECE // max(weight.size for weight, _, _ in self._layers)  # rows
        self.most = PIECES * self._piece

    def __call__(self, obs: Array) -> Array:
        """(n, outputs) of (n, ...) observations, n up to `most`."""
        if len(obs) > self._piece:
            pieces = range(0, len(obs), self._piece)
            return np.concatenate([self(obs[i : i + self._piece]) for i in pieces])
        x: Array = obs.reshape(len(obs), -1) - self._mean
        x /= self._std
        np.maximum(x, -CUT, out=x)
        np.minimum(x, CUT, out=x)
        for weight, bias, activate in self._layers:
            x = x @ weight
            x += bias
            activate(x)
        return x


def _numbers(linear: nn.Module) -> tuple[Array, Array]:
    """Weight (inputs, outputs) and bias (outputs,)."""
    assert isinstance(linear, nn.Linear)
    weight, bias = linear.weight.detach().double(), linear.bias.detach().double()
    return np.ascontiguousarray(weight.numpy().T), bias.numpy()
