"""Several fully connected networks of one shape, run as one: each on rows of its own.

Twenty small networks called one after the other cost twenty times the calls and hardly more
arithmetic; stacked, they are one batched product a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array
from dagger_cli.networks.modules import CUT, Standardise

Layer = Callable[[Tensor], Tensor]
STATELESS = (nn.ReLU, nn.Tanh, nn.SiLU, nn.GELU, nn.ELU)


def stackable(network: nn.Module) -> bool:
    """Whether it is made of nothing but layers that can be stacked."""
    known = (Standardise, nn.Linear, *STATELESS)
    return isinstance(network, nn.Sequential) and all(isinstance(m, known) for m in network)


class Stack:
    """`networks` must be stackable and of one shape."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self._n = len(networks)
        self._layers = [
            _layer(alike) for alike in zip(*map(nn.Module.children, networks), strict=True)
        ]

    def __call__(self, obs: Tensor, chosen: Array) -> Tensor:
        """(n, outputs): row i of `obs` (n, ...) through network `chosen[i]`, (n,) int."""
        counts = np.bincount(chosen, minlength=self._n)
        order = np.argsort(chosen, kind="stable")
        place = np.empty(len(chosen), np.int64)  # among the rows of the same network
        place[order] = np.arange(len(chosen)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = obs.reshape(len(obs), -1).double()
        x = rows.new_zeros(self._n, int(counts.max()), rows.shape[1])
        x[chosen, place] = rows
        for layer in self._layers:
            x = layer(x)
        return x[chosen, place]


def _layer(alike: tuple[nn.Module, ...]) -> Layer:
    first = alike[0]
    if isinstance(first, Standardise):
        mean, std = (_stacked(alike, name)[:, None] for name in ("mean", "std"))
        return lambda x: ((x - mean) / std).clamp(-CUT, CUT)
    if isinstance(first, nn.Linear):
        weight, bias = _stacked(alike, "weight").transpose(1, 2), _stacked(alike, "bias")[:, None]
        return lambda x: torch.baddbmm(bias, x, weight)
    return first


def _stacked(alike: Sequence[nn.Module], name: str) -> Tensor:
    return torch.stack([getattr(layer, name).detach().double() for layer in alike])
