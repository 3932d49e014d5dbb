"""Batched evaluation of several fully connected networks of equal shape, each on its own rows.

For small networks the calls dominate the time. Stacked networks need one batched product per
layer, instead of one product per network and layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dagger_cli.core.types import Array
from dagger_cli.networks.layers import CUT, OneHot
from dagger_cli.networks.modules import Dense


class Stack:
    """Stacked weights of `networks`, which must have equal shapes."""

    def __init__(self, networks: Sequence[Dense]) -> None:
        self._n = len(networks)
        firsts = [network.first for network in networks]
        self._one_hot = firsts[0] if isinstance(firsts[0], OneHot) else None
        if self._one_hot is None:
            self._mean, self._std = (
                _stacked([getattr(first, name) for first in firsts])[:, None]
                for name in ("mean", "std")
            )
        self._linears = [
            (
                _stacked([linear.weight for linear in alike]).transpose(1, 2),
                _stacked([linear.bias for linear in alike])[:, None],
            )
            for alike in zip(*(network.linears for network in networks), strict=True)
        ]
        self._activations = [*networks[0].activations, None]

    def __call__(self, obs: Tensor, chosen: Array) -> Tensor:
        """Returns outputs (n, k): row i of `obs` (n, ...) through network `chosen[i]`, (n,) int."""
        counts = np.bincount(chosen, minlength=self._n)
        order = np.argsort(chosen, kind="stable")
        place = np.empty(len(chosen), np.int64)  # index among the rows of the same network
        place[order] = np.arange(len(chosen)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = (obs if self._one_hot is None else self._one_hot(obs)).reshape(len(obs), -1).double()
        x = rows.new_zeros(self._n, int(counts.max()), rows.shape[1])
        x[chosen, place] = rows
        if self._one_hot is None:
            x = ((x - self._mean) / self._std).clamp(-CUT, CUT)
        for (weight, bias), activate in zip(self._linears, self._activations, strict=True):
            x = torch.baddbmm(bias, x, weight)
            if activate is not None:
                x = activate(x)
        return x[chosen, place]


def _stacked(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack([tensor.detach().double() for tensor in tensors])
