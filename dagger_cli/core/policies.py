"""Combinations of policies: mixtures, ensembles, non-stationary and gated policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Protocol, cast, runtime_checkable

import numpy as np
from numpy.random import Generator

from dagger_cli.core.types import Acts, Array, Observation, Policy, Space

FEW_ROWS = 512  # with more rows, one call per member no longer dominates the time


@runtime_checkable
class Joins(Protocol):
    """Policy that can act for several policies of its learner in one forward pass.

    A mixture of many small networks then takes about the time of one network.
    """

    def joins(self) -> bool:
        """Returns whether this policy supports it."""
        ...

    def act_for(self, members: Sequence[Policy], chosen: Array, observation: Observation) -> Array:
        """Returns actions, (n, *action_shape); row i is `members[chosen[i]]`'s, (n,) int."""
        ...


def act_each(
    members: Sequence[Policy], chosen: Array, observation: Observation, rng: Generator
) -> Acts:
    """Acts with `members[chosen[i]]` in row i, (n,) int; a member gets its rows as one batch."""
    counts: list[int] = np.bincount(chosen, minlength=len(members)).tolist()
    present = [i for i, count in enumerate(counts) if count]
    if len(present) == 1:
        return members[present[0]].act(observation, rng)
    groups = _groups(members, present) if len(observation) <= FEW_ROWS else [[m] for m in present]
    ranks = chosen if len(groups) == len(present) else _ranks(groups, len(members))[chosen]
    # Sorted by group, the rows of a group are a slice, which is cheaper than an index array.
    order = np.argsort(ranks, kind="stable")
    rows, actors = observation[order], chosen[order]
    parts, begin = [], 0
    for group in groups:
        here = slice(begin, begin + sum([counts[m] for m in group]))
        parts.append(_answers(group, members, actors[here], rows[here], rng))
        begin = here.stop
    sorted_actions = np.concatenate([part.actions for part in parts])
    actions, from_expert = np.empty_like(sorted_actions), np.empty(len(observation), bool)
    actions[order], from_expert[order] = (
        sorted_actions,
        np.concatenate([part.from_expert for part in parts]),
    )
    return Acts(actions, from_expert)


def _ranks(groups: Sequence[list[int]], n_members: int) -> Array:
    """Returns the group index of each member, (n_members,); 0 for members in none."""
    ranks = np.zeros(n_members, np.int64)
    for i, group in enumerate(groups):
        ranks[group] = i
    return ranks


def _groups(members: Sequence[Policy], present: Sequence[int]) -> list[list[int]]:
    """Groups the members that share a forward pass.

    All that can are one group, also absent ones, so that its composition never changes.
    """
    joint = [i for i, member in enumerate(members) if _joins(member)]
    if len(set(joint).intersection(present)) < 2:
        return [[member] for member in present]
    return [joint, *([member] for member in present if member not in joint)]


def _joins(member: Policy) -> bool:
    return _can_join(type(member)) and cast(Joins, member).joins()


@cache  # isinstance with a Protocol takes longer than the forward pass
def _can_join(kind: type) -> bool:
    return issubclass(kind, Joins)


def _answers(
    group: list[int],
    members: Sequence[Policy],
    chosen: Array,
    observation: Observation,
    rng: Generator,
) -> Acts:
    if len(group) == 1:
        return members[group[0]].act(observation, rng)
    joint = [members[m] for m in group]
    actions = cast(Joins, joint[0]).act_for(joint, np.searchsorted(group, chosen), observation)
    return Acts(actions, np.zeros(len(observation), bool))


