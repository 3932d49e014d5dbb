"""An agent's network on few rows in float32, each with the bits that it has by itself.

Sums in float32 depend on how rows are batched, and a walker amplifies the last digit into a fall.
So up to `ALONE` rows, what environments are stepped with, are each multiplied by themselves: an
episode is the same alone or beside others, and the one that stable-baselines3 plays. More rows,
whose labels are collected later, are one product, as in its `predict`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dagger_cli.core.types import Array
from dagger_cli.networks.activations import ACTIVATIONS, kind_of

ALONE = 32  # rows
SMALL = 400  # numbers; torch multiplies smaller matrices of a batch by a loop that rounds otherwise
WIDTH = 4  # outputs that are summed side by side, so that more columns change no other's sum


def each_alone(linear: nn.Linear) -> Callable[[Tensor], Tensor]:
    """The layer as if each of a few rows were multiplied by itself; by one call where it can."""
    together, whole, outputs = _apart(linear), linear.forward, len(linear.weight)

    def few(x: Tensor) -> Tensor:
        if together is None:
            return torch.cat([whole(x[i : i + 1]) for i in range(len(x))])
        wide, offset = together
        products = torch.baddbmm(offset, x.unsqueeze(1), wide.expand(len(x), -1, -1))
        return products[:, 0, :outputs]

    return lambda x: few(x) if 1 < len(x) <= ALONE else whole(x)


def _apart(linear: nn.Linear) -> tuple[Tensor, Tensor] | None:
    """Weight (inputs, outputs or more) and bias for `torch.baddbmm` on rows (n, 1, inputs).

    Each row is then rounded as by itself; None where it would not be. Outputs beyond the layer's
    own are 0.
    """
    weight, bias = linear.weight.detach(), linear.bias
    outputs, inputs = weight.shape
    short = -(-SMALL // inputs) - outputs
    more = short if short > 0 and outputs % WIDTH == 0 else 0  # columns of zeros
    if bias is None or inputs * (outputs + more) < SMALL:
        return None
    return functional.pad(weight, (0, 0, 0, more)).t(), functional.pad(bias.detach(), (0, more))


class Statistics(NamedTuple):
    """Observation statistics of stable-baselines3's VecNormalize: features are cut at +-`clip`.

    The arithmetic is NumPy's in the type of `mean`, as there.
    """

    mean: Array
    deviation: Array
    clip: float

    def normalised(self, obs: Array, out: Array | None = None) -> Array:
        """(n, ...) observations, written to `out` where that is given."""
        scaled = obs - self.mean
        scaled /= self.deviation
        # np.clip says the same, but takes five times as long on so few numbers.
        np.maximum(scaled, -self.clip, out=scaled)
        return np.asarray(np.minimum(scaled, self.clip, out=out, casting="same_kind"))


class _Layer(NamedTuple):
    """Place n of each list is for n rows."""

    bias: Tensor
    weights: list[Tensor]  # (n, inputs, outputs or more)
    room: list[Tensor]  # (n, 1, outputs or more)
    outputs: list[Tensor]  # (n, 1, outputs), in the same memory
    then: Callable[[Tensor], Tensor] | None


class Float32Rows:
    """Raw observations (n, k), n from 2 to `ALONE`, to the last layer's numbers (n, outputs).

    All memory is there before, and nothing is looked up that is known before: the calls take the
    time and not the arithmetic. The numbers are overwritten by the next call.
    """

    def __init__(self, layers: Sequence[_Layer], statistics: Statistics | None) -> None:
        self._layers, self._statistics = layers, statistics
        self._inputs = _first(torch.empty(ALONE, 1, layers[0].weights[0].shape[1]))
        self._seen = [rows.numpy()[:, 0] for rows in self._inputs]  # the same memory
        self._numbers = [rows[:, 0] for rows in layers[-1].outputs]

    def __call__(self, obs: Array) -> Tensor:
        n = len(obs)
        if self._statistics is None:
            self._seen[n][:] = obs
        else:
            self._statistics.normalised(obs, out=self._seen[n])
        x = self._inputs[n]
        for bias, weights, room, outputs, then in self._layers:
            torch.baddbmm(bias, x, weights[n], out=room[n])
            x = outputs[n]
            if then is not None:
                then(x)
        return self._numbers[n]


def float32_rows(network: nn.Sequential, statistics: Statistics | None) -> Float32Rows | None:
    """None for networks with other layers than linear ones, each with ReLU or Tanh or none."""
    layers: list[_Layer] = []
    for module in network:
        then = ACTIVATIONS[kind].by_torch if (kind := kind_of(module)) else None
        if isinstance(module, nn.Linear):
            together = _apart(module)
            if together is None:
                return None
            layers.append(_layer(*together, len(module.weight)))
        elif then is not None and layers and layers[-1].then is None:
            layers[-1] = layers[-1]._replace(then=then)
        else:
            return None
    return Float32Rows(layers, statistics) if layers else None


def _layer(weight: Tensor, bias: Tensor, outputs: int) -> _Layer:
    room = _first(torch.empty(ALONE, 1, len(bias)))
    weights = [weight.expand(n, -1, -1) for n in range(ALONE + 1)]
    return _Layer(bias, weights, room, [rows[..., :outputs] for rows in room], None)


def _first(rows: Tensor) -> list[Tensor]:
    """The first n rows, for every n."""
    return [rows[:n] for n in range(len(rows) + 1)]
