"""The function classes: fully connected networks (none hidden: linear) and the Nature CNN."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Space

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "elu": nn.ELU,
}


PIECE = 16_384  # rows
CUT = 10.0  # deviations; networks/layers.py has the same for students that are experts


class Standardise(nn.Module):
    """(x - mean) / std, cut off at +-CUT so that a rare feature cannot flood the network."""

    mean: Tensor
    std: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))

    def forward(self, obs: Tensor) -> Tensor:
        flat = obs.reshape(len(obs), -1).to(self.mean.dtype)
        return ((flat - self.mean) / self.std).clamp(-CUT, CUT)

    def take(self, obs: Tensor) -> None:
        """Set the statistics to those of all rows; a feature that never varies keeps its scale."""
        # In pieces and in one scratch: the rows in float64 may need more memory than there is, and
        # temporary arrays of this size leave holes between what is kept that are not given back.
        pieces = [piece.reshape(len(piece), -1) for piece in torch.split(obs, PIECE)]
        scratch = torch.empty(pieces[0].shape, dtype=torch.float64)
        total, squares = (torch.zeros_like(self.mean, dtype=torch.float64) for _ in range(2))
        for piece in pieces:
            total += scratch[: len(piece)].copy_(piece).sum(0)
        mean = total / len(obs)
        for piece in pieces:
            apart = scratch[: len(piece)].copy_(piece).sub_(mean)
            squares += apart.square_().sum(0)
        std = (squares / len(obs)).sqrt()
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6, std, torch.ones_like(std)))


def mlp(observations: Space, outputs: int, sizes: Sequence[int], activation: str) -> nn.Sequential:
    """Standardised input, then a hidden layer for each of `sizes`, then a linear output."""
    if activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ConfigError(f"policy.activation must be one of {known}; got '{activation}'")
    if any(size < 1 for size in sizes):
        raise ConfigError(f"policy.sizes must be positive whole numbers, got {list(sizes)}")
    layers: list[nn.Module] = [Standardise(observations.size)]
    width = observations.size
    for size in sizes:
        layers += [nn.Linear(width, size), ACTIVATIONS[activation]()]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, outputs))


class _Pixels(nn.Module):
    """uint8 images, channels last or first, to float (n, channels, height, width) in [0, 1]."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        # Fewer channels than pixels a side tells which axis they are on, as SB3 does it.
        self.channels_last = shape[2] < shape[0]
        height, width, channels = shape if self.channels_last else (*shape[1:], shape[0])
        self.size = (channels, height, width)

    def forward(self, obs: Tensor) -> Tensor:
        images = obs.permute(0, 3, 1, 2) if self.channels_last else obs
        return images.to(torch.float32) / 255.0


def cnn(observations: Space, outputs: int) -> nn.Sequential:
    """The network of Mnih et al. 2015 (Nature): three convolutions and 512 units."""
    if len(observations.shape) != 3 or observations.dtype != "uint8":
        raise ConfigError(
            f"policy=cnn needs uint8 images (height, width, channels), but observations are "
            f"{observations.dtype} of shape {observations.shape}; use policy=mlp"
        )
    a, b, c = observations.shape
    pixels = _Pixels((a, b, c))
    channels, height, width = pixels.size
    if min(height, width) < 36:
        raise ConfigError(
            f"policy=cnn needs images of at least 36 x 36 pixels, got {height} x {width}; "
            "use policy=mlp"
        )
    body = nn.Sequential(
        pixels,
        *(nn.Conv2d(channels, 32, 8, stride=4), nn.ReLU()),
        *(nn.Conv2d(32, 64, 4, stride=2), nn.ReLU()),
        *(nn.Conv2d(64, 64, 3, stride=1), nn.ReLU()),
        nn.Flatten(),
    )
    with torch.no_grad():
        features = body(torch.zeros(1, a, b, c, dtype=torch.uint8)).shape[1]
    return nn.Sequential(*body, nn.Linear(features, 512), nn.ReLU(), nn.Linear(512, outputs))


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Torch's own default initialisation, from a generator instead of the global seed."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            assert layer.bias is not None
            bound = 1 / math.sqrt(layer.weight[0].numel())
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
