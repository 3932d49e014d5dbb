"""A toy problem with five states, in which small mistakes compound; expert and learner are tables.

State 0 is the track. The expert's action there is 0, but 1 at every seventh step, which the learner
cannot observe, so every learner leaves the track now and then. Off the track (states 1 to 4) action
1 leads back at once and 0 leads further off. The expert never leaves the track, so only a learner
that visits states 1 to 4 learns to return; in states without data it plays 0. The reward of a step
is -1 off the track, else 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from dagger_cli.core.budget import Budget
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.kit import Kit, RngStreams
from dagger_cli.core.types import Acts, Array, Card, Fitted, Observation, Policy, Space, Step

HORIZON = 50


def expert_answers(states: Array, steps: Array) -> Array:
    """Returns the expert's actions (n,) in states (n,) after so many steps (n,)."""
    return np.where(states > 0, 1, (steps + states) % 7 == 3).astype(np.int64)


class TrackEnv:
    """The environment: observations are the state as one number; an episode has 46 to 50 steps."""

    observation_space = Space("box", (1,), "float32", (0.0,), (4.0,))
    action_space = Space("discrete", (), "int64", sizes=(2,))

    def __init__(self, n_envs: int) -> None:
        self.n_envs = n_envs
        self.seeds = np.zeros(n_envs, np.int64)
        self._state, self._steps = np.zeros(n_envs, np.int64), np.zeros(n_envs, np.int64)

    @property
    def observation(self) -> Observation:
        """Returns the observations of all slots."""
        return Observation(self._state[:, None].astype(np.float32), self._steps)

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts episodes in these slots; a seed decides the length."""
        self._state[slots], self._steps[slots], self.seeds[slots] = 0, 0, seeds

    def step(self, slots: Array, actions: Array) -> Step:
        """Steps these slots."""
        state, steps = self._state[slots], self._steps[slots]
        right = actions == expert_answers(state, steps)
        off = np.where(state == 0, 1, np.minimum(state + 1, 4))
        self._state[slots] = np.where(right, 0, off)
        self._steps[slots] += 1
        # Episodes differ in length by their seed, so that slots fall out of step.
        over = self._steps[slots] >= HORIZON - self.seeds[slots] % 5
        never = np.zeros(len(slots), bool)
        return Step(-(self._state[slots] > 0).astype(np.float64), never, over, never)

    def snapshot(self) -> Mapping[str, Array]:
        """Returns the state of every slot."""
        columns = {"state": self._state, "steps": self._steps, "seeds": self.seeds}
        return {name: column.copy() for name, column in columns.items()}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        """Restores a snapshot."""
        self._state, self._steps = snapshot["state"].copy(), snapshot["steps"].copy()
        self.seeds = snapshot["seeds"].copy()

    def close(self) -> None:
        """Does nothing."""


@dataclass
class TableExpert:
    """The expert; `asked` lists the size of every batch it labelled."""

    card = Card("table", "tests", "0" * 64)
    asked: list[int] = field(default_factory=list)  # the size of every batch

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the expert's actions."""
        self.asked.append(len(observation))
        answers = expert_answers(observation.obs[:, 0].astype(np.int64), observation.t)
        return Acts(answers, np.ones(len(observation), bool))


@dataclass(frozen=True)
class Table:
    """A policy: an action for each state."""

    answers: tuple[int, ...]

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns the action of each state."""
        actions = np.asarray(self.answers, np.int64)[observation.obs[:, 0].astype(np.int64)]
        return Acts(actions, np.zeros(len(observation), bool))


class TableLearner:
    """Fits the majority label of each state; ties and states without data give 0."""

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        """Fits a table; the loss is the share of labels that it misses."""
        states = data.obs[:, 0].astype(np.int64)
        votes = np.bincount(states, np.where(data.labels == 1, 1, -1), minlength=5)
        answers = (votes > 0).astype(np.int64)
        return Fitted(
            Table(tuple(answers.tolist())), float((answers[states] != data.labels).mean())
        )

    def loss(self, policy: Policy, data: Dataset) -> float:
        """Returns the share of labels that the policy misses."""
        assert isinstance(policy, Table)
        states = data.obs[:, 0].astype(np.int64)
        return float((np.asarray(policy.answers)[states] != data.labels).mean())

    def pack(self, policy: Policy) -> dict[str, Array]:
        """Returns the table as an array."""
        assert isinstance(policy, Table)
        return {"answers": np.asarray(policy.answers)}

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        """Returns the policy of a packed table."""
        return Table(tuple(arrays["answers"].tolist()))


def toy_kit(rounds: int = 5, steps: int = 103, *, n_envs: int = 4, seed: int = 0) -> Kit:
    """Returns a kit of the toy problem for `rounds` rounds of `steps` labels."""
    budget = Budget(rounds, steps, None)
    return Kit(
        TrackEnv(n_envs),
        TableExpert(),
        TableLearner(),
        budget,
        RngStreams.spawn(seed),
        horizon=HORIZON,
        scratch=TrackEnv(n_envs),
        learner_for=lambda actions: TableLearner(),
    )
