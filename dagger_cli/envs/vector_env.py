"""The core `Env` for Gymnasium: steps, the record of episodes, and replay from their seeds."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.seeds import TRAIN_SEEDS
from dagger_cli.core.types import Array, Observation, Snapshot, Space, Step
from dagger_cli.envs.buffers import Buffers

Failure = Literal["none", "crash", "terminated", "truncated", "unsolved"]
CRASH_REWARD = -100.0  # reward of a fall or crash in the Box2D environments


class Engine(Protocol):
    """Executes a command for the active rows of the buffers and returns when it is done."""

    def reset(self) -> None:
        """Starts an episode in each active slot from its seed."""
        ...

    def step(self) -> None:
        """Steps each active slot once."""
        ...

    def close(self) -> None:
        """Releases all resources; may be called twice."""
        ...


class ActionLog:
    """Record of the actions of every slot's current episode, one row per step."""

    def __init__(self, n: int, space: Space) -> None:
        self._rows = np.zeros((128, n, *space.shape), space.dtype)

    def write(self, slots: Array, steps: Array, actions: Array) -> None:
        """Records the action of slot `slots[i]` at step `steps[i]` of its episode."""
        try:
            self._rows[steps, slots] = actions
        except IndexError:  # cheaper than to compute the longest episode at every step
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._rows[steps, slots] = actions

    def episodes(self, lengths: Array) -> Array:
        """Returns the actions of episodes of `lengths` (n,), zero-padded at the end.

        The shape is (n, longest, *action_shape).
        """
        rows = np.array(np.swapaxes(self._rows[: int(lengths.max())], 0, 1))
        rows[np.arange(rows.shape[1]) >= lengths[:, None]] = 0  # left from longer episodes
        return rows


class VectorEnv:
    """n Gymnasium environments as a core `Env`; `failure` defines `Step.failed`.

    Box actions are clipped to the bounds. `snapshot` stores each slot's seed and actions, and
    `restore` replays them: exact where equal seeds and actions give equal episodes, which need not
    hold for a simulator with its own randomness. `privileged` (n, ...) is what the engine writes
    for experts.
    """

    def __init__(
        self,
        observation_space: Space,
        action_space: Space,
        failure: Failure,
        buffers: Buffers,
        engine: Engine,
        privileged: Array | None = None,
    ) -> None:
        self.observation_space = observation_space
        self.action_space = action_space
        self.n_envs = len(buffers.active)
        self._failure = failure
        self._buffers, self._privileged = buffers, privileged
        self._engine = engine
        self._steps = np.zeros(self.n_envs, np.int64)
        self._started = np.zeros(self.n_envs, np.bool_)
        self._playing = np.zeros(self.n_envs, np.bool_)
        self._log = ActionLog(self.n_envs, action_space)
        self._low, self._high = _bounds(action_space)

    @property
    def observation(self) -> Observation:
        """Current observations of all slots; overwritten by `reset` and `step`."""
        return Observation(self._buffers.obs, self._steps, self._privileged)

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts a new episode in each of `slots` (k,), from `seeds` (k,)."""
        self._buffers.seeds[slots] = seeds
        self._activate(slots)
        self._engine.reset()
        self._steps[slots] = 0
        self._started[slots] = self._playing[slots] = True
        self._check_finite()

    def step(self, slots: Array, actions: Array) -> Step:
        """Steps each of `slots` (k,) once; none of them may have ended."""
        assert self._playing[slots].all(), "a slot without a running episode was stepped"
        buffers = self._buffers
        buffers.actions[slots] = self._playable(slots, actions)
        self._log.write(slots, self._steps[slots], buffers.actions[slots])
        self._activate(slots)
        self._engine.step()
        self._steps[slots] += 1
        rewards, terminated = buffers.rewards[slots], buffers.terminated[slots]
        truncated = buffers.truncated[slots]
        self._playing[slots] = ~(terminated | truncated)
        self._check_finite()
        return Step(rewards, terminated, truncated, self._failed(rewards, terminated, truncated))

    def snapshot(self) -> Snapshot:
        """Returns seeds (n,), lengths (n,), actions (n, longest, *action_shape), started (n,)."""
        return {
            "seeds": self._buffers.seeds.copy(),
            "lengths": self._steps.copy(),
            "actions": self._log.episodes(self._steps),
            "started": self._started.copy(),
        }

    def restore(self, snapshot: Snapshot) -> None:
        """Replays every slot's episode up to the snapshot; raises EnvError where it differs."""
        seeds, lengths, started = (snapshot[key] for key in ("seeds", "lengths", "started"))
        if len(seeds) != self.n_envs:
            raise EnvError(
                f"the saved state is of {len(seeds)} environments, but there are {self.n_envs}; "
                f"use n_envs={len(seeds)}"
            )
        _check_replay(snapshot, self.action_space)
        self._buffers.obs[:] = 0
        self._steps[:] = 0
        self._started[:] = self._playing[:] = False
        slots = np.flatnonzero(started)
        self.reset(slots, seeds[slots])
        for t in range(int(lengths.max())):
            slots = np.flatnonzero(lengths > t)
            if not self._playing[slots].all():
                raise EnvError(
                    "a replayed episode ended sooner than the saved one: this environment is not "
                    "deterministic given its seed; try a new run with env.fresh_simulator=true"
                )
            self.step(slots, snapshot["actions"][slots, t])

    def close(self) -> None:
        """Releases environments and processes; may be called twice."""
        self._engine.close()

    def _activate(self, slots: Array) -> None:
        self._buffers.active[:] = False
        self._buffers.active[slots] = True

    def _check_finite(self) -> None:
        """Raises EnvError for nan and inf, which would otherwise appear as a policy's failure.

        The last observation of an episode may be anything: no policy gets it.
        """
        obs = self._buffers.obs
        if obs.dtype.kind != "f" or np.isfinite(obs).all():
            return
        for slot in np.flatnonzero(self._playing).tolist():
            wrong = np.flatnonzero(~np.isfinite(obs[slot]))
            if wrong.size:
                raise EnvError(
                    "the environment gave an observation that is not a finite number: component "
                    f"{wrong[0]} is {obs[slot].flat[wrong[0]]} after {self._steps[slot]} steps of "
                    f"the episode with seed {self._buffers.seeds[slot]}"
                )

    def _playable(self, slots: Array, actions: Array) -> Array:
        """Clips the actions to the bounds; raises EnvError for a wrong shape, nan or inf."""
        expected = (len(slots), *self.action_space.shape)
        if np.shape(actions) != expected:
            raise EnvError(f"actions have the shape {np.shape(actions)}, expected {expected}")
        if self.action_space.kind != "box":
            return actions
        if not np.isfinite(actions).all():
            raise EnvError("an action is not a finite number: the policy has diverged")
        # Equal to np.clip, which takes five times as long for so few numbers.
        return np.asarray(np.minimum(np.maximum(actions, self._low), self._high))

    def _failed(self, rewards: Array, terminated: Array, truncated: Array) -> Array:
        if self._failure == "crash":
            return np.asarray(terminated & (rewards <= CRASH_REWARD))
        if self._failure == "terminated":
            return np.array(terminated)
        if self._failure == "truncated":
            return np.asarray(truncated & ~terminated)
        if self._failure == "unsolved":
            return np.asarray((terminated | truncated) & (rewards < 0))
        return np.zeros_like(terminated)


