"""Selection of components of a flat observation: by index, by slice, by the name of a part."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array

Parts = Mapping[str, tuple[int, int]]  # of the source: start and stop of each part


def kept(keep: Sequence[int | str], size: int, parts: Parts) -> Array:
    """Returns the indexes, (k,) int64, in the order given, of an observation of `size` components.

    Negative indexes and ends of slices count from the end. Raises ConfigError for an unknown name,
    an index beyond the end, a component that is named twice, and for none at all.
    """
    named = [_indexes(entry, size, parts) for entry in keep]
    index = np.array([i for part in named for i in part], np.int64)
    if not index.size:
        raise ConfigError(
            "view.keep leaves nothing to see: name a component of the observation, such as "
            "view.keep=[0], or null for all"
        )
    values, counts = np.unique(index, return_counts=True)
    if counts.max() > 1:
        raise ConfigError(
            f"view.keep={list(keep)} has component {values[counts.argmax()]} more than once: name "
            "each component once"
        )
    return index


def _indexes(entry: int | str, size: int, parts: Parts) -> Sequence[int]:
    if isinstance(entry, int):
        if not -size <= entry < size:
            raise ConfigError(
                f"view.keep has {entry}, but observations have {size} components: 0 to {size - 1}"
            )
        return [entry % size]
    found = re.fullmatch(r"(-?\d+)?:(-?\d+)?", entry)
    if found is not None:
        start, stop = (None if end is None else int(end) for end in found.groups())
        return range(size)[start:stop]
    if re.fullmatch(r"-?\d+", entry):
        return _indexes(int(entry), size, parts)
    if entry not in parts:
        known = f"its parts are {', '.join(parts)}" if parts else "it has no named parts"
        raise ConfigError(
            f"view.keep names '{entry}', which is no part of this environment's observation: "
            f"{known}; an index or a slice such as '0:8' selects components, too"
        )
    return range(*parts[entry])
