"""Sequence labelling from left to right: a sequence is an episode, a token a step.

An observation is the features of the token (and of `before` tokens to its left and `after` to its
right, zeros beyond the ends), followed by the last `history` actions, latest first, one-hot each;
before the sequence's start they are all zeros. A correct label has reward 1, so the return is the
number of correct labels. `privileged` is the true label.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dagger_cli.core.errors import ConfigError, EnvError
from dagger_cli.core.types import Array, Observation, Snapshot, Space, Step
from dagger_cli.envs.sequences.table import Sequences


@dataclass(frozen=True)
class ObservationConfig:
    """Contents of an observation besides its own token."""

    history: int  # number of last actions
    before: int  # tokens to the left
    after: int  # tokens to the right

    def __post_init__(self) -> None:
        for key in ("history", "before", "after"):
            if getattr(self, key) < 0:
                raise ConfigError(f"env.{key} must be 0 or more, got {getattr(self, key)}")

    def observation_space(self, sequences: Sequences) -> Space:
        """Returns a flat box: the window's features from left to right, then the history."""
        tokens = sequences.tokens
        features = tokens.shape[1] * (self.before + 1 + self.after)
        choices = len(sequences.names) * self.history
        edge = (0.0, 1.0) if tokens.dtype == np.uint8 else (-np.inf, np.inf)
        low, high = ((x,) * features for x in edge)
        low, high = low + (0.0,) * choices, high + (1.0,) * choices
        return Space("box", (features + choices,), tokens.dtype.name, low, high)


class SequenceEnv:
    """`n_envs` sequences in parallel, all advanced by the same numpy calls.

    `choose` maps seeds (k,) to indices of sequences (k,).
    """

    def __init__(
        self,
        sequences: Sequences,
        config: ObservationConfig,
        choose: Callable[[Array], Array],
        n_envs: int,
    ) -> None:
        classes = len(sequences.names)
        self.observation_space = config.observation_space(sequences)
        self.action_space = Space("discrete", (), "int64", sizes=(classes,))
        self.n_envs = n_envs
        self._sequences, self._choose = sequences, choose
        # The last row is the blank token before and after every sequence.
        blank = np.zeros((1, sequences.tokens.shape[1]), sequences.tokens.dtype)
        self._tokens = np.concatenate([sequences.tokens, blank])
        self._window = np.arange(-config.before, config.after + 1)
        self._features = len(self._window) * self._tokens.shape[1]
        self._obs = np.zeros((n_envs, *self.observation_space.shape), self._tokens.dtype)
        self._history = self._obs[:, self._features :]  # a view: written in place
        self._steps = np.zeros(n_envs, np.int64)
        self._begin, self._end = np.zeros(n_envs, np.int64), np.zeros(n_envs, np.int64)

    @property
    def observation(self) -> Observation:
        """Observations of all slots; an ended slot keeps its last token."""
        return Observation(self._obs, self._steps, self._sequences.labels[self._at(slice(None))])

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts the sequence of each seed."""
        chosen = self._choose(np.asarray(seeds))
        starts = self._sequences.starts
        self._begin[slots], self._end[slots] = starts[chosen], starts[chosen + 1]
        self._steps[slots] = 0
        self._history[slots] = 0
        self._look(slots)

    def step(self, slots: Array, actions: Array) -> Step:
        """Labels the current token of each of `slots` and advances to the next."""
        assert self._playing(slots).all(), "a slot without a running episode was stepped"
        actions = np.asarray(actions)
        classes = self.action_space.sizes[0]
        if actions.shape != (len(slots),) or not ((actions >= 0) & (actions < classes)).all():
            raise EnvError(f"actions must be {len(slots)} labels from 0 to {classes - 1}")
        rewards = (actions == self._sequences.labels[self._at(slots)]).astype(np.float64)
        if self._history.shape[1]:
            kept = self._history[slots, :-classes]
            newest = np.zeros((len(slots), classes), self._obs.dtype)
            newest[np.arange(len(slots)), actions] = 1
            self._history[slots] = np.concatenate([newest, kept], axis=1)
        self._steps[slots] += 1
        terminated = ~self._playing(slots)
        self._look(slots[~terminated])
        never = np.zeros(len(slots), bool)
        return Step(rewards, terminated, never, never)

    def copy_slots(self, to: Array, source: Array) -> None:
        """Copies the state of each slot of `source` (k,) to the slot in `to` (k,), for searches."""
        for array in (self._obs, self._steps, self._begin, self._end):
            array[to] = array[source]

    def snapshot(self) -> Snapshot:
        """Returns the state of every slot: its sequence, step, and observation with history."""
        arrays = {"begin": self._begin, "end": self._end, "steps": self._steps, "obs": self._obs}
        return {name: array.copy() for name, array in arrays.items()}

    def restore(self, snapshot: Snapshot) -> None:
        """Restores a snapshot; raises EnvError where it is of other data or other options."""
        own = {"begin": self._begin, "end": self._end, "steps": self._steps, "obs": self._obs}
        same = all(
            snapshot[name].shape == array.shape and snapshot[name].dtype == array.dtype
            for name, array in own.items()
        )
        begin, end, steps = (snapshot[name] for name in ("begin", "end", "steps"))
        if (
            not same
            or not ((begin >= 0) & (begin <= end) & (end < len(self._tokens)) & (steps >= 0)).all()
        ):
            raise EnvError(
                "the saved state does not fit this environment: the data, n_envs, env.history, "
                "env.before or env.after have changed since"
            )
        for name, array in own.items():
            array[:] = snapshot[name]

    def close(self) -> None:
        """Does nothing: there are no resources but memory."""

    def _playing(self, slots: Array) -> Array:
        return np.asarray(self._steps[slots] < self._end[slots] - self._begin[slots])

    def _at(self, slots: Array | slice) -> Array:
        """Returns the token index of each slot; the last one where the episode has ended."""
        begin, end = self._begin[slots], self._end[slots]
        last = np.maximum(end, 1) - 1
        return np.asarray(np.minimum(begin + self._steps[slots], last))

    def _look(self, slots: Array) -> None:
        """Writes each slot's token and its neighbours to the observation."""
        at = self._at(slots)[:, None] + self._window
        inside = (self._begin[slots, None] <= at) & (at < self._end[slots, None])
        rows = self._tokens[np.where(inside, at, -1)]
        self._obs[slots, : self._features] = rows.reshape(len(slots), self._features)
