"""The batches of a fit of a network that carries a state: pieces of episodes.

Truncated backpropagation through time (Williams & Peng 1990): episodes are cut into segments of
`truncate` env steps, and gradients go back to the start of a segment, where the state is a number
like others. These states are computed anew, with the weights of then, before each pass over the
data and after every REFRESH batches; in between they are kept, as in R2D2 (Kapturowski et al.
2019), whose stored states are older.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from dagger_cli.core.compact import CompactRows
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.past import FRAMES, INDEX, PAST
from dagger_cli.core.types import Array
from dagger_cli.networks.carried import Carried, Segments
from dagger_cli.policies.batches import Batches, targets_of
from dagger_cli.policies.heads import Head

REFRESH = 100  # batches


@dataclass(frozen=True)
class SegmentBatches:
    """Batches of whole segments, with `batches.size` rows on average."""

    batches: Batches
    truncate: int
    network: Carried
    data: Dataset

    @property
    def count(self) -> int:
        """Returns the number of batches of a fit."""
        return self.batches.gradient_steps or (self.batches.epochs or 0) * self._per_pass

    def of(
        self, head: Head, device: torch.device, rng: Generator
    ) -> Iterator[tuple[Segments, Tensor]]:
        """Yields segments and the targets of their rows, moved to the device."""
        wanted, states = self.count, torch.empty(0)
        while wanted > 0:
            shuffled = rng.permutation(len(self._cut.begins))
            for number, chosen in enumerate(np.array_split(shuffled, self._per_pass)[:wanted]):
                if number % REFRESH == 0:
                    states = self._states(device)
                yield self._batch(chosen, states, head, device)
            wanted -= self._per_pass

    @property
    def _per_pass(self) -> int:
        return min(math.ceil(len(self.data) / self.batches.size), len(self._cut.begins))

    @cached_property
    def _parts(self) -> tuple[Array, Array, Array]:
        stored = self.data.stored
        assert isinstance(stored, CompactRows), "a network that carries a state needs pasts"
        return stored.parts[FRAMES], stored.parts[INDEX], stored.parts[PAST]

    @cached_property
    def _cut(self) -> _Cut:
        _, index, past = self._parts
        return _cut(index, past, self.truncate)

    def _batch(
        self, chosen: Array, states: Tensor, head: Head, device: torch.device
    ) -> tuple[Segments, Tensor]:
        cut = self._cut
        sizes = cut.bounds[chosen + 1] - cut.bounds[chosen]
        places = np.repeat(cut.bounds[chosen] - np.cumsum(sizes) + sizes, sizes)
        rows = cut.order[places + np.arange(sizes.sum())]
        _, index, _ = self._parts
        begins = cut.begins[chosen]
        steps = index[rows] - np.repeat(begins, sizes)
        flat = np.repeat(np.arange(len(chosen)) * self.truncate, sizes) + steps
        seen = self._obs(begins).to(device), states[chosen], torch.from_numpy(flat).to(device)
        targets = targets_of(head, self.data, torch.from_numpy(rows)).to(device)
        return Segments(*seen), targets

    def _obs(self, begins: Array) -> Tensor:
        """Returns the observations of segments; after the end of an episode others follow."""
        frames, _, _ = self._parts
        steps = np.minimum(begins[:, None] + np.arange(self.truncate), len(frames) - 1)
        return torch.from_numpy(np.asarray(frames[steps]))

    def _states(self, device: torch.device) -> Tensor:
        """Returns the states before each segment, (s, units); all episodes advance at once."""
        cut, network = self._cut, self.network
        states = torch.zeros(len(cut.begins), network.units, device=device)
        episodes = np.argsort(-cut.lasts, kind="stable")  # the longest first
        firsts, lasts = cut.firsts[episodes], cut.lasts[episodes]
        rank = np.argsort(episodes)[cut.episodes]  # of each segment's episode
        state = torch.zeros(len(firsts), network.units, device=device)
        for number in range(1, int(lasts.max(initial=0)) + 1):
            busy = int((lasts >= number).sum())
            begins = firsts[:busy] + (number - 1) * self.truncate
            state = network.after(self._obs(begins).to(device), state[:busy])
            here = np.flatnonzero(cut.numbers == number)
            states[here] = state[rank[here]]
        return states


@dataclass(frozen=True)
class _Cut:
    """s segments with rows: their first frames `begins`, `episodes` and `numbers` in them.

    The rows of segment i are `order[bounds[i]:bounds[i + 1]]`. Of e episodes `firsts` are the
    first frames, and `lasts` the numbers of the last segments.
    """

    begins: Array
    episodes: Array
    numbers: Array
    order: Array
    bounds: Array
    firsts: Array
    lasts: Array


def _cut(index: Array, past: Array, truncate: int) -> _Cut:
    """Cuts the episodes of rows, which are the frames `index` and have `past` ones before them."""
    begin = index - past % truncate
    begins, segment = np.unique(begin, return_inverse=True)
    order = np.argsort(segment, kind="stable")
    bounds = np.searchsorted(segment[order], np.arange(len(begins) + 1))
    one = order[bounds[:-1]]  # a row of each segment
    firsts, episodes = np.unique((index - past)[one], return_inverse=True)
    numbers = (past // truncate)[one]
    lasts = np.zeros(len(firsts), np.int64)
    np.maximum.at(lasts, episodes, numbers)
    return _Cut(begins, episodes, numbers, order, bounds, firsts, lasts)
