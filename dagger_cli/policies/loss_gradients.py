"""Gradients of the losses of torch.nn.functional, by the kernels that autograd calls.

Autograd's overhead on the outputs of a small network is half the time of its matrix products. The
results are bit-identical to autograd's, which all other losses use.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

Loss = Callable[[Tensor, Tensor], Tensor]  # outputs, targets -> their mean loss
# Outputs, targets -> the loss, and its gradient for the outputs; called under `torch.no_grad`.
LossGradient = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

_ATEN = torch.ops.aten
_MEAN, _ALL = 1, -100  # codes of reduction="mean" and of the default ignore_index


def gradient_of_loss(loss: Loss) -> LossGradient:
    """Returns a function that computes the loss and its gradient for the outputs."""
    return _EXPLICIT.get(loss) or by_autograd(loss)


def by_autograd(loss: Loss) -> LossGradient:
    """Returns the same function for any differentiable loss."""

    def gradient(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            inputs = outputs.detach().requires_grad_()
            value = loss(inputs, targets)
            (back,) = torch.autograd.grad(value, inputs)
        return value.detach(), back

    return gradient


def tanh_backward(gradient: Tensor, outputs: Tensor) -> Tensor:
    """Returns the gradient for the inputs of tanh, given that for its outputs (n, k)."""
    return cast("Tensor", _ATEN.tanh_backward.default(gradient, outputs))


@cache
def _one(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Returns the gradient of a loss for itself."""
    return torch.ones((), dtype=dtype, device=device)


def _mse(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    value = _ATEN.mse_loss.default(outputs, targets, _MEAN)
    back = _ATEN.mse_loss_backward.default(
        _one(outputs.dtype, outputs.device), outputs, targets, _MEAN
    )
    return value, back


def _huber(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    value = _ATEN.huber_loss.default(outputs, targets, _MEAN, 1.0)
    back = _ATEN.huber_loss_backward.default(
        _one(outputs.dtype, outputs.device), outputs, targets, _MEAN, 1.0
    )
    return value, back


def _cross_entropy(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    logs = torch.log_softmax(outputs, 1)
    value, weight = _ATEN.nll_loss_forward.default(logs, targets, None, _MEAN, _ALL)
    back = _ATEN.nll_loss_backward.default(
        _one(outputs.dtype, outputs.device), logs, targets, None, _MEAN, _ALL, weight
    )
    return value, _ATEN._log_softmax_backward_data.default(back, logs, 1, logs.dtype)


_EXPLICIT: dict[Loss, LossGradient] = {
    functional.mse_loss: _mse,
    functional.huber_loss: _huber,
    functional.cross_entropy: _cross_entropy,
}
