"""A policy: any torch module, called with the sizes of its input and output."""

from torch import Tensor, nn


class TinyNet(nn.Module):
    """A residual network with one hidden layer."""

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, width)
        self.skip = nn.Linear(inputs, outputs)
        self.output = nn.Linear(width, outputs)

    def forward(self, observations: Tensor) -> Tensor:
        """Returns the outputs (n, outputs) of observations (n, inputs)."""
        hidden = self.hidden(observations).tanh()
        return self.output(hidden) + self.skip(observations)