@dataclass(frozen=True)
class Mixture:
    """Stochastic mixture: draws one member per row at every step; the weights sum to 1."""

    members: tuple[Policy, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        assert len(self.members) == len(self.weights) and min(self.weights) >= 0
        assert abs(sum(self.weights) - 1) < 1e-9, self.weights

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in every row with the member drawn for it; a member gets only its own rows."""
        return act_each(self.members, drawn(self.weights, len(observation), rng), observation, rng)


def members(mixture: Policy | None) -> tuple[Policy, ...]:
    """Returns the members of a mixture; none before the first round."""
    return mixture.members if isinstance(mixture, Mixture) else ()


def without_expert(learned: tuple[Policy, ...], weights: Sequence[float]) -> Mixture:
    """Returns the deployed mixture: all members but the expert (the first weight), renormalized.

    Members of weight 0 are kept, so that members can be counted.
    """
    left = np.asarray(weights[1:], np.float64)
    return Mixture(learned, tuple((left / left.sum()).tolist()))


def drawn(weights: Sequence[float], n: int, rng: Generator) -> Array:
    """Draws a member for each of n rows, (n,) int; uses no randomness if one weight is 1."""
    if max(weights) == 1:
        return np.full(n, np.argmax(weights))
    return _inner_edges(tuple(weights)).searchsorted(rng.random(n), side="right")


@lru_cache(maxsize=4)  # called at every step
def _inner_edges(weights: tuple[float, ...]) -> Array:
    return np.cumsum(weights)[:-1]


class EpisodeMixture:
    """Mixture that draws a member per slot for a whole episode instead of for every step.

    Rows must be all slots in order, as in `rollout`. Episodes already running at construction draw
    their member at the first call. Stateful: holds the member of each slot, within one round.
    """

    def __init__(self, members: tuple[Policy, ...], weights: tuple[float, ...]) -> None:
        self._members, self._weights = members, weights
        self._playing: Array = np.empty(0, np.int64)

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in every row with the member of its episode."""
        fresh = observation.t == 0
        known = min(len(self._playing), len(observation))
        fresh[known:] = True
        playing = np.concatenate(
            [self._playing[:known], np.zeros(len(observation) - known, np.int64)]
        )
        playing[fresh] = drawn(self._weights, int(fresh.sum()), rng)
        self._playing = np.concatenate([playing, self._playing[len(observation) :]])
        return act_each(self._members, playing, observation, rng)


@dataclass(frozen=True)
class NonStationaryPolicy:
    """A non-stationary policy: member i acts in steps i*k to (i+1)*k - 1 of an episode.

    `k` is the length of a slot in steps; the member of the last slot continues after it.
    """

    members: tuple[Policy, ...]
    k: int

    def slots(self, steps: Array) -> Array:
        """Returns the index of the member that acts after `steps` steps, (n,) int."""
        return np.asarray(np.minimum(steps // self.k, len(self.members) - 1))

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in every row with the member of its slot."""
        return act_each(self.members, self.slots(observation.t), observation, rng)


@dataclass(frozen=True)
class Ensemble:
    """Several fits of one learner: acts with the mean of Box actions, otherwise with a vote.

    The vote is per component; ties go to the smallest choice.
    """

    members: tuple[Policy, ...]
    space: Space

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts with the mean or the vote of the members."""
        return Acts(self._common(self.answers(observation, rng)), np.zeros(len(observation), bool))

    def spread(self, observation: Observation, rng: Generator) -> Array:
        """Returns the disagreement, (n,): mean `distance` of the members from the joint action."""
        answers = self.answers(observation, rng)
        common = self._common(answers)
        gaps = np.stack([distance(self.space, answer, common) for answer in answers])
        return np.asarray(gaps.mean(0))

    def answers(self, observation: Observation, rng: Generator) -> Array:
        """Returns the action of every member, (members, n, *action_shape)."""
        size, n = len(self.members), len(observation)
        chosen = np.repeat(np.arange(size), n)
        acts = act_each(self.members, chosen, observation[np.tile(np.arange(n), size)], rng)
        return acts.actions.reshape(size, n, *acts.actions.shape[1:])

    def _common(self, answers: Array) -> Array:
        if self.space.kind == "box":
            common = answers.mean(0, dtype=np.float64)
        else:
            choices = np.unique(answers)
            votes = [(answers == choice).sum(0) for choice in choices]
            common = choices[np.argmax(votes, axis=0)]
        return self.space.cast(common)


@dataclass(frozen=True)
class GatedPolicy:
    """Acts with `expert` in the rows that `gate` selects and with `novice` in all others."""

    novice: Policy
    expert: Policy
    gate: Callable[[Observation, Generator], Array]  # (n,) bool

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Acts in every row with the policy that the gate selects."""
        chosen = self.gate(observation, rng).astype(np.int64)
        return act_each((self.novice, self.expert), chosen, observation, rng)


def distance(space: Space, actions: Array, others: Array) -> Array:
    """Returns the distance between actions, (n,), in [0, 1] where a Box has bounds.

    Box: mean absolute difference of the components relative to their range (unbounded: absolute).
    Otherwise: the fraction of components that differ.
    """
    n = len(actions)
    if space.kind != "box":
        return np.asarray((actions != others).reshape(n, -1).mean(1))
    low, high = np.asarray(space.low, np.float64), np.asarray(space.high, np.float64)
    ranges = np.where(space.bounded & (low < high), high - low, 1.0)
    gaps = np.abs(actions.astype(np.float64) - others).reshape(n, -1)
    return np.asarray((gaps / ranges).mean(1))
