"""Beam search decoding for sequence labelling, an alternative to the greedy policy.

From each seed up to `width` hypotheses (unfinished episodes) run in parallel. At every step all
continuations of a seed's hypotheses compete by the sum of their scores so far; the result is the
hypothesis with the highest sum at the end. A later label can thus correct an uncertain earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Env, Observation, Score
from dagger_cli.core.values import at_least


@runtime_checkable
class Scorer(Protocol):
    """Policy that scores every choice of a discrete action."""

    def scores(self, observation: Observation) -> Array:
        """Returns scores, (n, choices): higher is better, and additive over an episode."""
        ...


@runtime_checkable
class Copies(Protocol):
    """Environment that can copy the state of one slot to another."""

    def copy_slots(self, to: Array, source: Array) -> None:
        """Copies the state of slot `source[i]` to slot `to[i]`, (k,) each."""
        ...


def beam_search(env: Env, policy: object, seeds: Sequence[int], width: int) -> Score:
    """Scores one episode per seed with a beam of `width`; `env` needs `width` slots per seed.

    The length of an episode must depend on its seed alone. Width 1 is the greedy policy. Raises
    ConfigError where the environment or the policy does not support beam search.
    """
    _check(env, policy, width)
    assert isinstance(policy, Scorer) and isinstance(env, Copies)
    assert env.n_envs >= width * len(seeds), "too few slots"
    order = np.repeat(np.asarray(seeds, np.int64), width)
    slots: Array = np.arange(len(order))
    env.reset(slots, order)
    returns, lengths = np.zeros(len(order)), np.zeros(len(order), np.int64)
    failed = np.zeros(len(order), bool)
    totals = np.full(len(order), -np.inf)
    totals[::width] = 0.0  # all hypotheses of a seed start equal: only one may be extended
    while slots.size:
        rated = totals[slots, None] + policy.scores(env.observation[slots]).astype(np.float64)
        parents, choices, totals[slots] = _fittest(rated, slots, width)
        moved = np.flatnonzero(parents != slots)
        env.copy_slots(slots[moved], parents[moved])
        returns[slots], failed[slots] = returns[parents], failed[parents]
        step = env.step(slots, choices + env.action_space.start)
        returns[slots] += step.rewards
        failed[slots] |= step.failed
        lengths[slots] += 1
        slots = slots[~step.ended]
    # The first hypothesis of every seed is its best.
    return Score(order[::width], returns[::width], lengths[::width], failed[::width])


def _fittest(rated: Array, slots: Array, width: int) -> tuple[Array, Array, Array]:
    """Returns the `width` best continuations of every seed: parent slot, choice and total, (k,).

    Sorted by total; ties go to the earlier hypothesis, then to the smaller choice.
    """
    choices = rated.shape[1]
    pool = rated.reshape(-1, width * choices)
    best = np.argsort(-pool, axis=1, kind="stable")[:, :width]
    parents = slots.reshape(-1, width)[np.arange(len(pool))[:, None], best // choices]
    totals = np.take_along_axis(pool, best, axis=1)
    return parents.ravel(), (best % choices).ravel(), totals.ravel()


def _check(env: Env, policy: object, width: int) -> None:
    at_least("width", width, 1)
    if not isinstance(env, Copies) or env.action_space.kind != "discrete":
        raise ConfigError(
            "decode=beam needs an environment that labels sequences (env=handwriting or "
            "env=sequence); use decode=greedy"
        )
    if not isinstance(policy, Scorer):
        raise ConfigError(
            f"decode=beam needs a policy that scores its choices, and a {type(policy).__name__} "
            "does not: use policy=svm, mlp or glyphs, or decode=greedy"
        )
