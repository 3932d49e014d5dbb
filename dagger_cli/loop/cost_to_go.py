"""Cost-to-go estimates: take each action in a visited state, follow a policy, sum the rewards.

The state is restored from a snapshot, directly where the simulator supports it, otherwise by
replaying the actions from the seed. All cost roll-outs run in `kit.scratch`, separate from the
training episodes.
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
from dagger_cli.core.values import at_least
from dagger_cli.loop.rollout import check_finite, rollout

INSTEAD = "use a trainer without cost roll-outs, such as dagger"
MOST_STATES = 4  # times the worst case that the labels allow: roll-outs without labels take time


@dataclass(frozen=True)
class Follow:
    """Roll-out policy after the first action: a member drawn at every step, or `once`.

    A member drawn once acts in the whole roll-out and in those of the state's other actions, so
    that costs differ only by the action.
    """

    members: tuple[Policy, ...]
    weights: tuple[float, ...]
    once: bool = False

    def share(self, policy: Policy) -> float:
        """Returns the probability of this member."""
        pairs = zip(self.members, self.weights, strict=True)
        return sum(weight for member, weight in pairs if member is policy)


@dataclass(frozen=True)
class CostRollouts:
    """Settings of cost roll-outs: `repeats` of `horizon` env steps per action, averaged.

    In a Box, `candidates` actions are evaluated: the expert's, the policy's and uniform draws from
    the Box. In other spaces every action is.
    """

    horizon: int
    repeats: int
    candidates: int

    def __post_init__(self) -> None:
        for key, least in (("horizon", 1), ("repeats", 1), ("candidates", 2)):
            at_least(f"trainer.cost_rollouts.{key}", getattr(self, key), least)

    def actions_tried(self, space: Space) -> int:
        """Returns the number of actions evaluated in one state."""
        return self.candidates if space.kind == "box" else len(all_actions(space, instead=INSTEAD))

    def notes(self, space: Space) -> tuple[str, ...]:
        """Returns notes for the user where only some of the actions are evaluated."""
        if space.kind != "box":
            return ()
        draws = f"{self.candidates - 2} draws (trainer.cost_rollouts.candidates)"
        return (
            f"actions are continuous: in each state {self.candidates} of them are evaluated, the "
            f"expert's, the policy's and {draws}",
        )

    def queries(self, space: Space) -> int:
        """Returns a bound on the queries per state (the first step of a roll-out needs none)."""
        tried = self.actions_tried(space) * self.horizon * self.repeats
        return tried + (space.kind == "box")


class Examples(NamedTuple):
    """Cost-sensitive examples of one round, and its total usage."""

    data: Dataset
    usage: Usage


class Plan(NamedTuple):
    """Roll-in of `n_steps`; roll-outs from up to `n_states` of its states, with `queries`."""

    n_steps: int
    n_states: int
    queries: int


def plan(kit: Kit, cost_rollouts: CostRollouts, round: int, follow: Follow, *, free: bool) -> Plan:
    """Splits the labels of a round.

    Half of them are for the roll-in, unless it is `free`; the rest is for as many states as the
    expert's probability in the roll-outs allows in expectation. Raises ConfigError, with the
    numbers, where the budget is below the upper bound of a single state.
    """
    share, most = kit.budget.steps(round), cost_rollouts.queries(kit.env.action_space)
    if share // 2 < most:
        tried = cost_rollouts.actions_tried(kit.env.action_space)
        raise ConfigError(
            f"evaluating {tried} actions in one state takes up to {most} expert queries, but a "
            f"round has {share} labels, half of them for that: set "
            f"labels={2 * most * kit.budget.rounds} or more, or a shorter "
            "trainer.cost_rollouts.horizon"
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
    """Rolls in with `actor` and finds the cheapest action in a uniform sample of the states.

    A row's label is that action; its weight is the mean excess cost of a uniformly random action,
    relative to the mean over the sampled states of the round. States in which the expert acted in
    the roll-in are already labelled and are added with weight 1. `free`: the expert never acts
    there.
    """
    budget = plan(kit, cost_rollouts, round, follow, free=free)
    probe = _Probe(kit, cost_rollouts, policy, follow, budget)
    visited = rollout(kit, actor, budget.n_steps, watch=probe)
    labels, weights = visited.acts.actions.copy(), visited.acts.from_expert.astype(np.float32)
    regrets = np.array(probe.regrets)
    # Where all actions cost the same, the label is the action taken in the roll-in.
    mattered = np.flatnonzero(regrets)
    labels[np.array(probe.tried)[mattered]] = np.stack(probe.cheapest)[mattered]
    weights[probe.tried] = regrets / max(float(regrets.mean()), np.finfo(np.float32).tiny)
    kept = visited.acts.from_expert.copy()
    kept[probe.tried] = True
    observations = visited.observations
    data = Dataset(observations.rows, observations.t, labels, (budget.n_steps,), weights)[kept]
    from_expert = int(visited.acts.from_expert.sum()) + probe.queries
    return Examples(data, Usage(budget.n_steps + probe.env_steps, from_expert))


class _Probe:
    """Roll-in callback that evaluates actions in sampled states while queries remain."""

    def __init__(
        self, kit: Kit, cost_rollouts: CostRollouts, policy: Policy, follow: Follow, budget: Plan
    ) -> None:
        self._kit, self._settings, self._policy, self._follow = kit, cost_rollouts, policy, follow
        self._most, self._allowed = cost_rollouts.queries(kit.env.action_space), budget.queries
        due = kit.rng.actor.choice(budget.n_steps, budget.n_states, replace=False)
        self._due = np.sort(due)
        self.tried: list[int] = []
        self.cheapest: list[Array] = []
        self.regrets: list[float] = []
        self.env_steps = self.queries = self._seen = 0

    def __call__(self, observation: Observation) -> None:
        """Evaluates actions in those of the observations that were sampled."""
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
            # Subtract before averaging: the mean of equal costs may differ in its last digit.
            self.regrets.append(float((cost - cost.min()).mean()))

    def _candidates(self, observation: Observation) -> Array:
        """Returns the actions to evaluate, (m, K, *action_shape)."""
        space, rng = self._kit.env.action_space, self._kit.rng.actor
        if space.kind != "box":
            return np.stack([all_actions(space, instead=INSTEAD)] * len(observation))
        best = self._kit.expert.act(observation, rng).actions
        self.queries += len(observation)
        own = self._policy.act(observation, rng)
        self.queries += int(own.from_expert.sum())
        draws = _uniform(space, (len(observation), self._settings.candidates - 2), rng)
        return np.concatenate([best[:, None], own.actions[:, None], draws], axis=1)

    def _costs(self, snapshot: Snapshot, slots: Array, candidates: Array) -> Array:
        """Returns minus the mean return of each candidate over the horizon, (m, K)."""
        n_tried, repeats = candidates.shape[1], self._settings.repeats
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
        """Returns the return of one roll-out each, (k,), from slots `origin` of the snapshot."""
        scratch, follow, rng = self._kit.scratch, self._follow, self._kit.rng.actor
        assert scratch is not None, "a trainer with cost roll-outs must set needs_state_restore"
        rows = np.concatenate([origin, np.full(scratch.n_envs - len(origin), origin[0])])
        scratch.restore({name: array[rows] for name, array in snapshot.items()})
        returns, alive = np.zeros(len(origin)), np.arange(len(origin))
        for step in range(self._settings.horizon):
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
    """Draws uniformly from a Box, (*n, *action_shape).

    Open sides end at -1 and 1, or 1 beyond the other side where that is further.
    """
    has_low, has_high = space.limits
    low, high = np.where(has_low, space.low, -1.0), np.where(has_high, space.high, 1.0)
    low = np.where(has_low, low, np.minimum(low, high - 1))
    high = np.where(has_high, high, np.maximum(high, low + 1))
    # Widened by half a unit, so that rounding leaves all integers equally likely.
    half = 0.5 if space.whole else 0.0
    draws = rng.uniform(low - half, high + half, size=(*n, space.size))
    return space.cast(np.clip(draws, low, high)).reshape(*n, *space.shape)
