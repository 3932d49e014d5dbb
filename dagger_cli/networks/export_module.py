"""A student as one torch module: raw observations in, actions and the network's outputs out."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array
from dagger_cli.networks.agent_files import Agent
from dagger_cli.networks.layers import CUT
from dagger_cli.networks.spec import ACTIVATIONS, Layer, Spec, Weights, under


class StudentModule(nn.Module):
    """Counts in float32 whatever the student did, as other programs do.

    (n, *obs_shape) of the observation space's own type to `actions` (n, *action_shape), float32
    for Box and int64 for all others, and `outputs` (n, k), what the last layer gave.
    """

    def __init__(self, agent: Agent) -> None:
        super().__init__()
        self.spec = agent.spec
        layers = [
            _module(layer, under(agent.weights, f"layers.{i}."))
            for i, layer in enumerate(agent.spec.layers)
        ]
        self.body = nn.Sequential(*layers)
        self.head: nn.Module = (
            _Scaled(agent.spec) if agent.spec.head.kind == "scaled" else _Choices(agent.spec)
        )

    def forward(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        if self.spec.channels_last:
            obs = obs.permute(0, 3, 1, 2)
        outputs = self.body(obs.to(torch.float32) / self.spec.scale)
        return self.head(outputs), outputs


def _module(layer: Layer, arrays: Weights) -> nn.Module:
    if layer.kind == "Flatten":
        return nn.Flatten()
    if layer.kind in ACTIVATIONS:
        return cast(nn.Module, getattr(nn, layer.kind)())
    if layer.kind == "Standardise":
        return _Standardise(arrays["mean"], arrays["std"])
    tensors = {name: torch.tensor(np.asarray(value, np.float32)) for name, value in arrays.items()}
    weight = tensors["weight"]
    made: nn.Module
    if layer.kind == "Linear":
        made = nn.Linear(weight.shape[1], weight.shape[0])
    else:
        size = (int(weight.shape[2]), int(weight.shape[3]))
        made = nn.Conv2d(weight.shape[1], weight.shape[0], size, stride=layer.stride)
    made.load_state_dict(tensors)
    return made


class _Standardise(nn.Module):
    mean: Tensor
    std: Tensor

    def __init__(self, mean: Array, std: Array) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32))

    def forward(self, obs: Tensor) -> Tensor:
        return ((obs.flatten(1) - self.mean) / self.std).clamp(-CUT, CUT)


class _Scaled(nn.Module):
    """tanh onto the bounds where an action has both, and never beyond them."""

    centre: Tensor
    reach: Tensor
    low: Tensor
    high: Tensor
    bounded: Tensor

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        space = spec.action_space
        bounded, centre, half = space.centre_and_half()
        arrays = {"centre": centre, "reach": half, "low": space.low, "high": space.high}
        for name, array in arrays.items():
            self.register_buffer(name, torch.tensor(array, dtype=torch.float32))
        self.register_buffer("bounded", torch.tensor(bounded))
        self.shape, self.whole = space.shape, space.whole

    def forward(self, outputs: Tensor) -> Tensor:
        unit = torch.where(self.bounded, torch.tanh(outputs), outputs)
        inside = torch.clamp(unit * self.reach + self.centre, self.low, self.high)
        if self.whole:
            inside = torch.round(inside)
        return inside.reshape(-1, *self.shape)


class _Choices(nn.Module):
    """The largest output of each component."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.sizes, self.start = list(spec.action_space.sizes), spec.action_space.start
        self.shape = spec.action_space.shape

    def forward(self, outputs: Tensor) -> Tensor:
        parts = torch.split(outputs, self.sizes, dim=1)
        choices = torch.stack([part.argmax(dim=1) + self.start for part in parts], dim=1)
        return choices.reshape(-1, *self.shape)
