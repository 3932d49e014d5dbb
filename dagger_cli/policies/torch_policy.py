"""Policy of a fitted network; immutable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from dagger_cli.core.types import Acts, Array, Observation, Policy
from dagger_cli.networks.batched_members import Stack
from dagger_cli.networks.carried import Carried, CarriedStep
from dagger_cli.networks.chunked import Chunked, ChunkedRows, single
from dagger_cli.networks.exported import Exported
from dagger_cli.networks.forward import Outputs, forward_of
from dagger_cli.networks.modules import dense
from dagger_cli.policies.chunk_head import ChunkHead
from dagger_cli.policies.heads import Head


@dataclass(frozen=True)
class TorchPolicy:
    """Network with its action head; `optimizer` is its state for a warm start, per parameter."""

    network: nn.Module
    head: Head
    optimizer: tuple[dict[str, Tensor], ...]

    @cached_property
    def outputs(self) -> Outputs:
        """Function from `Observation.rows` to the network's outputs (n, k)."""
        return forward_of(self.network)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the head's actions; deterministic, `rng` is not used."""
        actions = self.head.actions(self.outputs(observation.rows))
        return Acts(actions, np.zeros(len(observation), bool))

    @cached_property
    def _stackable(self) -> bool:
        return dense(single(self.network)) is not None

    @cached_property
    def _rows(self) -> ChunkedRows | None:
        return ChunkedRows(self.network) if isinstance(self.network, Chunked) else None

    def joins(self) -> bool:
        """Returns whether `act_for` can be called: only with fully connected networks."""
        return self._stackable

    def act_for(self, members: Sequence[Policy], chosen: Array, observation: Observation) -> Array:
        """Returns actions (n, *action_shape): row i is that of `members[chosen[i]]`.

        `members` are policies of the same learner; `chosen` is (n,) int.
        """
        networks = tuple(single(m.network) for m in members if isinstance(m, TorchPolicy))
        obs, rows = observation.obs, self._rows
        if rows is not None:
            obs, chosen = rows.observations(obs), chosen.repeat(rows.chunk)
        with torch.inference_mode():
            outputs = _stack(networks)(torch.as_tensor(obs), chosen).numpy()
        return self.head.actions(
            outputs if rows is None else rows.outputs(observation.obs, outputs)
        )

    def scores(self, observation: Observation) -> Array:
        """Returns the log-probabilities (n, choices) of a Discrete action, for beam search."""
        if isinstance(self.head, ChunkHead):
            return self.head.log_probabilities(self.outputs(observation.obs))
        outputs = self.outputs.by_torch(observation.rows)
        return np.asarray(torch.log_softmax(outputs, dim=1).numpy())

    def as_module(self) -> nn.Module:
        """Returns the policy as a torch module, for export."""
        if isinstance(self.network, Carried):
            return CarriedStep(self.network, self.head.as_module())
        return Exported(self.network, self.head.as_module())


@lru_cache(maxsize=4)  # a mixture acts thousands of times in a round
def _stack(networks: tuple[nn.Module, ...]) -> Stack:
    return Stack([found for network in networks if (found := dense(network)) is not None])
