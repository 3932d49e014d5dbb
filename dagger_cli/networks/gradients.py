"""Gradient of a batch's loss: explicit for fully connected networks, by autograd for others.

In a small network autograd's overhead exceeds the time of the products, and in a large one pages of
new arrays cost as much. The explicit version calls the same kernels in the same order, with
bit-identical results, and writes to the same arrays in every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from dagger_cli.networks.carried import Segments
from dagger_cli.networks.modules import Dense, dense


class Gradient(NamedTuple):
    """Gradient of a network's loss; call both under `torch.no_grad`.

    `prepare` maps observations (n, *obs_shape) of any number of batches to inputs, and `of` maps a
    batch of inputs, or `Segments`, and targets to the loss and its gradient for each parameter in
    their order. They read the network's current parameters. The next call may write to the same
    gradients.
    """

    prepare: Callable[[Tensor], Tensor]
    of: Callable[[Any, Tensor], tuple[Tensor, list[Tensor]]]


class LossOfOutputs(Protocol):
    """Mean loss of a batch, as action heads have it (policies/heads.py)."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the loss of outputs (n, k), a scalar."""
        ...

    def gradient(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the loss and its gradient for the outputs; called under `torch.no_grad`."""
        ...


def gradient_of(
    network: nn.Module, loss: LossOfOutputs, products: torch.dtype | None = None
) -> Gradient:
    """Returns functions that compute loss and gradients, of the parameters' type and layout.

    `products` is the type of matrix products, None for the parameters' type.
    """
    plain = explicit(network)
    if plain is not None and products is None:
        return _by_hand(plain, loss)
    return _by_autograd(network, loss, products)


def explicit(network: nn.Module) -> Dense | None:
    """Returns the layers of a network whose gradient is computed without autograd, else None."""
    plain = dense(network)
    known = plain is not None and all(row.backward for row in plain.rows())
    return plain if known else None


def trainable(network: nn.Module) -> list[nn.Parameter]:
    """Returns the parameters that a fit updates, in the order of the gradients."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _by_autograd(network: nn.Module, loss: LossOfOutputs, products: torch.dtype | None) -> Gradient:
    parameters = trainable(network)

    def gradient(obs: Tensor | Segments, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        with torch.enable_grad():
            with torch.autocast(obs.device.type, products, enabled=products is not None):
                outputs = network(obs)
            value = loss.loss(outputs.to(parameters[-1].dtype), targets)
            found = torch.autograd.grad(value, parameters, materialize_grads=True)
            return value.detach(), [
                in_layout_of(p, g) for p, g in zip(parameters, found, strict=True)
            ]

    return Gradient(lambda obs: obs, gradient)


def in_layout_of(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Returns the tensor with its elements in the order in memory of those of the parameter.

    The optimizers' kernels ignore strides. A convolution's gradient has the layout of its input:
    where the channels of the images are last in memory, they are last in the gradient.
    """
    if tensor.stride() == parameter.stride():
        return tensor
    return torch.empty_like(parameter).copy_(tensor)


def _by_hand(network: Dense, loss: LossOfOutputs) -> Gradient:
    weights = [layer.weight for layer in network.linears]
    biases = [layer.bias for layer in network.linears]
    forward = [row.by_torch for row in network.rows() if row.by_torch]
    backward = [row.backward for row in network.rows() if row.backward]
    turned = [weight.t() for weight in weights]
    of_weights, of_biases = _like(weights), _like(biases)
    gradients = [one for pair in zip(of_weights, of_biases, strict=True) for one in pair]
    arrays = cache(lambda n: _Arrays.of(weights, n))

    def gradient(first: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        here = arrays(len(first))
        inputs = [first, *here.outputs[:-1]]  # of each linear layer
        for i, outputs in enumerate(here.outputs):
            torch.addmm(biases[i], inputs[i], turned[i], out=outputs)
            if i < len(forward):
                forward[i](outputs)
        value, back = loss.gradient(here.outputs[-1], targets)
        for i in reversed(range(len(weights))):
            torch.sum(back, 0, out=of_biases[i])
            torch.mm(back.t(), inputs[i], out=of_weights[i])
            if i:
                below = torch.mm(back, weights[i], out=here.backs[i - 1])
                back = backward[i - 1](below, inputs[i])
        return value, gradients

    return Gradient(network.first, gradient)


class _Arrays(NamedTuple):
    """Outputs (n, units) of each layer, and the gradients for those of the hidden ones."""

    outputs: list[Tensor]
    backs: list[Tensor]

    @classmethod
    def of(cls, weights: Sequence[Tensor], n: int) -> _Arrays:
        """Allocates them for batches of n rows."""
        outputs = [weight.new_empty(n, len(weight)) for weight in weights]
        return cls(outputs, _like(outputs[:-1]))


def _like(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [torch.empty_like(tensor, requires_grad=False) for tensor in tensors]
