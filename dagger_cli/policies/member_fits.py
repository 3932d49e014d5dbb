"""Gradient descent of several small networks at once, each on its own batches of the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.progress import fitted
from dagger_cli.networks.layers import reader
from dagger_cli.networks.member_gradients import MemberGradients
from dagger_cli.policies.batches import targets_of
from dagger_cli.policies.heads import Head


def descend_together(
    members: MemberGradients,
    head: Head,
    step: Callable[[Sequence[Tensor], int], None],
    data: Dataset,
    orders: Sequence[Sequence[Tensor]],
    batch_size: int,
    n_batches: int,
) -> list[float]:
    """Returns the loss of each member; `orders` are row indices, gathered as by `Batches`.

    `step` updates the parameters by the gradients of a batch and its number.
    """
    total, obs, done = torch.zeros(len(orders)), reader(data.stored), 0
    for groups in zip(*orders, strict=True):
        inputs = members.prepare([obs(rows) for rows in groups])
        targets = torch.stack([targets_of(head, data, rows) for rows in groups])
        pairs = (torch.split(x, batch_size, 1) for x in (inputs, targets))
        for seen, wanted in zip(*pairs, strict=True):
            losses, gradients = members.of(seen, wanted)
            step(gradients, done)
            total += losses
            fitted(done, n_batches)
            done += 1
    return (total / n_batches).tolist()
