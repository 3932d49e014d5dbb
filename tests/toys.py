"""A five-state world where small mistakes compound, its expert as a table, and a table learner.

State 0 is the track. The expert answers 0 there, but 1 at every seventh step, which the learner
cannot see, so every learner leaves the track now and then. Off the track (states 1 to 4) answer 1
leads back at once and 0 leads further off. The expert never leaves the track, so only who visits
states 1 to 4 learns to come back; unseen states are answered 0. Reward: -1 a step off the track.
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
    return np.where(states > 0, 1, (steps + states) % 7 == 3).astype(np.int64)


class TrackEnv:
    observation_space = Space("box", (1,), "float32", (0.0,), (4.0,))
    action_space = Space("discrete", (), "int64", sizes=(2,))

    def __init__(self, n_envs: int) -> None:
        self.n_envs = n_envs
        self.seeds = np.zeros(n_envs, np.int64)
        self._state, self._steps = np.zeros(n_envs, np.int64), np.zeros(n_envs, np.int64)

    @property
    def observation(self) -> Observation:
        return Observation(self._state[:, None].astype(np.float32), self._steps)

    def reset(self, slots: Array, seeds: Array) -> None:
        self._state[slots], self._steps[slots], self.seeds[slots] = 0, 0, seeds

    def step(self, slots: Array, actions: Array) -> Step:
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
        columns = {"state": self._state, "steps": self._steps, "seeds": self.seeds}
        return {name: column.copy() for name, column in columns.items()}

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        self._state, self._steps = snapshot["state"].copy(), snapshot["steps"].copy()
        self.seeds = snapshot["seeds"].copy()

    def close(self) -> None:
        pass


@dataclass
class TableExpert:
    card = Card("table", "tests", "0" * 64)
    asked: list[int] = field(default_factory=list)  # the size of every batch

    def act(self, observation: Observation, rng: Generator) -> Acts:
        self.asked.append(len(observation))
        answers = expert_answers(observation.obs[:, 0].astype(np.int64), observation.t)
        return Acts(answers, np.ones(len(observation), bool))


@dataclass(frozen=True)
class Table:
    answers: tuple[int, ...]

    def act(self, observation: Observation, rng: Generator) -> Acts:
        actions = np.asarray(self.answers, np.int64)[observation.obs[:, 0].astype(np.int64)]
        return Acts(actions, np.zeros(len(observation), bool))


class TableLearner:
    """Each state's majority answer; ties and unseen states give 0."""

    def fit(self, data: Dataset, start: Policy | None, rng: Generator) -> Fitted:
        states = data.obs[:, 0].astype(np.int64)
        votes = np.bincount(states, np.where(data.labels == 1, 1, -1), minlength=5)
        answers = (votes > 0).astype(np.int64)
        return Fitted(
            Table(tuple(answers.tolist())), float((answers[states] != data.labels).mean())
        )

    def loss(self, policy: Policy, data: Dataset) -> float:
        assert isinstance(policy, Table)
        states = data.obs[:, 0].astype(np.int64)
        return float((np.asarray(policy.answers)[states] != data.labels).mean())

    def pack(self, policy: Policy) -> dict[str, Array]:
        assert isinstance(policy, Table)
        return {"answers": np.asarray(policy.answers)}

    def unpack(self, arrays: Mapping[str, Array]) -> Policy:
        return Table(tuple(arrays["answers"].tolist()))


def toy_kit(rounds: int = 5, steps: int = 103, *, n_envs: int = 4, seed: int = 0) -> Kit:
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
