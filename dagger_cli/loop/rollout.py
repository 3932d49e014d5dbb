"""Rollout and labelling, the two operations shared by all trainers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dagger_cli.core.compact import CompactRows
from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import EnvError
from dagger_cli.core.kit import Kit
from dagger_cli.core.past import joined
from dagger_cli.core.types import (
    Acts,
    Array,
    AskingEnv,
    DeferredExpert,
    Env,
    Observation,
    Policy,
    Trajectories,
    Usage,
)

Watch = Callable[[Observation], None]


def begin(kit: Kit) -> None:
    """Starts a training episode in every slot; later ones start as episodes end."""
    _start(kit, np.arange(kit.env.n_envs))


def _start(kit: Kit, slots: Array) -> None:
    kit.env.reset(slots, kit.rng.env.take(len(slots)))


class _Rows(NamedTuple):
    """Arrays of a `Trajectories`, filled as the environment is stepped."""

    obs: Array
    steps: Array
    privileged: Array | None
    actions: Array
    from_expert: Array
    rewards: Array
    ended: Array
    terminated: Array
    failed: Array

    @classmethod
    def empty(cls, env: Env, n: int) -> _Rows:
        observation, space = env.observation, env.action_space
        privileged = observation.privileged
        return cls(
            np.empty((n, *observation.obs.shape[1:]), observation.obs.dtype),
            np.empty(n, np.int64),
            None if privileged is None else np.empty((n, *privileged.shape[1:]), privileged.dtype),
            np.empty((n, *space.shape), space.dtype),
            np.empty(n, bool),
            np.empty(n, np.float64),
            np.empty(n, bool),
            np.empty(n, bool),
            np.empty(n, bool),
        )


def rollout(
    kit: Kit,
    actor: Policy,
    n_steps: int,
    *,
    until: int | None = None,
    n_slots: int | None = None,
    watch: Watch | None = None,
) -> Trajectories:
    """Takes exactly `n_steps` env steps, all slots at once, continuing the running episodes.

    An episode that ends, or has taken `until` steps, is followed by a new one at once. Episodes
    still running at the end continue in the next round. Only the first `n_slots` slots are stepped,
    None for all. `watch` is called with the observations before each step. Steps that a person
    takes back (`AskingEnv`) are taken again.
    """
    env, rows = kit.env, _Rows.empty(kit.env, n_steps)
    all_slots = np.arange(n_slots or env.n_envs)
    width, start = len(all_slots), 0
    asking = env if isinstance(env, AskingEnv) else None
    last_rows: list[Array] = [np.empty(0, np.int64)]
    last_obs: list[Array] = [rows.obs[:0]]
    pasts: list[CompactRows] = []  # of each step, where students carry a state
    with kit.clock("collect"):
        while start < n_steps:
            if asking is not None:
                start -= asking.ask(start)
                while last_rows[-1].size and last_rows[-1][0] >= start:  # one slot: one row each
                    del last_rows[-1], last_obs[-1]
                del pasts[start:]
            slots = all_slots[: n_steps - start]
            here = slice(start, start + len(slots))
            observation = (
                env.observation if len(slots) == env.n_envs else env.observation[: len(slots)]
            )
            if watch is not None:
                watch(observation)
            rows.obs[here], rows.steps[here] = observation.obs, observation.t
            if rows.privileged is not None:
                rows.privileged[here] = observation.privileged
            if observation.past is not None:
                pasts.append(observation.past)
            acts = actor.act(observation, kit.rng.actor)
            rows.actions[here], rows.from_expert[here] = acts
            step = env.step(slots, acts.actions)
            rows.rewards[here], rows.ended[here] = step.rewards, step.ended
            rows.terminated[here], rows.failed[here] = step.terminated, step.failed
            over = step.ended if until is None else step.ended | (env.observation.t[slots] >= until)
            if over.any():
                done = np.flatnonzero(over)
                last_rows.append(start + done)
                last_obs.append(env.observation.obs[done])  # an index array: a copy
                _start(kit, done)
            start += width
    check_finite("a reward", rows.rewards)
    check_finite("an observation", rows.obs)
    past = joined(pasts) if pasts else None
    observations = Observation(rows.obs, rows.steps, rows.privileged, past)
    slots = np.resize(all_slots, n_steps)
    return Trajectories(
        observations,
        Acts(rows.actions, rows.from_expert),
        slots,
        rows.rewards,
        rows.ended,
        rows.terminated,
        rows.failed,
        np.concatenate(last_rows),
        np.concatenate(last_obs),
    )


class Collected(NamedTuple):
    """The labelled rows of one round, and what they used."""

    fresh: Dataset
    usage: Usage


def collect(kit: Kit, round: int, actor: Policy) -> Collected:
    """Rolls out `actor` for a round (from 0) and labels the visited states.

    Takes the round's recorded rows instead where it has some.
    """
    recorded = kit.recorded.of(round)
    if recorded is not None:
        return Collected(recorded, Usage(0, len(recorded)))
    visited = rollout(kit, actor, kit.budget.steps(round))
    deferred = isinstance(kit.expert, DeferredExpert)
    fresh = _deferred(kit, round, visited) if deferred else label(kit, visited)
    return Collected(fresh, Usage(len(visited), len(fresh)))


def _deferred(kit: Kit, round: int, visited: Trajectories) -> Dataset:
    """Returns the states that have been labelled since; raises Paused while they are too few."""
    assert isinstance(kit.expert, DeferredExpert)
    observations = visited.observations
    labels, known = kit.expert.labels_of_round(round, observations)
    data = Dataset(observations.rows, observations.t, labels, (len(visited),))
    if known.all():
        return replace(data, played=_played(visited, None))
    return replace(data[known], played=_played(visited, known))


def check_finite(what: str, numbers: Array) -> None:
    """Raises EnvError where `numbers` has nan or inf, from which nothing can be learned."""
    if numbers.dtype.kind == "f" and not np.isfinite(numbers).all():
        raise EnvError(f"the environment gave {what} that is not a finite number")


def label(kit: Kit, visited: Trajectories, where: Array | None = None) -> Dataset:
    """Labels the visited states with the expert's actions; one query per state.

    `where` (N,) bool selects the states, None for all. Where the expert acted, its action is the
    label, without a second query; all others are labelled in one batch. Where the learner's loss
    uses unsafe actions, they are added.
    """
    labels, from_expert = visited.acts.actions, visited.acts.from_expert
    missing = np.flatnonzero(~from_expert if where is None else where & ~from_expert)
    if missing.size:
        with kit.clock("label"):
            labels = labels.copy()
            labels[missing] = kit.expert.act(visited.observations[missing], kit.rng.actor).actions
    observations = visited.observations
    data = Dataset(observations.rows, observations.t, labels, (len(visited),))
    if where is not None:
        observations, data = observations[where], data[where]
    data = replace(data, played=_played(visited, where))
    if kit.safety_expert is not None:
        with kit.clock("label"):
            data = replace(data, fatal=kit.safety_expert.unsafe_actions(observations))
    return data


def _played(visited: Trajectories, where: Array | None) -> dict[str, Array]:
    """Returns how the labelled rows came about, as columns; the last observations where all are.

    `slot` and the order of the rows give the episodes: one starts where `steps` is 0. Of some rows
    alone, `begun` counts the episodes of the slot that have begun in the round.
    """
    columns = {
        "action": visited.acts.actions,
        "from_expert": visited.acts.from_expert,
        "slot": visited.slots.astype(np.int32),
        "reward": visited.rewards,
        "terminated": visited.terminated,
        "truncated": visited.ended & ~visited.terminated,
        "failed": visited.failed,
    }
    if where is not None:
        columns["begun"] = _begun(visited)
        return {name: column[where] for name, column in columns.items()}
    return {**columns, "last_rows": visited.last_rows, "last_obs": visited.last_obs}


def _begun(visited: Trajectories) -> Array:
    """Returns how many episodes of its slot have begun up to each row, (N,) int32."""
    begun = np.zeros(len(visited), np.int32)
    for slot in np.unique(visited.slots):
        here = visited.slots == slot
        begun[here] = np.cumsum(visited.observations.t[here] == 0)
    return begun
