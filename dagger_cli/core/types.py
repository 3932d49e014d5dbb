"""Data types and protocols of interactive imitation learning.

Everything is batched: n observations give n actions; a single environment is n = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dagger_cli.core.compact import CompactRows

Array = NDArray[Any]
SpaceKind = Literal["box", "discrete", "multi_discrete", "multi_binary"]
PICTURE = 36  # least side of an image for policy=cnn; what is smaller is a grid of numbers


@dataclass(frozen=True)
class Space:
    """Observation or action space; `shape` and `dtype` describe a single element.

    A `box` has flat bounds `low` and `high` (infinite where open); all others have `sizes`, the
    number of choices of each component (discrete: one component; multi_binary: 2 choices each).
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
        """Number of components of one element."""
        return int(np.prod(self.shape, dtype=np.int64))

    @cached_property
    def whole(self) -> bool:
        """Whether the dtype is an integer one."""
        return bool(np.issubdtype(np.dtype(self.dtype), np.integer))

    def contains(self, rows: Array) -> bool:
        """Returns whether `rows` (n, *shape) have this shape, dtype and range, all finite.

        The bounds of a box are not checked: actions are clipped to them.
        """
        if rows.shape[1:] != self.shape or rows.dtype != np.dtype(self.dtype):
            return False
        if self.kind == "box":
            return bool(np.isfinite(rows).all())
        choices = rows.reshape(-1, len(self.sizes)).astype(np.int64) - self.start
        return bool(((choices >= 0) & (choices < np.array(self.sizes))).all())

    @cached_property
    def limits(self) -> tuple[Array, Array]:
        """For a box, which components have a lowest and a highest value, (size,) bool each.

        The largest numbers of the dtype, and of float32, are no bounds: they are written for
        infinity, also by Gymnasium for integers.
        """
        dtype = np.dtype(self.dtype)
        if dtype.kind == "f":
            largest = float(min(np.finfo(dtype).max, np.finfo(np.float32).max))
        else:
            largest = float(np.iinfo(dtype).max) - 2 if dtype.itemsize > 2 else np.inf
        low, high = np.asarray(self.low, np.float64), np.asarray(self.high, np.float64)
        return np.asarray(low > -largest), np.asarray(high < largest)

    @property
    def bounded(self) -> Array:
        """(size,) bool, for a box: components with both bounds, see `limits`."""
        has_low, has_high = self.limits
        return np.asarray(has_low & has_high)

    def cast(self, values: Array) -> Array:
        """Converts to the space's dtype, rounding to nearest for integer dtypes."""
        return np.asarray(np.rint(values) if self.whole else values, self.dtype)

    def centre_and_half(self) -> tuple[Array, Array, Array]:
        """Returns for a box, (size,) each: `bounded`, centre, half-range.

        Unbounded components get centre 0 and half-range 1; constant ones (low == high) get centre
        low and half-range 1.
        """
        low, high = np.asarray(self.low, np.float64), np.asarray(self.high, np.float64)
        bounded = self.bounded
        below, above = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        half = (above - below) / 2
        return bounded, (below + above) / 2, np.where(half > 0, half, 1.0)


class History(NamedTuple):
    """What a flat observation consists of: `frames` observations of `frame_size` numbers each.

    They are oldest first, and followed by the `frames - 1` actions between them, of `action_size`
    numbers each, 0 without actions.
    """

    frames: int
    frame_size: int
    action_size: int

    @property
    def total(self) -> int:
        """The size of the whole observation."""
        return self.frames * self.frame_size + (self.frames - 1) * self.action_size


