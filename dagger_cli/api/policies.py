"""`load_policy` and `load_expert`: policies with stable-baselines3's `predict`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from dagger_cli.api.overrides import said_in_a_sentence, words_of
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.tape import Tape
from dagger_cli.core.types import Array, Card, Observation, Policy, Space


@dataclass(frozen=True)
class LoadedPolicy:
    """Trained policy or expert with `predict`, for Gymnasium loops and SB3's `evaluate_policy`.

    `policy` acts on batches (`Policy.act`); `card` describes an expert, None for a trained policy.
    `rng` is used by stochastic policies, such as mixtures; `carries`: the policy acts by all that
    it has observed in an episode (`policy.carry`).
    """

    policy: Policy
    observation_space: Space
    action_space: Space
    card: Card | None = None
    rng: Generator = field(default_factory=lambda: np.random.default_rng(0))
    carries: bool = False

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = True,
    ) -> tuple[Any, Any]:
        """Returns actions for one observation or for n, and the state for the next call.

        `observation` is (*obs_shape) or (n, *obs_shape); actions have the same batching. Pass the
        state back with `episode_start` (n,) bool, as stable-baselines3 does: it counts the steps of
        each episode, which only policies of `trainer=forward` read, and of policies with
        `policy.carry` it has the episodes so far, to which the call adds the observations. Without
        a state all episodes begin. `deterministic` is accepted for compatibility: how a policy acts
        was decided when it was loaded.

        Raises ConfigError for an observation of another shape, or of another number than the state.
        """
        obs = np.asarray(observation)
        shape = tuple(self.observation_space.shape)
        one = obs.shape == shape
        batch = obs[None] if one else obs
        if batch.shape[1:] != shape:
            raise ConfigError(
                f"the policy takes observations of shape {shape}, or (n, {str(shape)[1:]}; got "
                f"{obs.shape}"
            )
        rows = batch.astype(self.observation_space.dtype, copy=False)
        starts = np.zeros(len(rows), bool)
        if episode_start is not None:
            starts |= np.asarray(episode_start, bool).reshape(-1)
        seen, after = self._seen(rows, state, starts)
        actions = self.policy.act(seen, self.rng).actions
        return (actions[0] if one else actions), after

    def _seen(self, rows: Array, state: Any, starts: Array) -> tuple[Observation, Any]:
        """Returns the observations as the policy takes them, and the next state."""
        if not self.carries:
            t = np.zeros(len(rows), np.int64) if state is None else np.asarray(state, np.int64)
            t = np.where(starts, 0, t)
            return Observation(rows, t), t + 1
        tape = Tape(len(rows), rows.shape[1:], rows.dtype.name) if state is None else state
        if len(tape.past) != len(rows):
            raise ConfigError(
                f"the state is of {len(tape.past)} episodes, but there are {len(rows)} "
                "observations: pass the state of the same environments, or None"
            )
        begins = np.flatnonzero(starts | (state is None))
        goes_on = np.flatnonzero(~starts & (state is not None))
        tape.start(begins, rows[begins])
        tape.push(goes_on, rows[goes_on])
        return Observation(rows, tape.past, past=tape.rows), tape


def load_policy(path: str | Path, *, trust: Sequence[str] = ()) -> LoadedPolicy:
    """Loads the policy of a run (its best round) or of a checkpoint folder.

    A student that sees some components of an observation takes whole ones; of any other view it
    takes what it saw in training (docs/views.md).

    `trust` names packages besides this one whose classes the checkpoint may create. Raises
    CheckpointError where a file is missing, damaged, or names another class.
    """
    from dagger_cli.config.from_checkpoint import student_parts
    from dagger_cli.tracking.checkpoint import load_policy as read
    from dagger_cli.tracking.checkpoint import read_manifest, resolve_checkpoint

    folder = resolve_checkpoint(path)
    env, learner = student_parts(read_manifest(folder).config, tuple(trust))
    source = env.source
    policy = read(folder, learner, source.action_space)
    if source is not env.full and source.view.selects_only:
        in_full = source.view.in_full(env.full.observation_space, source.action_space)
        return LoadedPolicy(in_full(policy), env.full.observation_space, source.action_space)
    spaces = source.observation_space, source.action_space
    return LoadedPolicy(policy, *spaces, carries=getattr(source, "with_past", False))


def load_expert(overrides: Sequence[str] | str) -> LoadedPolicy:
    """Loads an expert by the groups `env` and `expert`, such as `["env=bipedal", "expert=hub"]`.

    Raises DaggerError where it cannot be loaded or does not fit the environment.
    """
    from dagger_cli.cli.compose import composed
    from dagger_cli.config.build import expert_parts

    with said_in_a_sentence(), composed("expert show", words_of(overrides)) as cfg:
        env, expert = expert_parts(cfg)
    spaces = env.source.observation_space, env.source.action_space
    return LoadedPolicy(expert, *spaces, card=expert.card)
