"""Action head for chunks: several predictions of one action, made in successive steps.

Action chunking with transformers (ACT; Zhao, Kumar, Levine & Finn 2023, sections 4.1 and 4.2): the
network predicts the next k actions in every step, and each action is the average of the k
predictions for it (temporal ensembling). Differs from the paper: the predictions are computed anew
from the last k observations, so nothing is kept between steps; a sample of the loss is one action
with its k predictions in place of one observation with its k labels, which over whole episodes is
the same sum; predictions are known by the step count, not by being other than zero; those of i
steps ago weigh exp(-decay * i). The paper's weight exp(-m * i) counts i from the oldest prediction,
which is decay = -m here.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from dagger_cli.core.types import Array
from dagger_cli.networks.exported import ChunkModule, ensemble_weights
from dagger_cli.policies.heads import Head, SingleHead
from dagger_cli.policies.joint_head import Joint
from dagger_cli.policies.loss_gradients import by_autograd
from dagger_cli.policies.ranges import check_ranges


def with_chunk(head: SingleHead, chunk: int, decay: float) -> Head:
    """Returns the head for `chunk` predictions of each action; `head` itself for one.

    Raises ConfigError for invalid values.
    """
    check_ranges({"chunk": chunk, "chunk_decay": decay})
    return head if chunk == 1 else ChunkHead(head, chunk, decay)


def single(head: Head) -> Head:
    """Returns the head of one prediction."""
    return head.one if isinstance(head, ChunkHead) else head


class ChunkHead:
    """Head for outputs (n, outputs + 1) of `Chunked`, with one head for all predictions.

    Its actions are the weighted mean of the predicted ones, of finite spaces the likeliest by the
    mean of their probabilities. Its loss is the mean over all predictions of a batch; those that
    would be from before the start of an episode are left out of both.
    """

    def __init__(self, one: SingleHead, chunk: int, decay: float) -> None:
        self.one, self.outputs = one, chunk * one.outputs
        self._chunk, self._weights = chunk, ensemble_weights(chunk, decay)
        self.gradient = by_autograd(self.loss)

    def actions(self, outputs: Array) -> Array:
        """Maps outputs (n, outputs + 1) to actions (n, *action_shape)."""
        return self.one.decided(self._mean(outputs))

    def log_probabilities(self, outputs: Array) -> Array:
        """Returns the logarithm of the mean probabilities (n, choices) of a finite space."""
        return np.asarray(np.log(self._mean(outputs)))

    def _mean(self, outputs: Array) -> Array:
        predictions = outputs[:, :-1].reshape(len(outputs), self._chunk, -1)
        past = np.minimum(np.maximum(outputs[:, -1], 0), self._chunk - 1)
        weights = self._weights[past.astype(np.int64)]
        return np.asarray((self.one.averaged(predictions) * weights[:, :, None]).sum(1))

    def targets(self, labels: Array | Tensor, fatal: Array | Tensor | None = None) -> Tensor:
        """Maps labels (n, *action_shape) to targets; every prediction has the same."""
        if fatal is None:
            return self.one.targets(labels)
        assert isinstance(self.one, Joint), "only Joint uses unsafe actions"
        return self.one.targets(labels, fatal)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the mean loss of all predictions of a batch."""
        n, chunk = len(outputs), self._chunk
        predictions = outputs[:, :-1].reshape(n, chunk, -1)
        there = torch.arange(chunk, device=outputs.device) <= outputs[:, -1:]
        each = targets[:, None].expand(n, chunk, *targets.shape[1:])
        return self.one.loss(predictions[there], each[there])

    def as_module(self) -> nn.Module:
        return ChunkModule(self.one.as_module(), self._weights)
