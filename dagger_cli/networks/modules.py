"""Network architectures: fully connected (linear without hidden layers) and the Nature CNN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.one_hot import encodes
from dagger_cli.core.types import PICTURE, Space
from dagger_cli.core.values import at_least
from dagger_cli.networks.activations import ACTIVATIONS, OPTIONS, Activation, activation, kind_of
from dagger_cli.networks.layers import OneHot, Pixels, Standardise, StandardPixels

MOST_LAYERS = 1000


def mlp(
    observations: Space, outputs: int, sizes: Sequence[int], option: str, *, one_hot: bool = False
) -> nn.Sequential:
    """Creates a network: input, one hidden layer per entry of `sizes`, linear output.

    The input is standardized, or with `one_hot` one feature per choice of finite observations.
    Raises ConfigError as `hidden_layers`.
    """
    first: nn.Module
    if encodes(observations, one_hot):
        first, width = OneHot(observations), sum(observations.sizes)
    else:
        first, width = Standardise(observations.size), observations.size
    return nn.Sequential(first, *hidden_layers(width, outputs, sizes, option))


def hidden_layers(width: int, outputs: int, sizes: Sequence[int], option: str) -> list[nn.Module]:
    """Creates a hidden layer per entry of `sizes`, with its activation, and a linear output.

    Raises ConfigError for an unknown activation `option` or sizes below 1.
    """
    if option not in OPTIONS:
        raise ConfigError(f"policy.activation must be one of {', '.join(OPTIONS)}; got '{option}'")
    if any(size < 1 for size in sizes):
        raise ConfigError(f"policy.sizes must be positive whole numbers, got {list(sizes)}")
    if len(sizes) > MOST_LAYERS:
        raise ConfigError(f"policy.sizes has {len(sizes)} layers, at most {MOST_LAYERS} are made")
    layers: list[nn.Module] = []
    for size in sizes:
        layers += [nn.Linear(width, size), activation(OPTIONS[option])]
        width = size
    return [*layers, nn.Linear(width, outputs)]


class Dense(NamedTuple):
    """Layers of a network made by `mlp`: linear ones with an activation between each two."""

    first: Standardise | OneHot
    linears: list[nn.Linear]
    activations: list[nn.Module]

    def rows(self) -> list[Activation]:
        """Returns the entries of its activations in the table ACTIVATIONS."""
        return [ACTIVATIONS[str(kind_of(module))] for module in self.activations]


def dense(network: nn.Module) -> Dense | None:
    """Returns the layers of a fully connected network; None for any other."""
    if not isinstance(network, nn.Sequential) or len(network) % 2:
        return None
    first, *rest = network
    linears = [m for m in rest[::2] if type(m) is nn.Linear and m.bias is not None]
    activations = [m for m in rest[1::2] if kind_of(m) is not None]
    if not isinstance(first, Standardise | OneHot) or len(linears) + len(activations) < len(rest):
        return None
    return Dense(first, linears, activations)


def cnn(
    observations: Space,
    outputs: int,
    channels: Sequence[int] = (32, 64, 64),
    units: int = 512,
    *,
    normalize: bool = False,
) -> nn.Sequential:
    """Creates the network of Mnih et al. 2015 (Nature), or with these sizes a narrower one.

    With `normalize` every pixel is standardized, otherwise scaled to [0, 1]. Raises ConfigError
    where observations are not uint8 images with sides of PICTURE pixels or more, and where
    `channels` are not three positive numbers or `units` is below 1.
    """
    if len(channels) != 3 or min(channels) < 1:
        raise ConfigError(
            "policy.channels must be three positive whole numbers, one per convolution, got "
            f"{list(channels)}; the Nature CNN has [32,64,64]"
        )
    at_least("policy.units", units, 1, 512)
    if len(observations.shape) != 3 or observations.dtype != "uint8":
        raise ConfigError(
            f"policy=cnn needs uint8 images (height, width, channels), but observations are "
            f"{observations.dtype} of shape {observations.shape}; use policy=mlp, or view=pixels"
        )
    shape = (observations.shape[0], observations.shape[1], observations.shape[2])
    pixels = StandardPixels(shape) if normalize else Pixels(shape)
    images, height, width = pixels.size
    if min(height, width) < PICTURE:
        raise ConfigError(
            f"policy=cnn needs images of at least {PICTURE} x {PICTURE} pixels, got {height} x "
            f"{width}; use policy=mlp, or larger ones (such as view.pixels=84)"
        )
    rows, columns = (
        ((side - 8) // 4 - 3) // 2 - 1 for side in (height, width)
    )  # of the last feature map
    first, second, third = channels
    return nn.Sequential(
        pixels,
        *(nn.Conv2d(images, first, 8, stride=4), nn.ReLU()),
        *(nn.Conv2d(first, second, 4, stride=2), nn.ReLU()),
        *(nn.Conv2d(second, third, 3, stride=1), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(third * rows * columns, units), nn.ReLU()),
        nn.Linear(units, outputs),
    )


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Initializes linear, convolutional and recurrent layers as torch does, from `generator`."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            assert layer.bias is not None
            bound = 1 / math.sqrt(layer.weight[0].numel())
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
        elif isinstance(layer, nn.GRU):
            bound = 1 / math.sqrt(layer.hidden_size)
            for parameter in layer.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
