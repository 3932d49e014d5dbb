"""Layers missing in torch: observation preprocessing, and CrossQ's batch renormalization."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.compact import CompactRows, Stored
from dagger_cli.core.one_hot import OneHotRows
from dagger_cli.core.types import Array, Space

PIECE, IMAGES = 16_384, 256  # rows, of numbers and of images
CUT = 10.0  # standard deviations


class Select(nn.Module):
    """Some components of flat observations: (n, size) to (n, k)."""

    index: Tensor

    def __init__(self, index: Array) -> None:
        super().__init__()
        self.register_buffer("index", torch.tensor(index, dtype=torch.int64))

    def forward(self, obs: Tensor) -> Tensor:
        return obs[:, self.index]


class Standardise(nn.Module):
    """(x - mean) / std, clipped to +-CUT so that a rare feature cannot dominate the input."""

    mean: Tensor
    std: Tensor

    def __init__(self, size: int, piece: int = PIECE) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("std", torch.ones(size))
        self._piece = piece

    def forward(self, obs: Tensor) -> Tensor:
        # `shape[0]`, as `len` would become a constant in an exported network.
        flat = obs.reshape(obs.shape[0], -1).to(self.mean.dtype)
        return (flat - self.mean).div_(self.std).clamp_(-CUT, CUT)

    def take(self, rows: Stored | Tensor, columns: Array | None = None) -> None:
        """Sets mean and std from all rows (n, ...); the std of a constant feature is set to 1.

        `columns` are the numbers of a row that are standardized, None for all.
        """
        # In pieces, with one buffer: all rows in float64 may exceed the memory, and temporary
        # arrays of this size fragment the heap, which is then not returned to the system.
        size = min(len(rows), self._piece)
        scratch = torch.empty((size, len(self.mean)), dtype=torch.float64)
        total, squares = (torch.zeros_like(self.mean, dtype=torch.float64) for _ in range(2))
        for piece in _pieces(rows, size, columns):
            total += scratch[: len(piece)].copy_(piece).sum(0)
        mean = total / len(rows)
        for piece in _pieces(rows, size, columns):
            apart = scratch[: len(piece)].copy_(piece).sub_(mean)
            squares += apart.square_().sum(0)
        std = (squares / len(rows)).sqrt()
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6, std, torch.ones_like(std)))


def reader(rows: Stored | Tensor) -> Callable[[Tensor | slice], Tensor]:
    """Returns a function that reads rows by their numbers (n,) or a slice, as a tensor."""
    if isinstance(rows, CompactRows):
        compact = rows
        return lambda chosen: torch.from_numpy(np.asarray(compact[_numpy(chosen)]))
    array = torch.as_tensor(rows)
    return lambda chosen: (
        array[chosen] if isinstance(chosen, slice) else array.index_select(0, chosen)
    )


def _numpy(rows: Tensor | slice) -> Any:
    return rows if isinstance(rows, slice) else rows.numpy()


def _pieces(rows: Stored | Tensor, size: int, columns: Array | None) -> Iterator[Tensor]:
    read = reader(rows)
    for begin in range(0, len(rows), size):
        piece = read(slice(begin, begin + size))
        flat = piece.reshape(len(piece), -1)
        yield flat if columns is None else flat[:, columns]


class OneHot(nn.Module):
    """One feature per choice, see one_hot.py: (n, *obs_shape) to (n, features) of its dtype."""

    component: Tensor
    choice: Tensor
    one: Tensor

    def __init__(self, space: Space) -> None:
        super().__init__()
        self.space = space
        rows = OneHotRows(space, bool)
        # Not saved: the space determines them. `one` takes part in conversions to another dtype.
        for name, array in (("component", rows.component), ("choice", rows.choice)):
            self.register_buffer(name, torch.tensor(array.tolist()), persistent=False)
        self.register_buffer("one", torch.ones(()), persistent=False)

    def forward(self, obs: Tensor) -> Tensor:
        flat = obs.reshape(obs.shape[0], -1).to(torch.int64)
        return (flat[:, self.component] == self.choice).to(self.one.dtype)

    def in_numpy(self, dtype: Any) -> OneHotRows:
        """Returns the same function in NumPy."""
        return OneHotRows(self.space, dtype)


class Pixels(nn.Module):
    """Maps uint8 images, channels last or first, to (n, channels, height, width) in [0, 1].

    In memory channels are last: convolutions are faster then.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        # Channels are last where the last axis is smaller than the first, as in SB3.
        self.channels_last = shape[2] < shape[0]
        height, width, channels = shape if self.channels_last else (*shape[1:], shape[0])
        self.size = (channels, height, width)

    def forward(self, obs: Tensor) -> Tensor:
        images = obs.permute(0, 3, 1, 2) if self.channels_last else obs
        return images.to(torch.float32, memory_format=torch.channels_last) / 255.0


class StandardPixels(nn.Module):
    """Maps uint8 images as Pixels does, but standardizes every pixel.

    So what never changes is 0, and a small thing that moves is as large a number as any.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        images = Pixels(shape)
        self.shape, self.size, self.channels_last = shape, images.size, images.channels_last
        self.standard = Standardise(math.prod(shape), IMAGES)

    def forward(self, obs: Tensor) -> Tensor:
        images: Tensor = self.standard(obs).reshape(obs.shape[0], *self.shape)
        if self.channels_last:
            return images.permute(0, 3, 1, 2)
        return images.contiguous(memory_format=torch.channels_last)


class BatchRenorm(nn.Module):
    """Batch renormalization in evaluation mode, with constant running statistics."""

    weight: Tensor
    bias: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, epsilon: float) -> None:
        super().__init__()
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        scale = (self.variance + self.epsilon).sqrt()
        return self.weight * ((x - self.mean) / scale) + self.bias
