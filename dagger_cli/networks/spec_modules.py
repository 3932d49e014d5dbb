"""Conversion of a `Spec` and weights to a torch module, and of a learner's module to a `Spec`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array, Space
from dagger_cli.networks.activations import ACTIVATIONS, activation, kind_of
from dagger_cli.networks.layers import BatchRenorm, OneHot, Pixels, Standardise
from dagger_cli.networks.spec import Head, Layer, Spec, Weights, under


def sequential(spec: Spec, weights: Weights) -> nn.Sequential:
    """Creates a module for each of `spec.layers`; raises KeyError where weights are missing."""
    dtype = torch.float64 if spec.double else torch.float32
    tensors = {name: torch.tensor(value, dtype=dtype) for name, value in weights.items()}
    with torch.random.fork_rng(devices=[]):  # new layers draw weights, replaced below
        made = [
            _module(layer, under(tensors, f"layers.{i}."), spec.observation_space)
            for i, layer in enumerate(spec.layers)
        ]
    return nn.Sequential(*made).eval().to(dtype)


def _module(layer: Layer, own: dict[str, Tensor], observations: Space) -> nn.Module:
    if layer.kind == "OneHot":
        return OneHot(observations)
    if layer.kind == "Flatten":
        return nn.Flatten()
    if layer.kind in ACTIVATIONS:
        return activation(layer.kind)
    if layer.kind == "Standardise":
        standardise = Standardise(1)
        standardise.mean, standardise.std = own["mean"], own["std"]
        return standardise
    if layer.kind == "BatchRenorm":
        renorm = BatchRenorm(layer.epsilon)
        for name in ("weight", "bias", "mean", "variance"):
            renorm.register_buffer(name, own[name])
        return renorm
    linear = layer.kind == "Linear"
    module: Any = nn.Linear(1, 1) if linear else nn.Conv2d(1, 1, 1, stride=layer.stride)
    weight, bias = own["weight"], own.get("bias")
    module.weight = nn.Parameter(weight, requires_grad=False)
    module.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
    made: nn.Module = module
    return made


def spec_of(
    network: nn.Module | None, observations: Space, actions: Space
) -> tuple[Spec, dict[str, Array]] | None:
    """Returns the spec and weights of a network made by `mlp` or `cnn`; None for any other."""
    modules = list(network) if isinstance(network, nn.Sequential) else []
    if not modules:
        return None
    images = isinstance(modules[0], Pixels)
    channels_last = images and modules[0].channels_last
    layers, weights = [], {}
    for i, module in enumerate(modules[1:] if images else modules):
        layer = _layer(module)
        if layer is None:
            return None
        layers.append(layer)
        for name, tensor in module.state_dict().items():
            weights[f"layers.{i}.{name}"] = np.ascontiguousarray(tensor.numpy())
    spec = Spec(
        observation_space=replace(observations, low=(), high=()),
        action_space=actions,
        layers=tuple(layers),
        head=Head("scaled" if actions.kind == "box" else "categorical"),
        scale=255.0 if images else 1.0,
        channels_last=bool(channels_last),
        double=not images,
    )
    return spec, weights


def _layer(module: nn.Module) -> Layer | None:
    kind = kind_of(module) or type(module).__name__
    if kind_of(module) or type(module) in (nn.Linear, nn.Flatten, Standardise, OneHot):
        return Layer(kind)
    if type(module) is nn.Conv2d:
        return Layer(kind, stride=int(module.stride[0]))
    return None
