"""Action heads: map a network's outputs to actions, and compute the imitation loss.

The action space determines the head: `Squashed` for Box, `Categorical` for all other spaces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space
from dagger_cli.networks.action_heads import Choices, Scaled
from dagger_cli.networks.exported import ChoicesModule, ScaledModule
from dagger_cli.policies.loss_gradients import Loss, by_autograd, gradient_of_loss, tanh_backward
from dagger_cli.policies.own_parts import own_loss

BOX_LOSSES = ("mse", "huber")
CHOICE_LOSSES = ("cross_entropy", "hinge")
LOSSES: dict[str, Loss] = {
    "mse": functional.mse_loss,
    "huber": functional.huber_loss,
    "cross_entropy": functional.cross_entropy,
    "hinge": functional.multi_margin_loss,
}


class Head(Protocol):
    """Action head; `outputs` is the number of network outputs that it needs."""

    outputs: int

    def actions(self, outputs: Array) -> Array:
        """Maps outputs (n, outputs) to actions (n, *action_shape) of the space's dtype."""
        ...

    def targets(self, labels: Array | Tensor) -> Tensor:
        """Maps labels (n, *action_shape) to the targets of `loss`."""
        ...

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the mean loss of a batch, a scalar."""
        ...

    def gradient(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Returns `loss` and its gradient for the outputs; called under `torch.no_grad`."""
        ...

    def as_module(self) -> nn.Module:
        """Returns `actions` as a torch module, for export."""
        ...


class SingleHead(Head, Protocol):
    """Head whose outputs can be averaged over several predictions of one action."""

    def averaged(self, outputs: Array) -> Array:
        """Maps outputs (..., outputs) to what is averaged, of the same shape."""
        ...

    def decided(self, averages: Array) -> Array:
        """Maps averages (n, outputs), which it may overwrite, to actions (n, *action_shape)."""
        ...


def make_head(space: Space, loss: str | Callable[..., Any]) -> SingleHead:
    """Creates the head for an action space; `loss="auto"` is mse for Box, else cross_entropy.

    A loss function gets outputs and targets: for Box both (n, k) in units of half the range,
    otherwise logits (n, choices) and choices (n,), in one call per component.
    Raises ConfigError where the loss is unknown or does not fit the space.
    """
    if not isinstance(loss, str):
        own = own_loss(loss)
        return Squashed(space, own) if space.kind == "box" else Categorical(space, own)
    fitting = BOX_LOSSES if space.kind == "box" else CHOICE_LOSSES
    if loss == "auto":
        loss = fitting[0]
    if loss not in (*BOX_LOSSES, *CHOICE_LOSSES):
        known = ", ".join(("auto", *BOX_LOSSES, *CHOICE_LOSSES))
        raise ConfigError(
            f"policy.loss must be one of {known}; got '{loss}' (a function of your own: "
            "policy.loss._target_=my_pkg.my_loss)"
        )
    if loss not in fitting:
        raise ConfigError(
            f"policy.loss={loss} does not fit the {space.kind} actions of this environment; "
            f"use {' or '.join(fitting)}"
        )
    return (Squashed if space.kind == "box" else Categorical)(space, LOSSES[loss])


class Squashed:
    """Head for Box: tanh, scaled to the bounds; components without both bounds stay linear.

    The loss is in units of half the range, which makes it comparable between environments.
    """

    def __init__(self, space: Space, loss: Loss) -> None:
        self.outputs, self._space = space.size, space
        scaled = Scaled(space)
        self.actions, self.averaged, self.decided = scaled.actions, scaled.unit, scaled.scaled
        self._all_bounded = scaled.all_bounded
        arrays = scaled.bounded, scaled.centre, scaled.half
        self._bounded, self._centre, self._half = map(torch.from_numpy, arrays)
        self._distance, self._distance_gradient = loss, gradient_of_loss(loss)

    def _unit(self, outputs: Tensor) -> Tensor:
        squashed = torch.tanh(outputs)
        if self._all_bounded:
            return squashed
        return torch.where(self._bounded.to(outputs.device), squashed, outputs)

    def targets(self, labels: Array | Tensor) -> Tensor:
        flat = torch.as_tensor(labels, dtype=torch.float32).reshape(len(labels), -1)
        return (flat - self._centre).div_(self._half)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self._distance(self._unit(outputs), targets)

    def gradient(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        unit = self._unit(outputs)
        value, back = self._distance_gradient(unit, targets)
        squashed = tanh_backward(back, unit)
        if self._all_bounded:
            return value, squashed
        return value, torch.where(self._bounded.to(outputs.device), squashed, back)

    def as_module(self) -> nn.Module:
        return ScaledModule(self._space)


class Categorical:
    """Head for Discrete, MultiDiscrete, MultiBinary: logits and argmax for each component."""

    def __init__(self, space: Space, loss: Loss) -> None:
        self.outputs, self._space = sum(space.sizes), space
        choices = Choices(space)
        self.actions = self.decided = choices.actions
        self.averaged, self._parts = choices.probabilities, choices.parts
        self._distance, self._distance_gradient = loss, gradient_of_loss(loss)
        self._by_autograd = by_autograd(self.loss)

    def targets(self, labels: Array | Tensor) -> Tensor:
        flat = torch.as_tensor(labels, dtype=torch.int64).reshape(len(labels), -1)
        return flat - self._space.start

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        losses = [
            self._distance(outputs[:, part], targets[:, i]) for i, part in enumerate(self._parts)
        ]
        return torch.stack(losses).mean()

    def gradient(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        if len(self._parts) == 1:
            return self._distance_gradient(outputs, targets[:, 0])
        return self._by_autograd(outputs, targets)

    def as_module(self) -> nn.Module:
        return ChoicesModule(self._space)
