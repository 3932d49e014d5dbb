"""A few rows through a plain network of float32, each as by itself (see layers.py).

Environments ask for few rows at every step, and there the calls take the time and not the
arithmetic: so all memory is there before, and nothing is looked up that is known before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from dagger_cli.core.types import Array
from dagger_cli.networks.layers import ALONE, apart
from dagger_cli.networks.spec import Spec, Weights, under

IN_PLACE: dict[str, Callable[[Tensor], Tensor]] = {"Tanh": torch.tanh_, "ReLU": torch.relu_}


class _Layer(NamedTuple):
    """Place n of each list is for n rows."""

    bias: Tensor
    weights: list[Tensor]  # (n, inputs, outputs or more)
    room: list[Tensor]  # (n, 1, outputs or more)
    outputs: list[Tensor]  # (n, 1, outputs), in the same memory
    then: Callable[[Tensor], Tensor] | None


class FewRows:
    """Raw observations (n, k), n from 2 to `most`, to the last layer's numbers (n, outputs).

    The numbers are overwritten by the next call.
    """

    most = ALONE

    def __init__(
        self, inputs: int, layers: Sequence[_Layer], statistics: tuple[Array, Array, float] | None
    ) -> None:
        self._layers = layers
        self._statistics = statistics  # mean, deviation, and where to clip
        self._inputs = _first(torch.empty(ALONE, 1, inputs))
        self._seen = [rows.numpy()[:, 0] for rows in self._inputs]  # the same memory
        self._numbers = [rows[:, 0] for rows in layers[-1].outputs]

    def __call__(self, obs: Array) -> Tensor:
        n = len(obs)
        if self._statistics is None:
            self._seen[n][:] = obs
        else:
            mean, deviation, clip = self._statistics
            scaled = obs - mean
            scaled /= deviation
            np.maximum(scaled, -clip, out=scaled)
            np.minimum(scaled, clip, out=self._seen[n], casting="same_kind")
        x = self._inputs[n]
        for bias, weights, room, outputs, then in self._layers:
            torch.baddbmm(bias, x, weights[n], out=room[n])
            x = outputs[n]
            if then is not None:
                then(x)
        return self._numbers[n]


def few_rows(spec: Spec, weights: Weights, tensors: dict[str, Tensor]) -> FewRows | None:
    """None for networks that are not plain; `tensors` are the weights in float32."""
    space = spec.observation_space
    if spec.double or space.kind != "box" or len(space.shape) != 1 or spec.scale != 1.0:
        return None
    layers: list[_Layer] = []
    for i, layer in enumerate(spec.layers):
        if layer.kind == "Linear":
            own = under(tensors, f"layers.{i}.")
            together = apart(own["weight"], own.get("bias"))
            if together is None:
                return None
            layers.append(_layer(*together, len(own["weight"])))
        elif layer.kind in IN_PLACE and layers and layers[-1].then is None:
            layers[-1] = layers[-1]._replace(then=IN_PLACE[layer.kind])
        else:
            return None
    statistics = None
    if spec.clip is not None:
        deviation = np.sqrt(weights["variance"] + spec.epsilon)
        statistics = weights["mean"], deviation, spec.clip
    return FewRows(space.size, layers, statistics) if layers else None


def _layer(weight: Tensor, bias: Tensor, outputs: int) -> _Layer:
    room = _first(torch.empty(ALONE, 1, len(bias)))
    weights = [weight.expand(n, -1, -1) for n in range(ALONE + 1)]
    return _Layer(bias, weights, room, [rows[..., :outputs] for rows in room], None)


def _first(rows: Tensor) -> list[Tensor]:
    """The first n rows, for every n."""
    return [rows[:n] for n in range(len(rows) + 1)]
