"""Table of activations: their names, and functions that compute them.

An agent's card names an activation by its class in torch.nn, as stable-baselines3 archives do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from dagger_cli.core.types import Array

if TYPE_CHECKING:
    from torch import Tensor, nn


class Activation(NamedTuple):
    """Activation; `option` is its name in `policy.activation`, the functions work in place.

    `by_numpy` is for learners, which act in float64, and `by_torch` for agents in float32: the two
    libraries round differently. `backward` maps the gradient of the outputs, and the outputs, to
    the gradient of the inputs, in the memory of the former.
    """

    option: str | None = None
    by_torch: Callable[[Tensor], Tensor] | None = None
    by_numpy: Callable[[Array], Any] | None = None
    backward: Callable[[Tensor, Tensor], Tensor] | None = None


def _relu_backward(gradient: Tensor, outputs: Tensor) -> Tensor:
    import torch

    backward = torch.ops.aten.threshold_backward.grad_input
    return cast("Tensor", backward(gradient, outputs, 0, grad_input=gradient))


def _tanh_backward(gradient: Tensor, outputs: Tensor) -> Tensor:
    import torch

    backward = torch.ops.aten.tanh_backward.grad_input
    return cast("Tensor", backward(gradient, outputs, grad_input=gradient))


ACTIVATIONS: dict[str, Activation] = {
    "ReLU": Activation(
        "relu", lambda x: x.relu_(), lambda x: np.maximum(x, 0.0, out=x), _relu_backward
    ),
    "Tanh": Activation("tanh", lambda x: x.tanh_(), lambda x: np.tanh(x, out=x), _tanh_backward),
    "SiLU": Activation("silu"),
    "GELU": Activation("gelu"),
    "ELU": Activation("elu"),
    # Only in agents:
    **dict.fromkeys(
        (
            *("LeakyReLU", "SELU", "CELU", "Mish", "Softplus", "Softsign", "Sigmoid", "Hardswish"),
            *("Hardsigmoid", "Hardtanh", "ReLU6", "LogSigmoid", "Tanhshrink", "Softshrink"),
            "Identity",
        ),
        Activation(),
    ),
}
OPTIONS = {row.option: kind for kind, row in ACTIVATIONS.items() if row.option is not None}


def activation(kind: str) -> nn.Module:
    """Returns a new module of this kind."""
    from torch import nn

    return cast("nn.Module", getattr(nn, kind)())


def kind_of(module: nn.Module) -> str | None:
    """Returns the kind of an activation; None for any other module."""
    from torch import nn

    name = type(module).__name__
    return name if name in ACTIVATIONS and type(module) is getattr(nn, name) else None
