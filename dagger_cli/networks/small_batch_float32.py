"""Inference of an agent in float32 on small batches, with results independent of the batch size.

float32 results depend on the batch size, and BipedalWalker amplifies the last digit into a fall.
Batches of up to `ALONE` rows, which environments are stepped with, are therefore multiplied row by
row: an episode does not depend on the number of slots, and equals that of stable-baselines3. Larger
batches, which are only labelled, use one product, as in its `predict`.
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
SMALL = 400  # weights; for smaller matrices torch.baddbmm uses a loop that rounds differently
WIDTH = 4  # outputs summed side by side; after a multiple of it, added columns change no sum


def each_alone(linear: nn.Linear) -> Callable[[Tensor], Tensor]:
    """Returns the layer as a function that multiplies small batches row by row.

    This takes one call where `_apart` allows it.
    """
    together, whole, outputs = _apart(linear), linear.forward, len(linear.weight)

    def few(x: Tensor) -> Tensor:
        if together is None:
            return torch.cat([whole(x[i : i + 1]) for i in range(len(x))])
        wide, offset = together
        products = torch.baddbmm(offset, x.unsqueeze(1), wide.expand(len(x), -1, -1))
        return products[:, 0, :outputs]

    return lambda x: few(x) if 1 < len(x) <= ALONE else whole(x)


def _apart(linear: nn.Linear) -> tuple[Tensor, Tensor] | None:
    """Returns weight (inputs, outputs or more) and bias for `torch.baddbmm` on (n, 1, inputs).

    Each row is rounded as in a batch of one; None where it would not be. Added outputs are 0.
    """
    weight, bias = linear.weight.detach(), linear.bias
    outputs, inputs = weight.shape
    short = -(-SMALL // inputs) - outputs
    more = short if short > 0 and outputs % WIDTH == 0 else 0  # columns of zeros
    if bias is None or inputs * (outputs + more) < SMALL:
        return None
    return functional.pad(weight, (0, 0, 0, more)).t(), functional.pad(bias.detach(), (0, more))


class Statistics(NamedTuple):
    """Observation statistics of stable-baselines3's VecNormalize, clipped to +-`clip`.

    Computed by NumPy in the type of `mean`, as in VecNormalize.
    """

    mean: Array
    deviation: Array
    clip: float

    def normalised(self, obs: Array, out: Array | None = None) -> Array:
        """Returns normalized observations (n, ...), written to `out` where it is given."""
        scaled = obs - self.mean
        scaled /= self.deviation
        # Equal to np.clip, which takes five times as long on small arrays.
        np.maximum(scaled, -self.clip, out=scaled)
        return np.asarray(np.minimum(scaled, self.clip, out=out, casting="same_kind"))


class _Layer(NamedTuple):
    """Buffers of a layer; entry n of each list is for n rows."""

    bias: Tensor
    weights: list[Tensor]  # (n, inputs, outputs or more)
    room: list[Tensor]  # (n, 1, outputs or more)
    outputs: list[Tensor]  # (n, 1, outputs), in the same memory
    then: Callable[[Tensor], Tensor] | None


class Float32Rows:
    """Function from raw observations (n, k), n from 2 to `ALONE`, to outputs (n, outputs).

    Buffers and views are allocated in advance, as calls dominate the time. The next call
    overwrites the result.
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
    """Returns the function, or None where layers are not linear, each with ReLU, Tanh or none."""
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
    """Returns a view of the first n rows, for every n."""
    return [rows[:n] for n in range(len(rows) + 1)]
