"""A student that sees some components, as a policy for full observations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.random import Generator

from dagger_cli.core.types import Acts, Array, Observation


@dataclass(frozen=True)
class Selected:
    """Acts like `policy` in the components `index` (k,) of flat observations."""

    policy: Any
    index: Array

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the policy's actions."""
        seen = Observation(observation.obs[:, self.index], observation.t)
        acts: Acts = self.policy.act(seen, rng)
        return acts

    def outputs(self, obs: Array) -> Array:
        """Returns the outputs (n, k) of the policy's last layer, see publish/graph.py."""
        outputs: Array = self.policy.outputs(obs[:, self.index])
        return outputs

    def as_module(self) -> Any:
        """Returns a torch module for full observations."""
        from torch import nn

        from dagger_cli.networks.layers import Select

        return nn.Sequential(Select(self.index), self.policy.as_module())
