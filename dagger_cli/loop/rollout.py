"""Rollout and labelling, the two operations shared by all trainers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dagger_cli.core.dataset import Dataset
from dagger_cli.core.errors import EnvError
from dagger_cli.core.kit import Kit
from dagger_cli.core.types import Acts, Array, AskingEnv, Env, Observation, Policy, Trajectories

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
    with kit.clock("collect"):
        while start < n_steps:
            if asking is not None:
                start -= asking.ask(start)
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
            acts = actor.act(observation, kit.rng.actor)
            rows.actions[here], rows.from_expert[here] = acts
            step = env.step(slots, acts.actions)
            rows.rewards[here], rows.ended[here] = step.rewards, step.ended
            over = step.ended if until is None else step.ended | (env.observation.t[slots] >= until)
            if over.any():
                _start(kit, np.flatnonzero(over))
            start += width
    check_finite("a reward", rows.rewards)
    check_finite("an observation", rows.obs)
    observations = Observation(rows.obs, rows.steps, rows.privileged)
    slots = np.resize(all_slots, n_steps)
    return Trajectories(
        observations, Acts(rows.actions, rows.from_expert), slots, rows.rewards, rows.ended
    )


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
    data = Dataset(observations.obs, observations.t, labels, (len(visited),))
    if where is not None:
        observations, data = observations[where], data[where]
    if kit.safety_expert is not None:
        with kit.clock("label"):
            data = replace(data, fatal=kit.safety_expert.unsafe_actions(observations))
    return data
