"""The batches of a fit: which rows are in each, and how they are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from numpy.random import Generator
from torch import Tensor

from dagger_cli.core.compact import Stored
from dagger_cli.core.dataset import Dataset
from dagger_cli.networks.layers import reader
from dagger_cli.policies.chunk_head import ChunkHead
from dagger_cli.policies.heads import Head
from dagger_cli.policies.joint_head import Joint
from dagger_cli.utils.memmap import will_need

TOGETHER = 8  # batches gathered in one call, to save calls without gathering all targets
PREPARED = 2**17  # numbers; up to so many, all gathered batches are prepared in one call


def targets_of(head: Head, data: Dataset, rows: Tensor | slice) -> Tensor:
    """Returns the targets of some rows for the loss of `head`."""
    labels = torch.from_numpy(data.labels)[rows]
    if data.fatal is None:
        return head.targets(labels)
    assert isinstance(head, Joint | ChunkHead), "only Joint uses unsafe actions"
    return head.targets(labels, torch.from_numpy(data.fatal)[rows])


@dataclass(frozen=True)
class Batches:
    """Batches of `size` rows: `epochs` shuffled passes over them, or `gradient_steps` batches."""

    size: int
    epochs: int | None
    gradient_steps: int | None

    def count(self, n: int) -> int:
        """Returns the number of batches of a fit on n rows."""
        return self.gradient_steps or (self.epochs or 0) * math.ceil(n / self.size)

    def gathered(self, n: int, rng: Generator) -> Iterator[Tensor]:
        """Yields row indices of `TOGETHER` batches: shuffled passes, `count` batches in total."""
        per_pass, wanted = math.ceil(n / self.size), self.count(n)
        while wanted > 0:
            order = torch.from_numpy(rng.permutation(n))
            yield from torch.split(order[: wanted * self.size], TOGETHER * self.size)
            wanted -= per_pass

    def of(
        self,
        data: Dataset,
        head: Head,
        prepare: Callable[[Tensor], Tensor],
        device: torch.device,
        rng: Generator,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields inputs and targets of each batch, moved to the device."""
        obs = reader(data.stored)
        for rows in _fetched(data.stored, self.gathered(len(data), rng)):
            seen = obs(rows).to(device)
            targets = targets_of(head, data, rows).to(device)
            # Large observations would leave the cache between their preparation and their use.
            at_once = seen.numel() <= PREPARED
            inputs = torch.split(prepare(seen) if at_once else seen, self.size)
            for batch, wanted in zip(inputs, torch.split(targets, self.size), strict=True):
                yield batch if at_once else prepare(batch), wanted


def _fetched(obs: Stored, groups: Iterator[Tensor]) -> Iterator[Tensor]:
    """Yields the same groups of row indices; each is prefetched from disk one group ahead."""
    before = None
    for rows in groups:
        will_need(obs, rows.numpy())
        if before is not None:
            yield before
        before = rows
    if before is not None:
        yield before
