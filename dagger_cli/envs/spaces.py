"""Conversion of Gymnasium spaces to core spaces."""

from __future__ import annotations

from typing import Any

import numpy as np

from dagger_cli.core.errors import EnvError
from dagger_cli.core.types import Space

REGISTER = 'and register it: gymnasium.register("Wrapped-v0", lambda **kw: Wrapper(Env(**kw)))'
FIXES = {
    "observation": "wrap it in gymnasium.wrappers.FlattenObservation",
    "action": "wrap it in a gymnasium.ActionWrapper that has a Box and makes the action of it",
}

WRITE = {
    "observation": "wrap it in a gymnasium.ObservationWrapper that makes numbers of it",
    "action": FIXES["action"],
}


def space_of(env: Any, *, role: str, env_id: str) -> Space:
    """Converts an environment's space; raises EnvError where it has none of a supported kind."""
    name = f"{role}_space"
    try:
        space = getattr(env, name)
    except AttributeError:
        space = None
    if space is None:
        raise EnvError(f"env '{env_id}' has no {name}: set self.{name} in its __init__")
    return to_space(space, role=role, env_id=env_id)


def to_space(space: Any, *, role: str, env_id: str) -> Space:
    """Converts a Gymnasium space to a `Space`; `role` is 'observation' or 'action'.

    Raises EnvError for spaces that are not one array of numbers.
    """
    kind = type(space).__name__
    convert = CONVERTERS.get(kind)
    if convert is None:
        fix = FIXES[role] if kind in ("Dict", "Tuple") else WRITE[role]
        raise EnvError(
            f"env '{env_id}' has a {kind} {role} space, but only Box, Discrete, MultiDiscrete and "
            f"MultiBinary are supported; {fix} {REGISTER}"
        )
    if kind == "MultiDiscrete" and np.any(space.start):
        raise EnvError(
            f"env '{env_id}' has a MultiDiscrete {role} space with start {space.start.tolist()}; "
            "only start 0 is supported, so shift it in a wrapper and use the wrapped id"
        )
    if 0 in space.shape:
        raise EnvError(f"env '{env_id}' has an empty {role} space, of shape {space.shape}")
    return convert(space)


def _box(space: Any) -> Space:
    return Space(
        kind="box",
        shape=space.shape,
        dtype=space.dtype.name,
        low=tuple(space.low.ravel().tolist()),
        high=tuple(space.high.ravel().tolist()),
    )


def _discrete(space: Any) -> Space:
    return Space(
        kind="discrete",
        shape=(),
        dtype=space.dtype.name,
        sizes=(int(space.n),),
        start=int(space.start),
    )


def _multi_discrete(space: Any) -> Space:
    sizes = tuple(space.nvec.ravel().tolist())
    return Space(kind="multi_discrete", shape=space.shape, dtype=space.dtype.name, sizes=sizes)


def _multi_binary(space: Any) -> Space:
    sizes = (2,) * int(np.prod(space.shape))
    return Space(kind="multi_binary", shape=space.shape, dtype=space.dtype.name, sizes=sizes)


CONVERTERS = {
    "Box": _box,
    "Discrete": _discrete,
    "MultiDiscrete": _multi_discrete,
    "MultiBinary": _multi_binary,
}
