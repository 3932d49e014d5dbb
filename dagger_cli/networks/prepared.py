"""Network defined by the user, with the preprocessing of observations in front of it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.one_hot import encodes
from dagger_cli.core.types import Space
from dagger_cli.networks.layers import OneHot, Pixels, Standardise


class Floats(nn.Module):
    """Maps observations (n, ...) to float32 rows (n, d)."""

    def forward(self, obs: Tensor) -> Tensor:
        return obs.reshape(obs.shape[0], -1).to(torch.float32)


class Prepared(nn.Module):
    """Preprocessing and the user's network; computes in float32 in fits and rollouts."""

    draws = True  # the user's layers may be random in a fit, e.g. dropout

    def __init__(self, observations: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.observations, self.network = observations, network

    def forward(self, obs: Tensor) -> Tensor:
        features = self.observations(obs)
        try:
            outputs: Tensor = self.network(features)
        except Exception as err:  # the user's code may raise anything
            reason = f"{type(err).__name__}: {' '.join(str(err).split())[:200]}"
            raise ConfigError(
                f"policy.network={type(self.network).__name__} failed on float32 inputs of shape "
                f"{tuple(features.shape)} ({reason})"
            ) from err
        return outputs


def prepared(
    observations: Space,
    outputs: int,
    make: Callable[..., nn.Module],
    *,
    normalize: bool,
    one_hot: bool,
) -> Prepared:
    """Calls `make(inputs=..., outputs=...)`; raises ConfigError where it returns no module.

    `inputs` is the number of features, or (channels, height, width) of uint8 images.
    """
    images = len(observations.shape) == 3 and observations.dtype == "uint8"
    view: nn.Module = Standardise(observations.size) if normalize else Floats()
    inputs: int | tuple[int, ...] = observations.size
    if encodes(observations, one_hot):
        view, inputs = OneHot(observations), sum(observations.sizes)
    if images:
        a, b, c = observations.shape
        view = pixels = Pixels((a, b, c))
        inputs = pixels.size
    try:
        network = make(inputs=inputs, outputs=outputs)
    except Exception as err:  # the user's code may raise anything
        raise ConfigError(
            f"policy.network cannot be created with inputs={inputs} and outputs={outputs} "
            f"({type(err).__name__}: {' '.join(str(err).split())[:200]}): it must be a class or a "
            "function that takes inputs=, outputs= and the keys of policy.network, and returns a "
            "torch.nn.Module"
        ) from err
    if not isinstance(network, nn.Module):
        raise ConfigError(
            f"policy.network must be a torch.nn.Module, got a {type(network).__name__}"
        )
    made = Prepared(view, network)
    if any(map(is_lazy, network.parameters())):  # torch.nn.LazyLinear and the like
        with torch.no_grad():
            made.eval()(torch.zeros(2, *observations.shape))
        made.train()
    _give_own_memory(network)
    return made


def _give_own_memory(network: nn.Module) -> None:
    """Copies parameters that are a part of a larger array, such as every second column.

    The optimizers' kernels would take the numbers between for the parameter's own.
    """
    for parameter in network.parameters():
        own = torch.empty_like(parameter)  # without gaps, otherwise with the same strides
        if own.stride() != parameter.stride():
            parameter.data = own.detach().copy_(parameter.data)


def check_outputs(network: Prepared, observations: Space, outputs: int) -> None:
    """Raises ConfigError where the network does not return (n, outputs) float32."""
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError("policy.network has no parameters to fit")
    blank = torch.zeros(2, *observations.shape, dtype=torch.float32)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        given = network.eval()(blank)
    if not isinstance(given, Tensor):
        raise ConfigError(f"policy.network must return a tensor, got a {type(given).__name__}")
    if given.shape != (2, outputs) or given.dtype != torch.float32:
        raise ConfigError(
            f"policy.network must return {outputs} float32 numbers per row (its outputs=), but got "
            f"{str(given.dtype).removeprefix('torch.')} of shape {tuple(given.shape)} for 2 rows"
        )
