"""Networks, a loss and an optimizer as a user would write them: nothing of this package."""

from __future__ import annotations

import torch
from torch import nn


class Net(nn.Module):
    """With everything that has a mode or a state: batch norm, dropout, a buffer, no bias."""

    def __init__(self, inputs: int, outputs: int, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.norm, self.dropout = nn.BatchNorm1d(width), nn.Dropout(0.2)
        self.last = nn.Linear(width, outputs, bias=False)
        self.register_buffer("scale", torch.tensor(2.0))
        self.unused = nn.Parameter(torch.ones(3))
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.dtype == torch.float32
        return self.last(self.dropout(torch.relu(self.norm(self.first(x))))) * self.scale


class Plain(nn.Sequential):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs))


def images(inputs: tuple[int, int, int], outputs: int) -> nn.Module:
    channels, _, _ = inputs
    pool = nn.AdaptiveAvgPool2d(4)
    return nn.Sequential(pool, nn.Flatten(), nn.Linear(16 * channels, outputs))


class Double(Plain):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).double()


class Wide(Plain):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs + 1)


class Wrong(Plain):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs + 1, outputs)


def doubled(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return 2 * nn.functional.cross_entropy(outputs, targets)


def each(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(outputs, targets, reduction="none")


class Counting(torch.optim.SGD):
    """Keeps a number, which a checkpoint cannot hold."""

    def step(self, closure=None):
        result = super().step(closure)
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["calls"] = 1
        return result