@dataclass(frozen=True)
class Observation:
    """The observations of n environments at one time.

    `obs` (n, *obs_shape) are raw, as the environment returned them; `t` (n,) int64 counts the env
    steps already taken in the episode; `privileged` (n, ...) is for the expert only; `past` are the
    same observations with those of before, for policies that carry a state (core/past.py).
    """

    obs: Array
    t: Array
    privileged: Array | None = None
    past: CompactRows | None = None

    def __len__(self) -> int:
        return len(self.obs)

    def __getitem__(self, rows: Any) -> Observation:
        """Returns a subset of the rows; `rows` is a slice, a mask or an index array."""
        privileged = None if self.privileged is None else self.privileged[rows]
        past = None if self.past is None else self.past[rows]
        return Observation(self.obs[rows], self.t[rows], privileged, past)

    @property
    def rows(self) -> Array | CompactRows:
        """The observations as a student acts by them, and as a data set keeps them."""
        return self.obs if self.past is None else self.past


class Acts(NamedTuple):
    """`actions` (n, *action_shape), and a mask of the rows in which the expert acted."""

    actions: Array
    from_expert: Array  # (n,) bool


class Policy(Protocol):
    """A policy, learned or not."""

    def act(self, observation: Observation, rng: Generator) -> Acts:
        """Returns an action for every row; all randomness comes from `rng`."""
        ...


@dataclass(frozen=True)
class Card:
    """Description of an expert; `sha256` hashes what it was loaded from, `notes` are printed.

    `code` marks experts that are source code: a different hash may still be the same expert.
    `network` hashes the numbers of an expert that is a network: its file may lack some of them,
    such as the statistics of observations.
    """

    name: str
    source: str
    sha256: str
    published: tuple[float, float] | None = None  # (mean, standard deviation) of the return
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    code: bool = False
    network: str = ""

    @property
    def identity(self) -> str:
        """Hash of the network, or where the expert has none of what it was loaded from."""
        return self.network or self.sha256


class Expert(Policy, Protocol):
    """A policy whose actions are the labels; its `Acts.from_expert` is True everywhere."""

    @property
    def card(self) -> Card:
        """Description of this expert."""
        ...


@runtime_checkable
class SafetyExpert(Protocol):
    """Expert that also knows which actions are unsafe."""

    def unsafe_actions(self, observation: Observation) -> Array:
        """Returns (n, K) bool, which of `actions.all_actions` the expert cannot recover from."""
        ...


@runtime_checkable
class MayStay(Protocol):
    """Expert whose batches may have to stay in one process, see labellers/."""

    @property
    def stays_because(self) -> str:
        """Why its answer to a row depends on other rows or questions; empty where it does not."""
        ...


@runtime_checkable
class InCharge(Protocol):
    """Expert that decides itself where it acts, as a person who takes over."""

    def in_charge(self, observation: Observation) -> Array:
        """Returns where the expert acts, (n,) bool."""
        ...


@runtime_checkable
class PersonExpert(Protocol):
    """Expert that is a person, whose answers are kept in the run's folder."""

    def keep(self, folder: Path) -> None:
        """Keeps the answers in `folder`; those that it has are repeated first."""
        ...

    def begin_round(self, round: int, usage: Usage, student: Policy | None) -> None:
        """Tells the person about the next round, and shows what `student` would do."""
        ...


@runtime_checkable
class Metered(Protocol):
    """Expert that counts what it was asked."""

    def metrics(self, usage: Usage) -> dict[str, float]:
        """Returns metrics since the start of the run, which has used `usage`."""
        ...


@runtime_checkable
class RecurrentExpert(Protocol):
    """Expert with a memory of the episode, `memory_size` numbers per slot, zeros at its start."""

    @property
    def card(self) -> Card:
        """Description of this expert."""
        ...

    @property
    def memory_size(self) -> int:
        """Numbers of one slot's memory."""
        ...

    def advance(self, obs: Array, memory: Array) -> tuple[Array, Array]:
        """Returns the actions in `obs` (n, *obs_shape), and the memory (n, memory_size) after."""
        ...


class Labels(NamedTuple):
    """`actions` (n, *action_shape), and a mask of the rows that have a label."""

    actions: Array
    known: Array  # (n,) bool


