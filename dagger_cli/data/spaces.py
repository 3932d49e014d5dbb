"""Spaces of a data set: written in its description, or read off its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Array, Space

_KINDS = ("box", "discrete", "multi_discrete", "multi_binary")


def as_json(space: Space | None) -> dict[str, Any] | None:
    """Returns a space as JSON; open bounds are the words inf and -inf."""
    if space is None:
        return None
    node = asdict(space)
    return {**node, **{key: [_word(x) for x in node[key]] for key in ("low", "high")}}


def _word(number: float) -> float | str:
    return number if np.isfinite(number) else str(number)


def from_json(node: Any) -> Space | None:
    """Inverts `as_json`; raises ValueError or TypeError for anything else."""
    if node is None:
        return None
    if not isinstance(node, Mapping) or node["kind"] not in _KINDS:
        raise ValueError("not a space")
    return Space(
        node["kind"],
        tuple(int(n) for n in node["shape"]),
        np.dtype(str(node["dtype"])).name,
        tuple(float(x) for x in node["low"]),
        tuple(float(x) for x in node["high"]),
        tuple(int(n) for n in node["sizes"]),
        int(node["start"]),
    )


def space_of(rows: Array, what: str) -> Space:
    """Returns the space of recorded numbers (n, ...): whole ones of one component are choices.

    Observations are boxes without bounds, but pictures of bytes have theirs; so are actions that
    are not whole.
    """
    shape, kind = rows.shape[1:], rows.dtype.kind
    if kind not in "fiub":
        raise ConfigError(f"{what} is {rows.dtype}, but it must be numbers")
    size = int(np.prod(shape, dtype=np.int64))
    if rows.dtype == np.uint8 and len(shape) > 1:
        return Space("box", shape, "uint8", (0.0,) * size, (255.0,) * size)
    if kind in "iu" and shape == () and rows.min() >= 0:
        return Space("discrete", (), "int64", sizes=(int(rows.max()) + 1,))
    dtype = rows.dtype.name if kind == "f" else "float32"
    return Space("box", shape, dtype, (-np.inf,) * size, (np.inf,) * size)
