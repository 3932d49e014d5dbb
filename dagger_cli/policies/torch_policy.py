"""A fitted network as a policy: a value, never changed after it was made."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from dagger_cli.core.types import Acts, Array, Observation, Policy
from dagger_cli.networks.batched_members import Stack, stackable
from dagger_cli.networks.small_batch_float64 import FewRows, takes
from dagger_cli.policies.heads import Head
from dagger_cli.utils.malloc import reused

PIECE = 4096  # rows


@dataclass(frozen=True)
class TorchPolicy:
    """`optimizer` holds what a warm start goes on from: one entry a parameter, in their order."""

    network: nn.Module
    head: Head
    optimizer: tuple[dict[str, Tensor], ...]

    @cached_property
    def _acting(self) -> Callable[[Tensor], Tensor]:
        """Fully connected networks act in float64, and only their answers are rounded to float32.

        Sums in float32 depend on how rows are batched, and walkers amplify the last digit: so an
        episode would end differently with other episodes beside it.
        """
        if any(isinstance(layer, nn.Conv2d) for layer in self.network.modules()):
            return self._of_images
        network = copy.deepcopy(self.network).double()
        if not isinstance(network, nn.Sequential):
            return network
        # Nothing hooks into the layers; calling them as modules costs a few rows twice the time.
        layers = [layer.forward for layer in network]
        return lambda x: reduce(lambda y, layer: layer(y), layers, x)

    def _of_images(self, obs: Tensor) -> Tensor:
        with reused():  # its arrays are large and made in every step
            outputs: Tensor = self.network(obs)
            return outputs

    @cached_property
    def _few(self) -> FewRows | None:
        network = self.network
        return FewRows(network) if isinstance(network, nn.Sequential) and takes(network) else None

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Deterministic: `rng` is not used."""
        few = self._few
        if few is not None and len(observation) <= few.most:
            actions = self.head.actions(few(observation.obs))
            return Acts(actions, np.zeros(len(observation), bool))
        with torch.inference_mode():
            obs = torch.as_tensor(observation.obs)
            if len(obs) <= PIECE:
                outputs = self._acting(obs)
            else:
                # Or the hidden layers of a whole round's rows would outweigh its data.
                outputs = torch.cat([self._acting(piece) for piece in torch.split(obs, PIECE)])
        return Acts(self.head.actions(outputs.numpy()), np.zeros(len(observation), bool))

    @cached_property
    def _stackable(self) -> bool:
        return stackable(self.network)

    def joins(self) -> bool:
        """Whether `act_for` can be asked: of a fully connected network."""
        return self._stackable

    def act_for(self, members: Sequence[Policy], chosen: Array, observation: Observation) -> Array:
        """What `members`, policies of the same learner, do: row i is of `members[chosen[i]]`."""
        networks = tuple(m.network for m in members if isinstance(m, TorchPolicy))
        with torch.inference_mode():
            outputs = _stack(networks)(torch.as_tensor(observation.obs), chosen)
        return self.head.actions(outputs.numpy())

    def scores(self, observation: Observation) -> Array:
        """(n, choices) log-probabilities of a single discrete action, for beam search."""
        with torch.inference_mode():
            outputs = self._acting(torch.as_tensor(observation.obs))
            return np.asarray(torch.log_softmax(outputs, dim=1).numpy())


@lru_cache(maxsize=4)  # a mixture acts thousands of times in a round
def _stack(networks: tuple[nn.Module, ...]) -> Stack:
    return Stack(networks)
