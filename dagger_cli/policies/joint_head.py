"""Joint action head: a categorical distribution over all combinations of the components.

The heads in heads.py model each component (button) independently. A joint distribution can also be
penalized for the probability of the actions that the expert marks as unsafe in a state, whatever
the label is.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from dagger_cli.core.actions import all_actions
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space
from dagger_cli.networks.action_heads import softmax
from dagger_cli.networks.exported import TableModule
from dagger_cli.policies.loss_gradients import by_autograd


class Joint:
    """Logits for each of the K actions of a finite space; acts by argmax.

    The loss is the label's cross entropy plus `unsafe_penalty` times -log(1 - p), where p is the
    summed probability of all unsafe actions.
    """

    def __init__(self, space: Space, unsafe_penalty: float) -> None:
        if space.kind == "box":
            raise ConfigError(
                "policy=scene needs a finite action space, but this environment's actions are "
                "continuous; use policy=mlp"
            )
        if not unsafe_penalty >= 0:
            raise ConfigError(
                f"policy.unsafe_penalty must be 0 or more, got {unsafe_penalty}; try 150"
            )
        self._actions = all_actions(space, instead="use policy=mlp")
        self._sizes, self._start, self.unsafe_penalty = space.sizes, space.start, unsafe_penalty
        self.outputs = len(self._actions)
        self.gradient = by_autograd(self.loss)
        self.averaged, self.decided = softmax, self.actions

    def actions(self, outputs: Array) -> Array:
        """Maps outputs (n, K) to actions (n, *action_shape)."""
        return np.asarray(self._actions[outputs.argmax(1)])

    def targets(self, labels: Array | Tensor, fatal: Array | Tensor | None = None) -> Tensor:
        """Returns targets (n, 1 + K): the index of the label, and 1 for each unsafe action.

        Where every action is unsafe, none is marked, as the penalty would be infinite.
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
        # Computed from logits: with probabilities the gradient vanishes where p rounds to 1.
        lives = outputs.masked_fill(targets[:, 1:] > 0, -torch.inf).logsumexp(1)
        return imitation + self.unsafe_penalty * (outputs.logsumexp(1) - lives).mean()

    def as_module(self) -> nn.Module:
        return TableModule(self._actions)
