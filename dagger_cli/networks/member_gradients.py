"""Gradients of several fully connected networks of equal shape at once, each on its own batch.

One batched product takes the place of one product per network, as calls dominate the time of small
ones. Otherwise as gradients.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from dagger_cli.networks.gradients import LossOfOutputs, explicit


class MemberGradients:
    """Stacked weights of k networks; `parameters` are each network's, in their order, as views.

    `take_back` copies them into the networks.
    """

    def __init__(self, networks: Sequence[nn.Module], loss: LossOfOutputs) -> None:
        plain = [found for network in networks if (found := explicit(network)) is not None]
        assert len(plain) == len(networks), "a network has no explicit gradient"
        self._networks, self._loss = plain, loss
        layers = list(zip(*(network.linears for network in plain), strict=True))
        self._weights = [torch.stack([layer.weight.detach() for layer in row]) for row in layers]
        self._biases = [torch.stack([layer.bias.detach() for layer in row]) for row in layers]
        rows = plain[0].rows()
        self._forward = [row.by_torch for row in rows if row.by_torch]
        self._backward = [row.backward for row in rows if row.backward]
        self._of_weights, self._of_biases = (
            [torch.empty_like(tensor) for tensor in tensors]
            for tensors in (self._weights, self._biases)
        )
        self.parameters = self._by_member(self._weights, self._biases)
        self._gradients = self._by_member(self._of_weights, self._of_biases)
        self._outputs = lru_cache(maxsize=2)(self._allocated)

    def prepare(self, obs: Sequence[Tensor]) -> Tensor:
        """Returns the inputs (k, n, d) of observations, (n, ...) for each network."""
        pairs = zip(self._networks, obs, strict=True)
        return torch.stack([network.first(rows) for network, rows in pairs])

    def of(self, inputs: Tensor, targets: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Returns the losses (k,) of a batch (k, n, ...), and a gradient for each parameter."""
        arrays = self._outputs(inputs.shape[1])
        layers = [inputs, *arrays[:-1]]
        for i, outputs in enumerate(arrays):
            bias, weight = self._biases[i].unsqueeze(1), self._weights[i].transpose(1, 2)
            torch.baddbmm(bias, layers[i], weight, out=outputs)
            if i < len(self._forward):
                self._forward[i](outputs)
        found = [self._loss.gradient(*pair) for pair in zip(arrays[-1], targets, strict=True)]
        back = torch.stack([gradient for _, gradient in found])
        for i in reversed(range(len(arrays))):
            torch.sum(back, 1, out=self._of_biases[i])
            torch.bmm(back.transpose(1, 2), layers[i], out=self._of_weights[i])
            if i:
                back = self._backward[i - 1](torch.bmm(back, self._weights[i]), layers[i])
        return torch.stack([value for value, _ in found]), self._gradients

    def take_back(self) -> None:
        """Copies the parameters into the networks."""
        parameters = iter(self.parameters)
        for network in self._networks:
            for layer in network.linears:
                layer.weight.copy_(next(parameters))
                layer.bias.copy_(next(parameters))

    def _by_member(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> list[Tensor]:
        pairs = list(zip(weights, biases, strict=True))
        return [one[k] for k in range(len(self._networks)) for pair in pairs for one in pair]

    def _allocated(self, n: int) -> list[Tensor]:
        """Returns arrays (k, n, units) for the outputs of each layer."""
        return [weight.new_empty(len(weight), n, weight.shape[1]) for weight in self._weights]
