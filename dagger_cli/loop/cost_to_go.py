"""What actions cost: try them from a visited state, follow a policy for a while, add up.

The environment is brought back by its snapshot: restored where the simulator can, played again
from its seed where it cannot. All is tried in `kit.scratch`, so the running episodes never notice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from dagger_cli.core.actions import all_actions
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit
from dagger_cli.core.policies import act_each, drawn
from dagger_cli.core.types import Array, Observation, Policy, Snapshot, Space, Usage
from dagger_cli.loop.rollout import check_finite, rollout

INSTEAD = "use a trainer that only asks the expert, such as dagger"
MOST_STATES = 4  # times as many as the labels allow at worst: trying takes time where it is free


@dataclass(frozen=True)
class Follow:
    """Who acts after the tried action: one of `members`, drawn at every step, or `once`.

    Drawn once, it plays the whole roll-out and those of the state's other actions, too: so costs
    differ by the action and not by who went on.
    """

    members: tuple[Policy, ...]
    weights: tuple[float, ...]
    once: bool = False

    def share(self, policy: Policy) -> float:
        """How often this one acts."""
        pairs = zip(self.members, self.weights, strict=True)
        return sum(weight for member, weight in pairs if member is policy)


@dataclass(frozen=True)
class CostRollouts:
    """How actions are tried: `horizon` env steps each, `repeats` times, and the costs averaged.

    `candidates` is how many actions of a Box are tried: the expert's, the policy's and draws from
    the whole Box. Of other spaces every action is.
    """

    horizon: int
    repeats: int
    candidates: int

    def __post_init__(self) -> None:
        for key, least in (("horizon", 1), ("repeats", 1), ("candidates", 2)):
            if getattr(self, key) < least:
                value = getattr(self, key)
                raise ConfigError(
                    f"trainer.cost_rollouts.{key} must be at least {least}, got {value}"
                )

    def actions_tried(self, space: Space) -> int:
        """How many actions are tried in one state."""
        return self.candidates if space.kind == "box" else len(all_actions(space, instead=INSTEAD))

    def notes(self, space: Space) -> tuple[str, ...]:
        """What the user must know of the actions tried; nothing where it is all of them."""
        if space.kind != "box":
            return ()
        draws = f"{self.candidates - 2} draws (trainer.cost_rollouts.candidates)"
        return (
            f"actions are continuous: in a state {self.candidates} of them are tried, the "
            f"expert's, the policy's and {draws}",
        )

    def queries(self, space: Space) -> int:
        """More than one state can cost in expert queries: a try's first step asks nobody."""
        tried = self.actions_tried(space) * self.horizon * self.repeats
        return tried + (space.kind == "box")


class Examples(NamedTuple):
    """Cost-sensitive examples of one round, and what all of it used."""

    data: Dataset
    usage: Usage


class Plan(NamedTuple):
    """`n_steps` of roll-in, actions tried in up to `n_states` of their states, with `queries`."""

    n_steps: int
    n_states: int
    queries: int


