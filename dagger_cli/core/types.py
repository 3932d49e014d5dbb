"""The nouns of interactive imitation, and the protocols of who provides them.

Everything is batched: n actors look at n rows and give n actions; a single environment is n = 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Array = NDArray[Any]
SpaceKind = Literal["box", "discrete", "multi_discrete", "multi_binary"]


@dataclass(frozen=True)
class Space:
    """What one observation or one action may be; `shape` and `dtype` describe a single element.

    A `box` has flat bounds `low` and `high` (infinite where open), all others have `sizes`: the
    number of choices of each component (discrete: one, multi_binary: 2 each).
    `start` is the smallest value of a discrete space.
    """

    kind: SpaceKind
    shape: tuple[int, ...]
    dtype: str
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    sizes: tuple[int, ...] = ()
    start: int = 0

    @property
    def size(self) -> int:
        """How many numbers one element has."""
        return int(np.prod(self.shape, dtype=np.int64))

    @cached_property
    def whole(self) -> bool:
        """Whether its numbers are whole ones."""
        return bool(np.issubdtype(np.dtype(self.dtype), np.integer))

    def cast(self, values: Array) -> Array:
        """Numbers in the space's dtype, rounded where it has whole ones only."""
        return np.asarray(np.rint(values) if self.whole else values, self.dtype)

    def centre_and_half(self) -> tuple[Array, Array, Array]:
        """Of a box, (size,) each: which numbers have both bounds, their centre, half their range.

        A number that lacks a bound has 0 and 1, one that can be but one value that and 1.
        """
        low, high = np.asarray(self.low, np.float64), np.asarray(self.high, np.float64)
        bounded = np.isfinite(low) & np.isfinite(high)
        below, above = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        half = (above - below) / 2
        return bounded, (below + above) / 2, np.where(half > 0, half, 1.0)


@dataclass(frozen=True)
class Observation:
    """What stands before n actors at one moment.

    `obs` (n, *obs_shape) is raw, as the environment gave it; `t` (n,) int64 counts the env
    steps already taken in the episode; `privileged` (n, ...) is what only an expert may see.
    """

    obs: Array
    t: Array
    privileged: Array | None = None

    def __len__(self) -> int:
        return len(self.obs)

    def __getitem__(self, rows: Any) -> Observation:
        """The same view of fewer actors; `rows` is a slice, a mask or an index array."""
        privileged = None if self.privileged is None else self.privileged[rows]
        return Observation(self.obs[rows], self.t[rows], privileged)


class Acts(NamedTuple):
    """`actions` (n, *action_shape), and in which rows they are the expert's own."""

    actions: Array
    from_expert: Array  # (n,) bool


class Policy(Protocol):
    """Anything that acts."""

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Answer every row of the view; all randomness comes from `rng`."""
        ...


@dataclass(frozen=True)
class Card:
    """Who an expert is; `sha256` is of what it was loaded from, `notes` the user must see.

    `code` says that this is source code, which may change and be the same expert all the same.
    """

    name: str
    source: str
    sha256: str
    published: tuple[float, float] | None = None  # (mean, standard deviation) of the return
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    code: bool = False


class Expert(Policy, Protocol):
    """A policy whose answers are the labels; its `Acts.asked` is True everywhere."""

    @property
    def card(self) -> Card:
        """Who this is."""
        ...


@runtime_checkable
class SafetyExpert(Protocol):
    """An expert that knows not only what it would do, but also what must not be done."""

    def unsafe_actions(self, observation: Observation) -> Array:
        """(n, K) bool: which of all actions (`choices.all_actions`) it could not mend any more."""
        ...


class Step(NamedTuple):
    """What k environments answered; `failed` marks an episode that ended badly (fall, crash)."""

    rewards: Array  # (k,) float64
    terminated: Array  # (k,) bool
    truncated: Array  # (k,) bool
    failed: Array  # (k,) bool, only ever True where the episode ended

    @property
    def ended(self) -> Array:
        """(k,) True where the episode is over, for whatever reason."""
        return np.asarray(self.terminated | self.truncated)


Snapshot = Mapping[str, Array]


class Env(Protocol):
    """`n_envs` environments ("slots") that never reset themselves: the caller starts episodes.

    So no row is ever an action in a state that was not acted in.
    """

    observation_space: Space
    action_space: Space
    n_envs: int

    @property
    def observation(self) -> Observation:
        """What stands before every slot, (n_envs, ...); valid until the next `reset` or `step`."""
        ...

    def reset(self, slots: Array, seeds: Array) -> None:
        """Start a new episode in each of `slots` (k,), from `seeds` (k,)."""
        ...

    def step(self, slots: Array, actions: Array) -> Step:
        """Act once in each of `slots` (k,); none of them may have ended."""
        ...

    def snapshot(self) -> Snapshot:
        """Enough to bring every slot back to where it stands now, bit for bit."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Bring every slot back to where the snapshot was taken."""
        ...

    def close(self) -> None:
        """Release processes, windows and memory; may be called twice."""
        ...


@dataclass(frozen=True)
class Trajectories:
    """N env steps in the order they were taken (time-major: all slots, then the next moment)."""

    observations: Observation
    acts: Acts
    slots: Array  # (N,) int64: which environment
    rewards: Array  # (N,) float64
    ended: Array  # (N,) bool: the episode was over after this step

    def __len__(self) -> int:
        return len(self.slots)


@dataclass(frozen=True)
class Score:
    """E whole episodes on fixed seeds; undiscounted returns, lengths in env steps."""

    seeds: Array  # (E,) int64
    returns: Array  # (E,) float64
    lengths: Array  # (E,) int64
    failed: Array  # (E,) bool

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(self.returns.mean())

    @property
    def std(self) -> float:
        """Standard deviation of the return over episodes."""
        return float(self.returns.std())

    @property
    def stderr(self) -> float:
        """Standard error of the mean return (0 for a single episode)."""
        n = len(self.returns)
        return float(self.returns.std(ddof=1) / np.sqrt(n)) if n > 1 else 0.0

    @property
    def per_step(self) -> float:
        """Return per env step over all episodes; the accuracy where a right action earns 1."""
        return float(self.returns.sum() / self.lengths.sum())

    @property
    def failures(self) -> int:
        """How many episodes ended badly."""
        return int(self.failed.sum())


class Fitted(NamedTuple):
    """A new policy and its mean loss over the data it was fitted on, in the learner's own loss."""

    policy: Policy
    loss: float


class Usage(NamedTuple):
    """What a run has used so far; evaluation is counted apart."""

    env_steps: int = 0
    labels: int = 0

    def plus(self, env_steps: int, labels: int) -> Usage:
        """The same after one more round."""
        return Usage(self.env_steps + env_steps, self.labels + labels)
