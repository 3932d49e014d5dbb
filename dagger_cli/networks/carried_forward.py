"""Inference of a network that carries a state: one step of it for a row whose past is known.

What a policy does in a row depends on the observations of its episode up to there, and on nothing
else. The states after the last call are kept, so that in a roll-out each call takes one step; rows
that it was not asked for, such as those in which the expert acted, are caught up on. In float64, as
networks/forward.py says.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.compact import CompactRows, Stored
from dagger_cli.core.past import FRAMES, INDEX, PAST
from dagger_cli.core.types import Array
from dagger_cli.networks.carried import Carried
from dagger_cli.networks.layers import Standardise
from dagger_cli.networks.modules import dense
from dagger_cli.networks.small_batch_float64 import MOST, Float64Layers, standardised_by, takes

KEPT = 4  # times as many episodes as in the last call


class CarriedForward:
    """Function from rows with their pasts to outputs (n, k); `network` must not change."""

    def __init__(self, network: Carried) -> None:
        self._inputs = standardised_by(network.first)
        self._cell, self._last = _Cell(network.cells), _in_float64(network.last)
        self._frames: Array | None = None
        self._known: dict[int, tuple[int, Array]] = {}  # by the first frame of the episode

    def __call__(self, rows: Stored) -> Array:
        assert isinstance(rows, CompactRows), "a policy that carries a state needs rows with a past"
        states = self._states(rows.parts[FRAMES], rows.parts[INDEX], rows.parts[PAST])
        return self._last(np.concatenate([states, self._inputs(np.asarray(rows))], axis=1))

    def by_torch(self, rows: Stored) -> Tensor:
        """Returns the same as a tensor."""
        return torch.from_numpy(self(rows))

    def _states(self, frames: Array, index: Array, past: Array) -> Array:
        """Returns the states after the frames `index` (n,), (n, units)."""
        if frames is not self._frames:
            self._frames, self._known = frames, {}
        firsts, run = np.unique(index - past, return_inverse=True)
        ends = np.full(len(firsts), -1)
        np.maximum.at(ends, run, index)
        earliest = np.full(len(firsts), len(frames))
        np.minimum.at(earliest, run, index)
        at, states = firsts - 1, np.zeros((len(firsts), self._cell.size))
        for i, first in enumerate(firsts.tolist()):
            known = self._known.get(first)
            if known is not None and known[0] <= earliest[i]:
                at[i], states[i] = known
        found = self._run(frames, at, states, ends, index, run)
        for first, end, state in zip(firsts.tolist(), ends.tolist(), states, strict=True):
            self._known.pop(first, None)  # so that the oldest ones are first
            self._known[first] = end, state
        for first in list(self._known)[: -KEPT * len(firsts)]:
            del self._known[first]
        return found

    def _run(
        self, frames: Array, at: Array, states: Array, ends: Array, index: Array, run: Array
    ) -> Array:
        """Advances `states` from the frames `at` to `ends` (e,), and returns those of the rows.

        Row i is the frame `index[i]` of the episode `run[i]`. All episodes advance at once.
        """
        ahead = index - at[run]  # steps until a row
        rows = np.argsort(ahead, kind="stable")
        longest = int((ends - at).max(initial=0))
        bounds = np.searchsorted(ahead[rows], np.arange(longest + 2))
        found = np.empty((len(index), states.shape[1]))
        due = rows[: bounds[1]]
        found[due] = states[run[due]]
        busy = np.arange(len(at))
        for step in range(1, longest + 1):
            busy = busy[ends[busy] - at[busy] >= step]
            inputs = self._inputs(frames[at[busy] + step])
            states[busy] = self._cell(inputs, states[busy])
            due = rows[bounds[step] : bounds[step + 1]]
            found[due] = states[run[due]]
        return found


class _Cell:
    """Gated recurrent units as torch computes them, in float64."""

    def __init__(self, cells: nn.GRU) -> None:
        self.size = cells.hidden_size
        arrays = {name: part.double().numpy() for name, part in cells.state_dict().items()}
        self._inputs, self._hidden = (
            np.ascontiguousarray(arrays[name].T) for name in ("weight_ih_l0", "weight_hh_l0")
        )
        self._bias, self._hidden_bias = arrays["bias_ih_l0"], arrays["bias_hh_l0"]
        self._most = max(1, MOST // max(self._inputs.size, self._hidden.size))  # rows

    def __call__(self, x: Array, h: Array) -> Array:
        """Returns the next states (n, size)."""
        if len(x) > self._most:
            pieces = range(0, len(x), self._most)
            return np.concatenate(
                [self(x[i : i + self._most], h[i : i + self._most]) for i in pieces]
            )
        size = self.size
        seen, kept = x @ self._inputs + self._bias, h @ self._hidden + self._hidden_bias
        gates = seen[:, : 2 * size] + kept[:, : 2 * size]
        gates *= 0.5
        np.tanh(gates, out=gates)
        gates += 1.0
        gates *= 0.5
        reset, update = gates[:, :size], gates[:, size:]
        new = np.tanh(seen[:, 2 * size :] + reset * kept[:, 2 * size :])
        return np.asarray(new + update * (h - new))


def _in_float64(layers: nn.Sequential) -> Callable[[Array], Array]:
    """Returns linear layers and activations as a function of arrays (n, d)."""
    plain = dense(nn.Sequential(Standardise(1), *layers))
    by_numpy = Float64Layers(plain) if plain is not None and takes(plain) else None
    double: Any = deepcopy(layers).double()

    def outputs(x: Array) -> Array:
        if by_numpy is not None and len(x) <= by_numpy.most:
            return by_numpy(x)
        with torch.inference_mode():
            found: Array = double(torch.from_numpy(x)).numpy()
        return found

    return outputs
