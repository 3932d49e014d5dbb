"""The batches of a fit of a network that carries a state: pieces of episodes.

Truncated backpropagation through time (Williams & Peng 1990): episodes are cut into segments of
`truncate` env steps, and gradients go back to the start of a segment, where the state is a
constant. The states there are computed anew, with the weights of then, before each pass over the
data and after every REFRESH batches; in between they are kept, as in R2D2 (Kapturowski et al.
2019), whose stored states are older.

Each pass cuts the episodes at other steps, so that no step is always the first of its segment. Half
of the segments begin with a state of zero, against overfitting: with few episodes the state tells
which of them it is, and a network would learn the labels of each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
FORGOTTEN = 0.5  # share of the segments that begin with a state of zero


@dataclass(frozen=True)
class SegmentBatches:
    """Batches of whole segments, with `batches.size` rows on average, for a fit of `network`."""

    batches: Batches
    truncate: int
    network: Carried

    def of(
        self,
        data: Dataset,
        head: Head,
        prepare: Callable[[Tensor], Tensor],
        device: torch.device,
        rng: Generator,
    ) -> Iterator[tuple[Segments, Tensor]]:
        """Yields segments and the targets of their rows, moved to the device."""
        wanted, states = self.batches.count(len(data)), torch.empty(0)
        while wanted > 0:
            cut = Cut.of(data, self.truncate, int(rng.integers(self.truncate)))
            per_pass = min(math.ceil(len(data) / self.batches.size), len(cut))
            pieces = np.array_split(rng.permutation(len(cut)), per_pass)
            for number, chosen in enumerate(pieces[:wanted]):
                if number % REFRESH == 0:
                    states = self._states(cut, device)
                kept = torch.from_numpy(rng.random(len(chosen)) >= FORGOTTEN).to(device)
                before = states[chosen] * kept[:, None]
                rows, places = cut.rows(chosen)
                places_there = torch.from_numpy(places).to(device)
                seen = Segments(cut.obs(chosen).to(device), before, places_there)
                yield seen, targets_of(head, data, torch.from_numpy(rows)).to(device)
            wanted -= per_pass

    def _states(self, cut: Cut, device: torch.device) -> Tensor:
        """Returns the states before each segment, (s, units); all episodes advance at once."""
        states = torch.zeros(len(cut), self.network.units, device=device)
        longest_first = np.argsort(-cut.lasts, kind="stable")
        firsts, lasts = cut.firsts[longest_first], cut.lasts[longest_first]
        place = np.argsort(longest_first)[cut.episodes]  # of each segment's episode
        state = torch.zeros(len(firsts), self.network.units, device=device)
        for number in range(1, int(lasts[0]) + 1):
            busy = int((lasts >= number).sum())
            before = cut.frames_from(firsts[:busy] + cut.start(number - 1), cut.length(number - 1))
            if before.shape[1]:
                state = self.network.after(before.to(device), state[:busy])
            here = np.flatnonzero(cut.numbers == number)
            states[here] = state[place[here]]
        return states


@dataclass(frozen=True)
class Cut:
    """The s segments that have rows, in e episodes.

    Number 0 of an episode has `phase` steps, which may be none; all others have `truncate`. Segment
    i begins with the frame `begins[i]` and is number `numbers[i]` of the episode `episodes[i]`; its
    rows are `order[bounds[i]:bounds[i + 1]]`. An episode begins with the frame `firsts[j]`, and
    `lasts[j]` is the number of its last segment. `index` are the frames of rows.
    """

    frames: Array
    index: Array
    truncate: int
    phase: int
    begins: Array
    episodes: Array
    numbers: Array
    order: Array
    bounds: Array
    firsts: Array
    lasts: Array

    @classmethod
    def of(cls, data: Dataset, truncate: int, phase: int) -> Cut:
        """Cuts the episodes of rows with pasts."""
        stored = data.stored
        assert isinstance(stored, CompactRows), "a network that carries a state needs pasts"
        frames, index, past = (stored.parts[name] for name in (FRAMES, INDEX, PAST))
        starts = np.maximum(past - (past - phase) % truncate, 0)
        begins, segment = np.unique(index - past + starts, return_inverse=True)
        order = np.argsort(segment, kind="stable")
        bounds = np.searchsorted(segment[order], np.arange(len(begins) + 1))
        one = order[bounds[:-1]]  # a row of each segment
        firsts, episodes = np.unique((index - past)[one], return_inverse=True)
        numbers = (past[one] - phase) // truncate + 1
        lasts = np.zeros(len(firsts), np.int64)
        np.maximum.at(lasts, episodes, numbers)
        cut = begins, episodes, numbers, order, bounds, firsts, lasts
        return cls(frames, index, truncate, phase, *cut)

    def __len__(self) -> int:
        return len(self.begins)

    def start(self, number: int) -> int:
        """Returns the step of an episode with which a segment begins."""
        return max(0, self.phase + (number - 1) * self.truncate)

    def length(self, number: int) -> int:
        """Returns the steps of a segment."""
        return self.truncate if number else self.phase

    def rows(self, chosen: Array) -> tuple[Array, Array]:
        """Returns the r rows of some segments, and their places among the steps of these."""
        counts = self.bounds[chosen + 1] - self.bounds[chosen]
        number = np.repeat(np.arange(len(chosen)), counts)
        within = np.arange(len(number)) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self.order[self.bounds[chosen][number] + within]
        steps = self.index[rows] - self.begins[chosen][number]
        return rows, number * self.truncate + steps

    def obs(self, chosen: Array) -> Tensor:
        """Returns the observations of some segments, (b, truncate, *obs_shape)."""
        return self.frames_from(self.begins[chosen], self.truncate)

    def frames_from(self, begins: Array, k: int) -> Tensor:
        """Returns k frames from each of b; after the end of an episode others follow."""
        steps = np.minimum(begins[:, None] + np.arange(k), len(self.frames) - 1)
        return torch.from_numpy(np.asarray(self.frames[steps]))
