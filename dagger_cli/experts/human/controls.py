"""From keys to actions: a table of chords, switches, or levers that move while a key is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dagger_cli.core.types import Array, Space
from dagger_cli.experts.human.given import Input

Chord = frozenset[str]


class Controls(Protocol):
    """How a person gives actions of one space."""

    @property
    def keys(self) -> frozenset[str]:
        """All keys that are part of an action."""
        ...

    @property
    def rest(self) -> Array:
        """The action before any key was pressed, (*action_shape)."""
        ...

    @property
    def help(self) -> str:
        """The keys, for the person."""
        ...

    def next(self, last: Array, given: Input, seconds: float | None) -> Array:
        """Returns the action after `last`; levers move for `seconds`, at once where it is None."""
        ...

    def words(self, action: Array) -> str:
        """Returns an action as a person reads it."""
        ...


@dataclass(frozen=True)
class Chords:
    """A discrete space: the longest chord whose keys are all held gives the action.

    Of two such chords the one that was pressed last counts.
    Without a chord for no keys, the last action continues while nothing is held.
    """

    space: Space
    table: Mapping[Chord, int]

    @property
    def keys(self) -> frozenset[str]:
        """All keys of the chords."""
        return frozenset().union(*self.table)

    @property
    def rest(self) -> Array:
        """The action without keys, else the smallest one."""
        return self._action(self.table.get(frozenset(), self.space.start))

    @property
    def help(self) -> str:
        """The chords with their actions."""
        chords = sorted(self.table.items(), key=lambda pair: (len(pair[0]), pair[1]))
        return ", ".join(f"{_named(chord)} = {action}" for chord, action in chords)

    def next(self, last: Array, given: Input, seconds: float | None) -> Array:
        """Returns the action of the longest chord that is held."""
        down = given.down
        held = [chord for chord in self.table if chord <= set(down)]
        if not held:
            return last
        latest = max(held, key=lambda chord: (len(chord), max(map(down.index, chord), default=0)))
        return self._action(self.table[latest])

    def words(self, action: Array) -> str:
        """Returns the keys of the action, else its number."""
        number = int(action)
        chords = [chord for chord, value in self.table.items() if value == number]
        return _named(chords[0]) if chords else str(number)

    def _action(self, number: int) -> Array:
        return np.asarray(number, self.space.dtype)


@dataclass(frozen=True)
class Switches:
    """A space of several choices: a held key (component, value) sets its component."""

    space: Space
    table: Mapping[str, tuple[int, float]]

    @property
    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self.table)

    @property
    def rest(self) -> Array:
        """All components at their smallest choice."""
        return np.full(self.space.shape, self.space.start, self.space.dtype)

    @property
    def help(self) -> str:
        """The keys with their components."""
        return _components(self.table)

    def next(self, last: Array, given: Input, seconds: float | None) -> Array:
        """Returns the action of the held keys."""
        action = self.rest.reshape(-1)
        for key, (component, value) in self.table.items():
            if key in given.down:
                action[component] = value
        return action.reshape(self.space.shape)

    def words(self, action: Array) -> str:
        """Returns the keys that give the action."""
        flat = action.reshape(-1)
        first = {
            pair: key for key, pair in reversed(tuple(self.table.items()))
        }  # of two, the first
        return _named(key for (at, value), key in first.items() if flat[at] == value)


@dataclass(frozen=True)
class Levers:
    """A Box: a held key (component, value) moves its component towards the value.

    `rate` is in half ranges per second; without a key the component returns to 0, or to the bound
    next to it. A stick sets its component directly.
    """

    space: Space
    table: Mapping[str, tuple[int, float]]
    rate: float

    @property
    def keys(self) -> frozenset[str]:
        """All keys."""
        return frozenset(self.table)

    @property
    def rest(self) -> Array:
        """Zeros, within the bounds."""
        low, high = np.array(self.space.low), np.array(self.space.high)
        return self._action(np.clip(np.zeros(self.space.size), low, high))

    @property
    def help(self) -> str:
        """The keys with their components."""
        return _components(self.table)

    def next(self, last: Array, given: Input, seconds: float | None) -> Array:
        """Returns the levers after `seconds`."""
        rest, before = self.rest.astype(np.float64).reshape(-1), last.astype(np.float64).reshape(-1)
        target, direct = rest.copy(), np.full(len(rest), seconds is None)
        for key, (component, value) in self.table.items():
            strength = given.sticks.get(key, 0.0)
            share = 1.0 if key in given.held else strength
            target[component] += share * (value - rest[component])
            direct[component] |= strength > 0
        far = self.rate * (seconds or 0.0) * self.space.centre_and_half()[2]
        moved = before + np.clip(target - before, -far, far)
        return self._action(np.where(direct, target, moved))

    def words(self, action: Array) -> str:
        """Returns the components with two decimals."""
        return " ".join(f"{value:+.2f}" for value in action.reshape(-1))

    def _action(self, values: Array) -> Array:
        return np.asarray(values.reshape(self.space.shape), self.space.dtype)


def _components(table: Mapping[str, tuple[int, float]]) -> str:
    """Returns the keys with their values, and their components where there are several."""
    several = len({at for at, _ in table.values()}) > 1
    parts = [(key, value, f" in {at}" if several else "") for key, (at, value) in table.items()]
    return ", ".join(f"{key} = {value:+g}{where}" for key, value, where in parts)


def _named(keys: object) -> str:
    return "+".join(sorted(keys)) or "nothing"  # type: ignore[call-overload]
