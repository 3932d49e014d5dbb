"""The layers of a network as plain functions, looked up once and not at every step.

Sums in float32 depend on how rows are batched, and a walker amplifies the last digit into a fall.
So up to `ALONE` rows, what environments are stepped with, are each multiplied by themselves: an
episode is the same alone or beside others, and the one that stable-baselines3 plays. More rows,
whose labels are asked for, are one product, as in its `predict`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from dagger_cli.networks.spec import ACTIVATIONS, Layer, Spec, under

Function = Callable[[Tensor], Tensor]

ALONE = 32  # rows
CUT = 10.0  # students see no feature further than this many deviations from its mean
SMALL = 400  # numbers; torch multiplies smaller matrices of a batch by a loop that rounds otherwise
WIDTH = 4  # outputs that are summed side by side, so that more columns change nobody's sum


def functions(spec: Spec, tensors: dict[str, Tensor]) -> list[Function]:
    """One for each of `spec.layers`; `tensors` are named as in the weights of an agent."""
    named = [under(tensors, f"layers.{i}.") for i in range(len(spec.layers))]
    return [
        _function(layer, mine, spec.double) for layer, mine in zip(spec.layers, named, strict=True)
    ]


def _function(layer: Layer, mine: dict[str, Tensor], double: bool) -> Function:
    if layer.kind == "Flatten":
        return partial(torch.flatten, start_dim=1)
    if layer.kind in ACTIVATIONS:
        module: nn.Module = getattr(nn, layer.kind)()
        return module.forward  # nothing hooks into it, and calling the module costs more than tanh
    if layer.kind == "Standardise":
        mean, std = mine["mean"], mine["std"]
        return lambda x: ((x - mean) / std).clamp_(-CUT, CUT)
    weight, bias = mine["weight"], mine.get("bias")
    if layer.kind == "Linear":
        whole = partial(functional.linear, weight=weight, bias=bias)
        return whole if double else _each_alone(whole, weight, bias)
    if layer.kind == "Conv2d":
        return partial(functional.conv2d, weight=weight, bias=bias, stride=layer.stride)
    mean, scale, offset = mine["mean"], (mine["variance"] + layer.epsilon).sqrt(), mine["bias"]
    return lambda x: weight * ((x - mean) / scale) + offset


def apart(weight: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor] | None:
    """Weight (inputs, outputs or more) and bias for `torch.baddbmm` on rows (n, 1, inputs).

    Each row is then rounded as by itself; None where it would not be. Outputs beyond the layer's
    own are 0.
    """
    outputs, inputs = weight.shape
    short = -(-SMALL // inputs) - outputs
    more = short if short > 0 and outputs % WIDTH == 0 else 0  # columns of zeros
    if bias is None or inputs * (outputs + more) < SMALL:
        return None
    return functional.pad(weight, (0, 0, 0, more)).t(), functional.pad(bias, (0, more))


def _each_alone(whole: Function, weight: Tensor, bias: Tensor | None) -> Function:
    """As if each of a few rows were multiplied by itself, by one call where that rounds alike."""
    together = apart(weight, bias)

    def few(x: Tensor) -> Tensor:
        if together is None:
            return torch.cat([whole(x[i : i + 1]) for i in range(len(x))])
        wide, offset = together
        products = torch.baddbmm(offset, x.unsqueeze(1), wide.expand(len(x), -1, -1))
        return products[:, 0, : len(weight)]

    return lambda x: few(x) if 1 < len(x) <= ALONE else whole(x)
