"""The head that answers with one of all combinations, and can be told which of them are fatal.

A head a component (heads.py) says how likely each button is; this one says how likely each set of
buttons is. So it can mind what a set does: what an expert calls fatal in a state is to have no
probability there, whatever the label is.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dagger_cli.core.actions import all_actions
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space
from dagger_cli.networks.exported import TableModule


class Joint:
    """Logits for each of the K actions of a countable space, the largest one acts.

    The loss is the label's cross entropy plus `unsafe_penalty` times -log(1 - p), where p is the
    summed probability of all unsafe actions.
    """

    def __init__(self, space: Space, unsafe_penalty: float) -> None:
        if space.kind == "box":
            raise ConfigError(
                "policy=scene answers with one of several choices, and this environment's actions "
                "are continuous; use policy=mlp"
            )
        if not unsafe_penalty >= 0:
            raise ConfigError(
                f"policy.unsafe_penalty must be 0 or more, got {unsafe_penalty}; try 150"
            )
        self._actions = all_actions(space, instead="use policy=mlp")
        self._sizes, self._start, self.unsafe_penalty = space.sizes, space.start, unsafe_penalty
        self.outputs = len(self._actions)

    def actions(self, outputs: Array) -> Array:
        """(n, K) -> (n, *action_shape)"""
        return np.asarray(self._actions[outputs.argmax(1)])

    def targets(self, labels: Array | Tensor, fatal: Array | Tensor | None = None) -> Tensor:
        """(n, 1 + K): which action the label is, and for each action whether it is fatal.

        A state in which every action is fatal teaches nothing: none is marked there.
        """
        parts = np.asarray(labels).reshape(len(labels), -1) - self._start
        chosen = np.ravel_multi_index(tuple(parts.T.astype(np.int64)), self._sizes)
        targets = torch.zeros(len(labels), 1 + self.outputs)
        targets[:, 0] = torch.from_numpy(chosen)
        if fatal is not None:
            marked = torch.as_tensor(fatal)
            targets[:, 1:] = marked & ~marked.all(1, keepdim=True)
        return targets

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        imitation = functional.cross_entropy(outputs, targets[:, 0].long())
        if self.unsafe_penalty == 0:
            return imitation
        # In logarithms throughout, or who is sure of what is fatal would have no gradient to leave.
        lives = outputs.masked_fill(targets[:, 1:] > 0, -torch.inf).logsumexp(1)
        return imitation + self.unsafe_penalty * (outputs.logsumexp(1) - lives).mean()

    def as_module(self) -> nn.Module:
        return TableModule(self._actions)
