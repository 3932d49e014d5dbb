"""The gradient of a batch's loss: by hand for plain networks, by autograd for all others.

Autograd's record of a small network costs more than its products. Written out, the same kernels are
called on the same numbers in the same order, so the bits are autograd's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dagger_cli.networks.modules import Standardise

Loss = Callable[[Tensor, Tensor], Tensor]  # outputs, targets -> a scalar
# Observations, targets -> the loss, and its gradient for each parameter in their order.
Gradient = Callable[[Tensor, Tensor], tuple[Tensor, list[Tensor]]]


def gradient_of(network: nn.Module, loss: Loss, products: torch.dtype | None = None) -> Gradient:
    """To be called under `torch.no_grad`; the network's parameters are read at every call.

    `products`: the type that matrices are multiplied in, None for the parameters' own; the loss
    and the gradients are the parameters' type all the same.
    """
    layers = list(network) if isinstance(network, nn.Sequential) else []
    linears = [m for m in layers[1::2] if isinstance(m, nn.Linear) and m.bias is not None]
    slopes = [_SLOPES[type(m)] for m in layers[2::2] if type(m) in _SLOPES]
    known = len(layers) == 1 + len(linears) + len(slopes)  # and no other layer among them
    known = known and len(linears) == len(slopes) + 1 and products is None
    if known and isinstance(layers[0], Standardise):
        return _by_hand(layers[0], linears, slopes, loss)
    return _by_autograd(network, loss, products)


def _by_autograd(network: nn.Module, loss: Loss, products: torch.dtype | None) -> Gradient:
    parameters = list(network.parameters())

    def gradient(obs: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        with torch.enable_grad():
            with torch.autocast(obs.device.type, products, enabled=products is not None):
                outputs = network(obs)
            value = loss(outputs.to(parameters[-1].dtype), targets)
            return value.detach(), list(torch.autograd.grad(value, parameters))

    return gradient


class _Slope(NamedTuple):
    """An activation that overwrites its input, and what passes back given its outputs."""

    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


_SLOPES: dict[type[nn.Module], _Slope] = {
    nn.ReLU: _Slope(torch.relu_, lambda g, y: torch.ops.aten.threshold_backward(g, y, 0)),
    nn.Tanh: _Slope(torch.tanh_, torch.ops.aten.tanh_backward),
}


def _by_hand(
    first: Standardise, linears: list[nn.Linear], slopes: list[_Slope], loss: Loss
) -> Gradient:
    weights = [layer.weight for layer in linears]
    biases = [layer.bias for layer in linears]

    def gradient(obs: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        inputs = [first(obs)]  # of each linear layer
        for weight, bias, slope in zip(weights, biases, slopes, strict=False):
            inputs.append(slope.forward(torch.addmm(bias, inputs[-1], weight.t())))
        outputs = torch.addmm(biases[-1], inputs[-1], weights[-1].t())
        with torch.enable_grad():
            value = loss(outputs.requires_grad_(), targets)
            (back,) = torch.autograd.grad(value, outputs)
        gradients: list[Tensor] = []
        for i in reversed(range(len(weights))):
            gradients += (back.sum(0), back.t().mm(inputs[i]))
            if i:
                back = slopes[i - 1].backward(back.mm(weights[i]), inputs[i])
        return value.detach(), gradients[::-1]

    return gradient
