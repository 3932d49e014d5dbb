"""Loss of a fitted network on all rows, without gradients."""

from __future__ import annotations

import numpy as np
import torch

from dagger_cli.core.dataset import Dataset
from dagger_cli.networks.carried import Carried
from dagger_cli.networks.layers import reader
from dagger_cli.policies.batches import targets_of
from dagger_cli.policies.heads import Head
from dagger_cli.policies.torch_policy import TorchPolicy
from dagger_cli.utils.memmap import at_random, will_need

LOSS_ROWS = 8192  # computed at once


def mean_loss(policy: TorchPolicy, head: Head, data: Dataset) -> float:
    """Returns the mean loss over all rows."""
    if isinstance(policy.network, Carried):
        outputs = policy.outputs.by_torch(data.stored)
        return float(head.loss(outputs, targets_of(head, data, slice(None))))
    obs, total = reader(data.stored), 0.0
    will_need(data.stored, np.arange(len(data)))
    with torch.inference_mode(), at_random(data.stored):
        for start in range(0, len(data), LOSS_ROWS):
            rows = slice(start, start + LOSS_ROWS)
            outputs = policy.network(obs(rows))
            batch = head.loss(outputs, targets_of(head, data, rows))
            total += float(batch) * len(outputs)
    return total / len(data)
