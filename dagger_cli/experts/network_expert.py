"""Expert whose actions are computed by a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.time_left import with_time_left
from dagger_cli.core.types import Acts, Array, Card, Observation, Space
from dagger_cli.experts.cards import save_expert
from dagger_cli.experts.recurrent import RecurrentNetwork, recurrent
from dagger_cli.networks.agent_files import Agent
from dagger_cli.networks.network import Network
from dagger_cli.networks.spec import must_fit

STAYS = (
    "this expert is a network, which answers a batch sooner than it is sent to another process; "
    "its last digits depend on the size of the batch"
)


@dataclass(frozen=True)
class NetworkExpert:
    """Network as an expert; acts deterministically or samples from its distribution.

    `horizon`: step limit of the episodes, for a network that gets the time left.
    """

    network: Network
    card: Card
    deterministic: bool
    horizon: int | None = None
    stays_because: ClassVar[str] = STAYS

    def act(self, observation: Observation, rng: Generator) -> Acts:
        actions = self.network.act(self._seen(observation), None if self.deterministic else rng)
        return Acts(actions, np.ones(len(observation), dtype=bool))

    def limited(self, horizon: int | None) -> NetworkExpert:
        """Returns the expert for episodes of `horizon` steps; raises ExpertError for None."""
        if horizon is None and self.network.spec.time_feature:
            raise ExpertError(
                "the expert was trained with the time left in the episode (TimeFeatureWrapper), "
                "but the environment has no step limit: set env.max_episode_steps=1000"
            )
        return replace(self, horizon=horizon)

    def _seen(self, observation: Observation) -> Array:
        """Returns the network's input, (n, d): with the time left, from 1 at the start to 0."""
        if not self.network.spec.time_feature:
            return observation.obs
        assert self.horizon is not None, "an expert with the time feature was not limited"
        return with_time_left(observation.obs, observation.t, self.horizon)

    def save(self, stem: Path) -> tuple[Path, Path]:
        """Writes `<stem>.safetensors` and the card `<stem>.json`, which expert=path loads."""
        return save_expert(Agent(self.network.spec, self.network.weights, {}), self.card, stem)

    def shape(self) -> str:
        """Returns a summary such as `box (24,), Linear 64, Tanh, Linear 4, box (4,)`."""
        return self.network.spec.shape(self.network.weights)


def expert_from(
    agent: Agent, card: Card, deterministic: bool, observation_space: Space, action_space: Space
) -> NetworkExpert | RecurrentNetwork:
    """Returns the agent as an expert; raises ExpertError where its spaces differ."""
    must_fit(agent.spec.env_space, observation_space, "observation space")
    must_fit(agent.spec.action_space, action_space, "action space")
    theirs, ours = agent.spec.action_space, action_space
    pairs = ((theirs.low, ours.low), (theirs.high, ours.high))
    if not all(len(a) == len(b) and np.allclose(a, b) for a, b in pairs):
        raise ExpertError(
            "the expert was trained with other action bounds than those of the environment; "
            "choose an expert for this environment, or check env.id and env.kwargs"
        )
    card = replace(card, network=agent.digest())
    if agent.spec.lstm:
        return recurrent(agent, card, deterministic=deterministic)
    return NetworkExpert(Network(agent.spec, agent.weights), card, deterministic)
