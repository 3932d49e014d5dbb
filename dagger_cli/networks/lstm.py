"""Long short-term memory (Hochreiter & Schmidhuber 1997), one step at a time, as torch computes it.

In float64, so that a row's result does not depend on the other rows of its batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.networks.spec import Weights


@dataclass(frozen=True)
class Cell:
    """One layer: weights (4h, d) and (4h, h), bias (4h,); gates in the order input, forget, cell,
    output.
    """

    inputs: Array
    hidden: Array
    bias: Array

    @property
    def size(self) -> int:
        """Number of hidden units."""
        return int(self.hidden.shape[1])

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Returns the next hidden and cell states, (n, size) each."""
        gates = x @ self.inputs.T + h @ self.hidden.T + self.bias
        i, f, g, o = np.split(gates, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        return _sigmoid(o) * np.tanh(c), c


@dataclass(frozen=True)
class Lstm:
    """Layers one after the other; `memory` rows hold h and c of each."""

    cells: tuple[Cell, ...]

    @property
    def memory_size(self) -> int:
        """Numbers of one row's memory."""
        return 2 * sum(cell.size for cell in self.cells)

    def step(self, x: Array, memory: Array) -> tuple[Array, Array]:
        """Returns the outputs (n, size of the last layer) and the next memory (n, memory_size)."""
        kept, begin = [], 0
        for cell in self.cells:
            h, c = (memory[:, begin + k * cell.size :][:, : cell.size] for k in (0, 1))
            x, c = cell.step(x, h, c)
            kept += [x, c]
            begin += 2 * cell.size
        return x, np.concatenate(kept, axis=1)


def lstm_of(weights: Weights) -> Lstm:
    """Builds the layers of torch's `weight_ih_l0`, `weight_hh_l0`, ...; raises ExpertError."""
    cells: list[Cell] = []
    while (name := f"weight_ih_l{len(cells)}") in weights:
        layer = len(cells)
        others = [f"{kind}_l{layer}" for kind in ("weight_hh", "bias_ih", "bias_hh")]
        if not weights.keys() >= set(others):
            raise ExpertError(f"its LSTM lacks arrays of layer {layer}")
        hidden, *biases = (weights[other] for other in others)
        if biases[0].shape != biases[1].shape:
            raise ExpertError(f"the arrays of its LSTM's layer {layer} do not fit together")
        inputs, bias = weights[name], biases[0] + biases[1]
        width = inputs.shape[1] if inputs.ndim == 2 else 0
        size = hidden.shape[1] if hidden.ndim == 2 else 0
        expected = cells[-1].size if cells else width
        if inputs.shape != (4 * size, expected) or hidden.shape != (4 * size, size):
            raise ExpertError(f"the arrays of its LSTM's layer {layer} do not fit together")
        if bias.shape != (4 * size,) or not size:
            raise ExpertError(f"the arrays of its LSTM's layer {layer} do not fit together")
        cells.append(Cell(*(np.asarray(a, np.float64) for a in (inputs, hidden, bias))))
    if not cells or len(weights) != 4 * len(cells):
        raise ExpertError("it has an LSTM of an unsupported form")
    return Lstm(tuple(cells))


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (np.tanh(0.5 * x) + 1.0))