def plan(kit: Kit, cost_rollouts: CostRollouts, round: int, follow: Follow, *, free: bool) -> Plan:
    """How a round's labels are spent.

    Half of them are for the roll-in, where it is not `free`, the rest for as many states as the
    expert's share of the roll-outs lets expect. Raises ConfigError, with the numbers, where that is
    not enough for a single state at its most expensive.
    """
    share, most = kit.budget.steps(round), cost_rollouts.queries(kit.env.action_space)
    if share // 2 < most:
        tried = cost_rollouts.actions_tried(kit.env.action_space)
        raise ConfigError(
            f"trying {tried} actions in one state may ask the expert {most} times, but a round has "
            f"{share} labels, half of them for that: give labels={2 * most * kit.budget.rounds} or "
            "more, or a shorter trainer.cost_rollouts.horizon"
        )
    n_steps, queries = share - share // 2, share if free else share // 2
    likely = max(1, math.ceil(most * follow.share(kit.expert)))
    n_states = min(queries // likely, queries // most * MOST_STATES, n_steps)
    return Plan(n_steps, n_states, queries)


def cost_examples(
    kit: Kit,
    cost_rollouts: CostRollouts,
    round: int,
    actor: Policy,
    policy: Policy,
    follow: Follow,
    *,
    free: bool = False,
) -> Examples:
    """Roll in with `actor`; in some of the states, equally likely each, find the cheapest action.

    A row's label is that action and its weight what choosing blindly would cost more on average,
    relative to the other rows of the round. Where the expert itself acted in the roll-in its answer
    is paid for: those rows are examples too, of weight 1. `free` says that it never acts there.
    """
    budget = plan(kit, cost_rollouts, round, follow, free=free)
    probe = _Probe(kit, cost_rollouts, policy, follow, budget)
    visited = rollout(kit, actor, budget.n_steps, watch=probe)
    labels, weights = visited.acts.actions.copy(), visited.acts.from_expert.astype(np.float32)
    regrets = np.array(probe.regrets)
    # Where all actions cost the same, the one that was taken stays.
    mattered = np.flatnonzero(regrets)
    labels[np.array(probe.tried)[mattered]] = np.stack(probe.cheapest)[mattered]
    weights[probe.tried] = regrets / max(float(regrets.mean()), np.finfo(np.float32).tiny)
    kept = visited.acts.from_expert.copy()
    kept[probe.tried] = True
    observations = visited.observations
    data = Dataset(observations.obs, observations.t, labels, (budget.n_steps,), weights)[kept]
    from_expert = int(visited.acts.from_expert.sum()) + probe.queries
    return Examples(data, Usage(budget.n_steps + probe.env_steps, from_expert))


class _Probe:
    """Watches a roll-in and tries actions in some of its states, while there are queries left."""

    def __init__(
        self, kit: Kit, cost_rollouts: CostRollouts, policy: Policy, follow: Follow, budget: Plan
    ) -> None:
        self._kit, self._tries, self._policy, self._follow = kit, cost_rollouts, policy, follow
        self._most, self._allowed = cost_rollouts.queries(kit.env.action_space), budget.queries
        due = kit.rng.actor.choice(budget.n_steps, budget.n_states, replace=False)
        self._due = np.sort(due)
        self.tried: list[int] = []
        self.cheapest: list[Array] = []
        self.regrets: list[float] = []
        self.env_steps = self.queries = self._seen = 0

    def __call__(self, observation: Observation) -> None:
        """Try actions in the states of this view that were drawn."""
        first, last = np.searchsorted(self._due, (self._seen, self._seen + len(observation)))
        affordable = (self._allowed - self.queries) // self._most
        rows = self._due[first:last][:affordable]
        slots = rows - self._seen
        self._seen += len(observation)
        if not slots.size:
            return
        self.tried += rows.tolist()
        candidates = self._candidates(observation[slots])
        costs = self._costs(self._kit.env.snapshot(), slots, candidates)
        for tried, cost in zip(candidates, costs, strict=True):
            self.cheapest.append(tried[int(cost.argmin())])
            # In this order: the mean of equal costs may differ from them in its last digit.
            self.regrets.append(float((cost - cost.min()).mean()))

    def _candidates(self, observation: Observation) -> Array:
        """(m, K, *action_shape)"""
        space, rng = self._kit.env.action_space, self._kit.rng.actor
        if space.kind != "box":
            return np.stack([all_actions(space, instead=INSTEAD)] * len(observation))
        best = self._kit.expert.act(observation, rng).actions
        self.queries += len(observation)
        own = self._policy.act(observation, rng)
        self.queries += int(own.from_expert.sum())
        draws = _uniform(space, (len(observation), self._tries.candidates - 2), rng)
        return np.concatenate([best[:, None], own.actions[:, None], draws], axis=1)

    def _costs(self, snapshot: Snapshot, slots: Array, candidates: Array) -> Array:
        """(m, K) minus the mean return of each candidate over the horizon."""
        n_tried, repeats = candidates.shape[1], self._tries.repeats
        returns = np.zeros(len(slots) * n_tried * repeats)
        state = np.repeat(np.arange(len(slots)), n_tried * repeats)
        first = np.repeat(candidates.reshape(-1, *candidates.shape[2:]), repeats, axis=0)
        chosen = drawn(self._follow.weights, len(slots) * repeats, self._kit.rng.actor)
        playing = np.repeat(chosen.reshape(len(slots), 1, repeats), n_tried, axis=1).ravel()
        n = self._kit.env.n_envs
        for begin in range(0, len(returns), n):
            part = slice(begin, begin + n)
            returns[part] = self._play(snapshot, slots[state[part]], first[part], playing[part])
        return np.asarray(-returns.reshape(len(slots), n_tried, repeats).mean(2))

    def _play(self, snapshot: Snapshot, origin: Array, actions: Array, playing: Array) -> Array:
        """(k,) returns of one roll-out each, from the slots `origin` (k,) of the snapshot."""
        scratch, follow, rng = self._kit.scratch, self._follow, self._kit.rng.actor
        assert scratch is not None, "a trainer that tries actions must say that it rewinds"
        rows = np.concatenate([origin, np.full(scratch.n_envs - len(origin), origin[0])])
        scratch.restore({name: array[rows] for name, array in snapshot.items()})
        returns, alive = np.zeros(len(origin)), np.arange(len(origin))
        for step in range(self._tries.horizon):
            if step > 0:
                who = playing[alive] if follow.once else drawn(follow.weights, len(alive), rng)
                acts = act_each(follow.members, who, scratch.observation[alive], rng)
                self.queries += int(acts.from_expert.sum())
                actions = acts.actions
            answer = scratch.step(alive, actions)
            self.env_steps += len(alive)
            returns[alive] += answer.rewards
            alive = alive[~answer.ended]
            if not alive.size:
                break
        check_finite("a reward", returns)
        return returns


def _uniform(space: Space, n: tuple[int, ...], rng: Generator) -> Array:
    """(*n, *action_shape) draws from a Box; open sides count as 1 away from 0."""
    low, high = np.asarray(space.low), np.asarray(space.high)
    low, high = np.where(np.isfinite(low), low, -1.0), np.where(np.isfinite(high), high, 1.0)
    # Of whole numbers each is as likely as the others.
    half = 0.5 if space.whole else 0.0
    draws = rng.uniform(low - half, high + half, size=(*n, space.size))
    return space.cast(np.clip(draws, low, high)).reshape(*n, *space.shape)