@runtime_checkable
class DeferredExpert(Protocol):
    """Expert that labels the states of a round after the program has ended, see experts/file.py.

    As a policy it acts at random: there is nothing else to begin with.
    """

    @property
    def card(self) -> Card:
        """Description of this expert."""
        ...

    def labels_of_round(self, round: int, observation: Observation) -> Labels:
        """Returns the labels of the states of a round (from 0); raises Paused until there are."""
        ...


class Step(NamedTuple):
    """Result of stepping k environments; `failed` marks episodes lost to a fall, crash, etc."""

    rewards: Array  # (k,) float64
    terminated: Array  # (k,) bool
    truncated: Array  # (k,) bool
    failed: Array  # (k,) bool, True only where the episode ended

    @property
    def ended(self) -> Array:
        """(k,) bool: terminated or truncated."""
        return np.asarray(self.terminated | self.truncated)


Snapshot = Mapping[str, Array]


class Env(Protocol):
    """`n_envs` environments ("slots") without auto-reset: the caller starts every episode.

    So each recorded action belongs to the observation it was taken in.
    """

    observation_space: Space
    action_space: Space
    n_envs: int

    @property
    def observation(self) -> Observation:
        """Current observations of all slots, (n_envs, ...); valid until `reset` or `step`."""
        ...

    def reset(self, slots: Array, seeds: Array) -> None:
        """Starts a new episode in each of `slots` (k,), from `seeds` (k,)."""
        ...

    def step(self, slots: Array, actions: Array) -> Step:
        """Steps each of `slots` (k,) once; none of them may have ended."""
        ...

    def snapshot(self) -> Snapshot:
        """Returns the state of every slot, sufficient to restore it bit for bit."""
        ...

    def restore(self, snapshot: Snapshot) -> None:
        """Restores the state of every slot from a snapshot."""
        ...

    def close(self) -> None:
        """Releases processes, windows and memory; may be called twice."""
        ...


@runtime_checkable
class AskingEnv(Protocol):
    """Environment of one slot that asks a person before each step; see `experts/human/`."""

    def ask(self, most: int) -> int:
        """Asks for the current state; returns how many steps were taken back, at most `most`.

        The state is then that of as many steps ago, and the answer is for that state.
        """
        ...


class Shown(NamedTuple):
    """One slot that is drawn: `frame` gives its picture, (height, width, 3) uint8.

    `fps` is the number of env steps in a second of the simulated time.
    """

    env: Env
    frame: Callable[[], Array]
    fps: float


@dataclass(frozen=True)
class Trajectories:
    """N env steps in the order they were taken (time-major: all slots, then the next step)."""

    observations: Observation
    acts: Acts
    slots: Array  # (N,) int64: index of the environment
    rewards: Array  # (N,) float64
    ended: Array  # (N,) bool: the episode ended with this step
    terminated: Array  # (N,) bool: it ended, and not by the step limit
    failed: Array  # (N,) bool: it ended by a fall, a crash, etc.
    last_rows: Array  # (K,) int64: the rows after which the next row of the slot starts an episode
    last_obs: Array  # (K, *obs_shape): the observations that their steps led to

    def __len__(self) -> int:
        return len(self.slots)


@dataclass(frozen=True)
class Score:
    """Results of E whole episodes on fixed seeds; undiscounted returns, lengths in env steps."""

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
        """Return per env step over all episodes; the accuracy where each correct action earns 1."""
        return float(self.returns.sum() / self.lengths.sum())

    @property
    def failures(self) -> int:
        """Number of failed episodes."""
        return int(self.failed.sum())


class Fitted(NamedTuple):
    """A new policy and its mean training loss, in the learner's own loss function."""

    policy: Policy
    loss: float


class Usage(NamedTuple):
    """Env steps and labels used so far, without those of evaluation."""

    env_steps: int = 0
    labels: int = 0

    def plus(self, env_steps: int, labels: int) -> Usage:
        """Returns the sum with the usage of one more round."""
        return Usage(self.env_steps + env_steps, self.labels + labels)
