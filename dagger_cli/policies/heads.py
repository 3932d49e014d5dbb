"""From a network's outputs to actions, and the loss of those outputs against the expert's answers.

A head is chosen by the action space: `Squashed` for Box, `Categorical` for everything countable.
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
from dagger_cli.policies.own_parts import Loss, own_loss

BOX_LOSSES = ("mse", "huber")
CHOICE_LOSSES = ("cross_entropy", "hinge")
LOSSES: dict[str, Loss] = {
    "mse": functional.mse_loss,
    "huber": functional.huber_loss,
    "cross_entropy": functional.cross_entropy,
    "hinge": functional.multi_margin_loss,
}


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

    def as_module(self) -> nn.Module:
        """`actions` as a torch module, for other programs."""
        ...


def make_head(space: Space, loss: str | Callable[..., Any]) -> Head:
    """The head for an action space; `loss="auto"` takes mse for Box and cross_entropy otherwise.

    A function (outputs, targets) gets for Box numbers (n, k) in units of half the range, and
    otherwise the logits (n, choices) and the choices (n,) of one component after the other.
    Raises ConfigError when the loss does not fit the space.
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
    """Box: tanh into (-1, 1), then onto the bounds; components without both bounds stay linear.

    The loss is taken in units of half the range, so that it means the same in every environment.
    """

    def __init__(self, space: Space, loss: Loss) -> None:
        self.outputs, self._space = space.size, space
        scaled = Scaled(space)
        self.actions = scaled.actions
        self._all_bounded = scaled.all_bounded
        arrays = scaled.bounded, scaled.centre, scaled.half
        self._bounded, self._centre, self._half = map(torch.from_numpy, arrays)
        self._distance = loss

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

    def as_module(self) -> nn.Module:
        return ScaledModule(self._space)


class Categorical:
    """Discrete, MultiDiscrete, MultiBinary: logits for each component, the largest one acts."""

    def __init__(self, space: Space, loss: Loss) -> None:
        self.outputs, self._space = sum(space.sizes), space
        choices = Choices(space)
        self.actions, self._parts = choices.actions, choices.parts
        self._distance = loss

    def targets(self, labels: Array | Tensor) -> Tensor:
        flat = torch.as_tensor(labels, dtype=torch.int64).reshape(len(labels), -1)
        return flat - self._space.start

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        losses = [
            self._distance(outputs[:, part], targets[:, i]) for i, part in enumerate(self._parts)
        ]
        return torch.stack(losses).mean()

    def as_module(self) -> nn.Module:
        return ChoicesModule(self._space)
