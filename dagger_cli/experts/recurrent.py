"""Expert with an LSTM (RecurrentPPO of sb3_contrib), see views/asked.py for how it is asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.random import Generator

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.one_hot import KINDS, OneHotRows
from dagger_cli.core.types import Acts, Array, Card, Observation, Space
from dagger_cli.experts.cards import save_expert
from dagger_cli.networks.agent_files import Agent
from dagger_cli.networks.lstm import Lstm, lstm_of
from dagger_cli.networks.network import Network
from dagger_cli.networks.spec import under


@dataclass(frozen=True)
class RecurrentNetwork:
    """Agent whose actor is an LSTM followed by `after`; acts deterministically."""

    agent: Agent
    lstm: Lstm
    after: Network
    card: Card

    @property
    def memory_size(self) -> int:
        """Numbers of one slot's memory."""
        return self.lstm.memory_size

    def advance(self, obs: Array, memory: Array) -> tuple[Array, Array]:
        """Returns the actions in `obs` (n, *obs_shape), and the memory after them."""
        x, after = self.lstm.step(self._inputs(obs), memory)
        return self.after.act(x.astype(np.float32), None), after

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Raises ExpertError: single observations do not say what was before them."""
        raise ExpertError(
            "this expert has a memory (RecurrentPPO), so it acts only where it sees whole "
            "episodes: in dagger train, eval and expert score"
        )

    def save(self, stem: Path) -> tuple[Path, Path]:
        """Writes `<stem>.safetensors` and the card `<stem>.json`, which expert=path loads."""
        return save_expert(self.agent, self.card, stem)

    def shape(self) -> str:
        """Returns a summary such as `box (3,), LSTM 64, Linear 64, Tanh, Linear 1, box (1,)`."""
        return self.agent.spec.shape(self.agent.weights)

    def _inputs(self, obs: Array) -> Array:
        """Returns what the LSTM gets, (n, d) float64, as stable-baselines3 prepares it."""
        spec, weights = self.agent.spec, self.agent.weights
        if spec.observation_space.kind in KINDS:
            return OneHotRows(spec.observation_space, np.float64)(obs)
        rows = np.moveaxis(obs, -1, 1) if spec.channels_last else obs
        rows = rows.reshape(len(obs), -1).astype(np.float64)
        if spec.clip is None:
            return np.asarray(rows / spec.scale)
        mean, variance = weights["mean"].ravel(), weights["variance"].ravel()
        scaled = (rows - mean) / np.sqrt(variance + spec.epsilon)
        return np.clip(scaled, -spec.clip, spec.clip)


def recurrent(agent: Agent, card: Card, *, deterministic: bool) -> RecurrentNetwork:
    """Builds the expert; raises ExpertError where its arrays do not fit, or it is to sample."""
    if not deterministic:
        raise ExpertError("an expert with a memory acts deterministically: leave it at the default")
    if agent.spec.time_feature:
        raise ExpertError(
            "it has a memory and was trained with the time left in the episode: add that to the "
            "observations with env.wrappers=[time_feature]"
        )
    lstm = lstm_of(under(agent.weights, "lstm."))
    latent = Space("box", (lstm.cells[-1].size,), "float32")
    spec = replace(agent.spec, observation_space=latent, clip=None, scale=1.0, lstm=False)
    spec = replace(spec, channels_last=False)
    rest = {name: value for name, value in agent.weights.items() if not name.startswith("lstm.")}
    rest = {name: value for name, value in rest.items() if name not in ("mean", "variance")}
    return RecurrentNetwork(agent, lstm, Network(spec, rest), card)
