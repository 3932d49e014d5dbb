"""Dict observations as one row of numbers, in the order of stable-baselines3.

Keys are in the order of the space, as the CombinedExtractor has them: Gymnasium's Dict sorts those
of a dict, but not those of an OrderedDict or of pairs. Each part is flattened, choices become one
number each (0 or 1), and inner dicts are parts named `outer.inner`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.one_hot import KINDS, MAX_FEATURES, OneHotRows
from dagger_cli.core.types import PICTURE, Array, Space
from dagger_cli.envs.returned import Observed, WrongReturn
from dagger_cli.envs.spaces import to_space

Convert = Callable[[Any], Array]


@dataclass(frozen=True)
class Part:
    """Columns `begin` to `stop` of the row, from the values under `path`."""

    path: tuple[str, ...]
    space: Space
    begin: int
    stop: int

    @property
    def name(self) -> str:
        """Name of the part, such as `desired_goal`."""
        return ".".join(self.path)


@dataclass(frozen=True)
class DictRows:
    """The parts of a Dict, and the space of its rows."""

    parts: tuple[Part, ...]
    space: Space

    @classmethod
    def of(cls, space: Any, env_id: str, *, sort: bool = False) -> DictRows:
        """Describes a Gymnasium Dict; raises EnvError for a part that is not made of numbers.

        `sort`: by key, for spaces in an order of EnvPool's own.
        """
        parts, begin = [], 0
        for path, inner in _leaves(space, sort=sort):
            found = _numeric(inner, ".".join(path), env_id)
            stop = begin + _width(found)
            parts.append(Part(path, found, begin, stop))
            begin = stop
        if not parts:
            raise EnvError(f"env '{env_id}' has an empty Dict observation space")
        double = any(part.space.dtype == "float64" for part in parts)
        low, high = (tuple(x for p in parts for x in _bounds(p.space)[side]) for side in (0, 1))
        row = Space("box", (begin,), "float64" if double else "float32", low=low, high=high)
        return cls(tuple(parts), row)

    @property
    def names(self) -> dict[str, tuple[int, int]]:
        """Returns first and last column (exclusive) of each part, by name."""
        return {part.name: (part.begin, part.stop) for part in self.parts}

    def rows(self, columns: Sequence[Array]) -> Array:
        """Joins the values of all parts, (n, *part_shape) each, to rows (n, d)."""
        out = np.empty((len(columns[0]), self.space.size), self.space.dtype)
        for part, values in zip(self.parts, columns, strict=True):
            out[:, part.begin : part.stop] = _numbers(part.space, values)
        return out


class ObservedDict:
    """Converts what an environment returned to a row; raises WrongReturn for what does not fit."""

    def __init__(self, layout: DictRows) -> None:
        self._layout = layout
        self._checks = [Observed(part.space) for part in layout.parts]

    def __call__(self, observation: Any) -> Array:
        """Returns the row, (d,)."""
        values = [
            check(_inner(observation, part))[None]
            for part, check in zip(self._layout.parts, self._checks, strict=True)
        ]
        return np.asarray(self._layout.rows(values)[0])


def observer(gym_space: Any, space: Space, env_id: str) -> Convert:
    """Returns the conversion of an environment's observations to arrays of `space`."""
    if type(gym_space).__name__ == "Dict":
        return ObservedDict(DictRows.of(gym_space, env_id))
    return Observed(space)


def _numeric(space: Any, part: str, env_id: str) -> Space:
    """Returns the space of a part; raises EnvError for pictures and for what has no numbers."""
    try:
        found = to_space(space, role="observation", env_id=env_id)
    except EnvError as err:
        raise EnvError(f"in the part '{part}' of its Dict: {err}") from err
    if len(found.shape) == 3 and found.dtype == "uint8" and min(found.shape[:2]) >= PICTURE:
        raise EnvError(
            f"env '{env_id}' has pictures of shape {found.shape} in the part '{part}' of its Dict "
            "observation: choose either in gymnasium.wrappers.FilterObservation, the pictures or "
            "the other parts, and register the wrapped environment"
        )
    if _width(found) > MAX_FEATURES:
        raise EnvError(
            f"env '{env_id}' has {_width(found):,} numbers in the part '{part}' of its Dict "
            f"observation, more than {MAX_FEATURES:,}: leave it out with "
            "gymnasium.wrappers.FilterObservation, and register the wrapped environment"
        )
    return found


def _leaves(space: Any, *, sort: bool) -> Iterator[tuple[tuple[str, ...], Any]]:
    keys = list(space.spaces)
    for key in sorted(keys, key=str) if sort else keys:
        inner = space.spaces[key]
        if type(inner).__name__ == "Dict":
            yield from (((str(key), *path), leaf) for path, leaf in _leaves(inner, sort=sort))
        else:
            yield (str(key),), inner


def _inner(observation: Any, part: Part) -> Any:
    for key in part.path:
        if not isinstance(observation, Mapping) or key not in observation:
            raise WrongReturn(f"the observation lacks '{part.name}' of its Dict space")
        observation = observation[key]
    return observation


def _width(space: Space) -> int:
    return sum(space.sizes) if _chosen(space) else space.size


def _chosen(space: Space) -> bool:
    return space.kind in KINDS


def _bounds(space: Space) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if space.kind == "box":
        return space.low, space.high
    return (0.0,) * _width(space), (1.0,) * _width(space)


def _numbers(space: Space, values: Array) -> Array:
    """Returns (n, width): the values, or 0 and 1 for each choice."""
    if _chosen(space):
        return OneHotRows(space, np.float32)(values)
    return np.asarray(values.reshape(len(values), -1))
