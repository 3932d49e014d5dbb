"""Worlds in which a mistake costs as much as the rest of the episode: how cost grows with T.

A track, on which the expert answers 0, and in an episode one fork, at a step that is drawn evenly
from M >= T steps, where it answers 1. The learner cannot tell the fork from the track (Ross &
Bagnell 2010, Thm. 2.1 lets it err there with probability eps = 1 / M), so every table over what it
sees errs somewhere. A wrong answer leads off the track; there, which the learner does see, 1 leads
back and 0 stays. A step that ends off the track costs 1, so the optimum, the expert's, is 0.

The expert never leaves the track. Who learns from its states alone has no answer for those off it:
T (T + 1) / 2 M is lost. Who learns from the states it reaches comes back at once and loses T / M.

The world is not sampled: M environments side by side play every place of the fork once, so that
data are the exact distribution, and costs are sums over products of transition matrices. Sup,
Forward and DAgger (beta 1, then 0) toss no coin; the roll-ins of SMILe and SEARN do, from seed 0.

    python -m tests.theory.fork        prints the exponents over T = 5 ... 80
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from dagger_cli.core.budget import Budget
from dagger_cli.core.kit import Kit, RngStreams
from dagger_cli.core.policies import Mixture, NonStationaryPolicy
from dagger_cli.core.schedules import Indicator
from dagger_cli.core.types import Acts, Array, Card, Observation, Policy, Space, Step
from dagger_cli.loop.rollout import begin
from dagger_cli.loop.trainer import Trainer
from dagger_cli.trainers.dagger import DAgger
from dagger_cli.trainers.forward import Forward
from dagger_cli.trainers.searn import SEARN
from dagger_cli.trainers.smile import SMILe
from dagger_cli.trainers.sup import Sup
from tests.toys import Table, TableLearner

M = 200
HORIZONS = (5, 7, 10, 14, 20, 28, 40, 56, 80)
TRACK, FORK, PASSED, OFF = range(4)  # PASSED: on the track, with the fork behind
SEEN = np.array([0, 0, 0, 1])
EXPERT = np.array([0, 1, 0, 1])


class ForkEnv:
    """All M places of the fork at once; a seed's place is seed % M."""

    observation_space = Space("box", (1,), "float32", (0.0,), (1.0,))
    action_space = Space("discrete", (), "int64", sizes=(2,))

    def __init__(self, horizon: int) -> None:
        self.n_envs, self._horizon = M, horizon
        self._state, self._steps, self._fork = (np.zeros(M, np.int64) for _ in range(3))

    @property
    def observation(self) -> Observation:
        state = np.where((self._state == TRACK) & (self._steps == self._fork), FORK, self._state)
        return Observation(SEEN[state][:, None].astype(np.float32), self._steps, state[:, None])

    def reset(self, slots: Array, seeds: Array) -> None:
        self._state[slots], self._steps[slots], self._fork[slots] = TRACK, 0, seeds % M

    def step(self, slots: Array, actions: Array) -> Step:
        assert self.observation.privileged is not None
        state = self.observation.privileged[slots, 0]
        on = np.where(state == TRACK, TRACK, PASSED)
        self._state[slots] = np.where(actions == EXPERT[state], on, OFF)
        self._steps[slots] += 1
        over, never = self._steps[slots] >= self._horizon, np.zeros(len(slots), bool)
        return Step(-(self._state[slots] == OFF).astype(np.float64), never, over, never)

    def snapshot(self) -> Mapping[str, Array]:
        raise NotImplementedError

    def restore(self, snapshot: Mapping[str, Array]) -> None:
        raise NotImplementedError

    def close(self) -> None:
        pass


class ForkExpert:
    card = Card("fork", "tests", "0" * 64)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        assert observation.privileged is not None
        return Acts(EXPERT[observation.privileged[:, 0]], np.ones(len(observation), bool))


def moves(step: int) -> Array:
    """(2, 4, 4) where each action leads to from each state after so many steps."""
    soon = 1 / (M - step - 1)  # the fork is next, given that it is not yet passed
    to = np.zeros((2, 4, 4))
    to[0, TRACK, [TRACK, FORK]] = 1 - soon, soon
    to[1, FORK, PASSED] = to[0, PASSED, PASSED] = to[1, OFF, PASSED] = 1
    to[1, TRACK, OFF] = to[0, FORK, OFF] = to[1, PASSED, OFF] = to[0, OFF, OFF] = 1
    return to


def chances(policy: Policy, step: int) -> Array:
    """(2, 4) the probability of each action in each state after so many steps."""
    if isinstance(policy, Mixture):
        parts = zip(policy.weights, policy.members, strict=True)
        return np.asarray(sum(weight * chances(member, step) for weight, member in parts))
    if isinstance(policy, NonStationaryPolicy):
        return chances(policy.members[int(policy.slots(np.array([step]))[0])], step)
    answers = np.asarray(policy.answers)[SEEN] if isinstance(policy, Table) else EXPERT
    return np.stack([answers == 0, answers == 1]).astype(float)


def cost(policy: Policy, horizon: int) -> float:
    """The exact expected number of steps that end off the track."""
    there, total = np.array([1 - 1 / M, 1 / M, 0.0, 0.0]), 0.0
    for step in range(horizon):
        there = np.einsum("s,as,ast->t", there, chances(policy, step), moves(step))
        total += float(there[OFF])
    return total


def optimum(horizon: int) -> float:
    """The least expected cost of all policies that see everything, by backward induction."""
    ahead = np.zeros(4)
    for step in reversed(range(horizon)):
        ahead = (moves(step) @ (ahead + (np.arange(4) == OFF))).min(0)
    return float(ahead @ [1 - 1 / M, 1 / M, 0, 0])


@dataclass(frozen=True)
class Case:
    """A reduction and the rounds it gets."""

    trainer: Trainer
    rounds: int | None  # None: as many as the horizon


CASES = {
    "sup": Case(Sup(), 5),
    "forward": Case(Forward(slot=1, horizon=None), None),
    "smile": Case(SMILe(0.1), 10),
    "searn": Case(SEARN(0.4, "optimal", None), 10),  # type: ignore[arg-type]  # nothing is tried
    "dagger": Case(DAgger(Indicator("round"), "step", "aggregate"), 5),
}


def learned(case: Case, horizon: int) -> Policy:
    """What the reduction itself deploys in this world, from one episode of every kind a round."""
    rounds = case.rounds or horizon
    labels = M if isinstance(case.trainer, Forward) else M * horizon
    kit = Kit(
        ForkEnv(horizon),
        ForkExpert(),
        TableLearner(),
        Budget(rounds, labels, None),
        RngStreams.spawn(0),
        horizon=horizon,
    )
    begin(kit)
    state = case.trainer.start(kit)
    for _ in range(rounds):
        state = case.trainer.step(state, kit)
    return case.trainer.deploy(state, kit)


def exponent(horizons: Sequence[int], costs: Sequence[float]) -> float:
    """The slope of log cost over log T."""
    return float(np.polyfit(np.log(horizons), np.log(costs), 1)[0])


def main() -> None:
    print(f"| reduction | {' | '.join(f'T = {t}' for t in HORIZONS)} | exponent |")
    print("|" + "---|" * (len(HORIZONS) + 2))
    for name, case in CASES.items():
        costs = [cost(learned(case, horizon), horizon) for horizon in HORIZONS]
        numbers = " | ".join(f"{value:.3f}" for value in costs)
        print(f"| {name} | {numbers} | {exponent(HORIZONS, costs):.2f} |")


if __name__ == "__main__":
    main()
