"""From a network's outputs to actions, and the loss of those outputs against the expert's answers.

A head is chosen by the action space: `Squashed` for Box, `Categorical` for everything countable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space

BOX_LOSSES = ("mse", "huber")
CHOICE_LOSSES = ("cross_entropy", "hinge")


class Head(Protocol):
    """Gives the outputs of a network their meaning."""

    outputs: int

    def actions(self, outputs: Array) -> Array:
        """(n, outputs) -> (n, *action_shape), in the action space's own dtype."""
        ...

    def targets(self, labels: Array | Tensor) -> Tensor:
        """(n, *action_shape) -> what `loss` compares with."""
        ...

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of a batch, a scalar."""
        ...


def make_head(space: Space, loss: str) -> Head:
    """The head for an action space; `loss="auto"` takes mse for Box and cross_entropy otherwise.

    Raises ConfigError when the loss does not fit the space.
    """
    fitting = BOX_LOSSES if space.kind == "box" else CHOICE_LOSSES
    if loss == "auto":
        loss = fitting[0]
    if loss not in (*BOX_LOSSES, *CHOICE_LOSSES):
        known = ", ".join(("auto", *BOX_LOSSES, *CHOICE_LOSSES))
        raise ConfigError(f"policy.loss must be one of {known}; got '{loss}'")
    if loss not in fitting:
        raise ConfigError(
            f"policy.loss={loss} does not fit the {space.kind} actions of this environment; "
            f"use {' or '.join(fitting)}"
        )
    return Squashed(space, loss) if space.kind == "box" else Categorical(space, loss)


class Squashed:
    """Box: tanh into (-1, 1), then onto the bounds; components without both bounds stay linear.

    The loss is taken in units of half the range, so that it means the same in every environment.
    """

    def __init__(self, space: Space, loss: str) -> None:
        low, high = np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)
        bounded, centre, half = space.centre_and_half()
        self.outputs = space.size
        self._space, self._low, self._high = space, low, high
        self._bounded = torch.as_tensor(bounded)
        self._all_bounded = bool(bounded.all())
        self._centre, self._half = (torch.as_tensor(x, dtype=torch.float32) for x in (centre, half))
        self._centres, self._halves = self._centre.numpy(), self._half.numpy()
        self._distance = functional.mse_loss if loss == "mse" else functional.huber_loss

    def _unit(self, outputs: Tensor) -> Tensor:
        squashed = torch.tanh(outputs)
        if self._all_bounded:
            return squashed
        return torch.where(self._bounded.to(outputs.device), squashed, outputs)

    def actions(self, outputs: Array) -> Array:
        unit = np.tanh(outputs)
        if not self._all_bounded:
            unit = np.where(self._bounded.numpy(), unit, outputs)
        unit *= self._halves
        unit += self._centres
        # Rounding may leave the range by one unit in the last place; np.clip is slower.
        inside = np.minimum(np.maximum(unit, self._low), self._high)
        return self._space.cast(inside).reshape(-1, *self._space.shape)

    def targets(self, labels: Array | Tensor) -> Tensor:
        flat = torch.as_tensor(labels, dtype=torch.float32).reshape(len(labels), -1)
        return (flat - self._centre).div_(self._half)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self._distance(self._unit(outputs), targets)


@dataclass(frozen=True)
class _Part:
    """The logits of one component: which outputs, and the number its first choice stands for."""

    outputs: slice
    start: int


class Categorical:
    """Discrete, MultiDiscrete, MultiBinary: logits for each component, the largest one acts."""

    def __init__(self, space: Space, loss: str) -> None:
        self.outputs = sum(space.sizes)
        self._shape, self._dtype = space.shape, space.dtype
        ends = np.cumsum(space.sizes)
        self._parts = [
            _Part(slice(int(end) - size, int(end)), space.start)
            for end, size in zip(ends, space.sizes, strict=True)
        ]
        hinge = functional.multi_margin_loss
        self._distance = functional.cross_entropy if loss == "cross_entropy" else hinge

    def actions(self, outputs: Array) -> Array:
        choices = [outputs[:, p.outputs].argmax(1) + p.start for p in self._parts]
        return np.stack(choices, 1).astype(self._dtype).reshape(-1, *self._shape)

    def targets(self, labels: Array | Tensor) -> Tensor:
        flat = torch.as_tensor(labels, dtype=torch.int64).reshape(len(labels), -1)
        return flat - torch.tensor([part.start for part in self._parts])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        losses = [
            self._distance(outputs[:, part.outputs], targets[:, i])
            for i, part in enumerate(self._parts)
        ]
        return torch.stack(losses).mean()