def _check_replay(snapshot: Snapshot, space: Space) -> None:
    """Raises EnvError unless the episodes can be replayed: simulators do not check their input."""
    seeds, lengths, started = (snapshot[key] for key in ("seeds", "lengths", "started"))
    actions, n = snapshot["actions"], len(seeds)
    dtypes = [array.dtype.name for array in (seeds, lengths, started)] == ["int64", "int64", "bool"]
    shapes = seeds.shape == lengths.shape == started.shape == (n,) == actions.shape[:1]
    if not (
        dtypes and shapes and actions.ndim > 1 and ((seeds >= 0) & (seeds < TRAIN_SEEDS.stop)).all()
    ):
        raise EnvError("the saved state contains no episodes: it was altered")
    played = np.arange(actions.shape[1]) < lengths[:, None]
    whole = (lengths >= 0).all() and (lengths <= actions.shape[1]).all()
    if not whole or not (started | (lengths == 0)).all() or not space.contains(actions[played]):
        raise EnvError("the saved state contains actions that nobody can play: it was altered")


def episode(env: VectorEnv, steps: int) -> Array:
    """Plays the first slot for some steps with a constant action; returns what was seen."""
    slot, space = np.zeros(1, np.int64), env.action_space
    flat = space.centre_and_half()[1] if space.kind == "box" else np.full(space.size, space.start)
    action = space.cast(flat).reshape(1, *space.shape)
    env.reset(slot, slot)
    seen = [env.observation.obs[0].copy()]
    for _ in range(steps):
        if env.step(slot, action).ended[0]:
            break
        seen.append(env.observation.obs[0].copy())
    return np.array(seen)


def _bounds(space: Space) -> tuple[Array, Array]:
    """Returns lowest and highest action of a box, (*action_shape) each; empty otherwise."""
    if space.kind != "box":
        return np.empty(0), np.empty(0)
    low = np.array(space.low, space.dtype).reshape(space.shape)
    return low, np.array(space.high, space.dtype).reshape(space.shape)
