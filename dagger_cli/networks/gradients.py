"""Gradient of a batch's loss: explicit for fully connected networks, by autograd for others.

In a small network autograd's overhead exceeds the time of the products. The explicit version calls
the same kernels in the same order, with bit-identical results.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dagger_cli.networks.modules import Dense, dense

Loss = Callable[[Tensor, Tensor], Tensor]  # outputs, targets -> a scalar
# Observations, targets -> the loss, and its gradient for each parameter in their order.
Gradient = Callable[[Tensor, Tensor], tuple[Tensor, list[Tensor]]]


def gradient_of(network: nn.Module, loss: Loss, products: torch.dtype | None = None) -> Gradient:
    """Returns a function that computes loss and gradients; call it under `torch.no_grad`.

    It reads the network's current parameters at every call. `products` is the type of matrix
    products, None for the parameters' type; loss and gradients have the parameters' type.
    """
    plain = dense(network)
    if plain is not None and products is None and all(row.backward for row in plain.rows()):
        return _by_hand(plain, loss)
    return _by_autograd(network, loss, products)


def trainable(network: nn.Module) -> list[nn.Parameter]:
    """Returns the parameters that a fit updates, in the order of the gradients."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _by_autograd(network: nn.Module, loss: Loss, products: torch.dtype | None) -> Gradient:
    parameters = trainable(network)

    def gradient(obs: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        with torch.enable_grad():
            with torch.autocast(obs.device.type, products, enabled=products is not None):
                outputs = network(obs)
            value = loss(outputs.to(parameters[-1].dtype), targets)
            return value.detach(), list(
                torch.autograd.grad(value, parameters, materialize_grads=True)
            )

    return gradient


def _by_hand(network: Dense, loss: Loss) -> Gradient:
    weights = [layer.weight for layer in network.linears]
    biases = [layer.bias for layer in network.linears]
    forward = [row.by_torch for row in network.rows() if row.by_torch]
    backward = [row.backward for row in network.rows() if row.backward]

    def gradient(obs: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        inputs = [network.first(obs)]  # of each linear layer
        for weight, bias, activate in zip(weights, biases, forward, strict=False):
            inputs.append(activate(torch.addmm(bias, inputs[-1], weight.t())))
        outputs = torch.addmm(biases[-1], inputs[-1], weights[-1].t())
        with torch.enable_grad():
            value = loss(outputs.requires_grad_(), targets)
            (back,) = torch.autograd.grad(value, outputs)
        gradients: list[Tensor] = []
        for i in reversed(range(len(weights))):
            gradients += (back.sum(0), back.t().mm(inputs[i]))
            if i:
                back = backward[i - 1](back.mm(weights[i]), inputs[i])
        return value.detach(), gradients[::-1]

    return gradient
