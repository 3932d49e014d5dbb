"""Reads the observation statistics of a VecNormalize pickle: two arrays and two numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Array
from dagger_cli.experts.sb3.safe_pickle import Record, read_pickle

MAX_PICKLE_BYTES = 16 * 2**20  # typically some 10 kB, more for image observations
_NUMBERS = ("f2", "f4", "f8", "i4", "i8")
_NUMPY = ("numpy.core.", "numpy._core.")  # the same module in numpy 1 and numpy 2


@dataclass(frozen=True)
class Statistics:
    """Normalization by `(obs - mean) / sqrt(variance + epsilon)`, clipped to +-`clip`."""

    mean: Array  # (*obs_shape) float64
    variance: Array
    clip: float
    epsilon: float

    def __post_init__(self) -> None:
        good = (
            self.mean.shape == self.variance.shape
            and np.isfinite(self.mean).all()
            and np.isfinite(self.variance).all()
            and (self.variance >= 0).all()
            and self.clip > 0
            and self.epsilon >= 0
        )
        if not good:
            raise ExpertError("the observation statistics are not finite numbers of one shape")


def read_statistics(data: bytes) -> Statistics | None:
    """Returns the statistics; None if trained on raw observations (`norm_obs=False`)."""
    wrapper = read_pickle(data)
    state = wrapper.state if isinstance(wrapper, Record) else None
    if not isinstance(state, dict) or not wrapper.name.endswith(".VecNormalize"):
        raise ExpertError("the file of observation statistics does not contain a VecNormalize")
    if not state.get("norm_obs", True):
        return None
    mean, variance = _moments(state.get("obs_rms"), _keys(state.get("observation_space")))
    return Statistics(
        mean, variance, to_number(state.get("clip_obs")), to_number(state.get("epsilon"))
    )


def _keys(space: Any) -> list[str]:
    """Returns the keys of a pickled Dict space in their order; none of what is no such space."""
    state = space.state if isinstance(space, Record) else None
    inner = state.get("spaces") if isinstance(state, dict) else None
    if isinstance(inner, Record):  # an OrderedDict
        inner = inner.items
    return list(inner) if isinstance(inner, dict) else []


def _moments(value: Any, keys: Sequence[str] = ()) -> tuple[Array, Array]:
    """Returns mean and variance; those of a Dict joined in the order of the space's `keys`.

    A key that was not normalised (`norm_obs_keys`) has no statistics, so the rows get shorter than
    the observation, which the caller refuses.
    """
    if isinstance(value, dict):
        if not value or not all(isinstance(key, str) for key in value):
            raise ExpertError("the VecNormalize has no statistics of observations")
        parts = [_moments(value[key]) for key in [k for k in keys if k in value] or sorted(value)]
        mean, variance = (np.concatenate([p[i].ravel() for p in parts]) for i in (0, 1))
        return mean, variance
    if not isinstance(value, Record) or not isinstance(value.state, dict):
        raise ExpertError("the VecNormalize has no statistics of observations")
    return to_array(value.state.get("mean")), to_array(value.state.get("var"))


def to_number(value: Any) -> float:
    """Converts a plain number or a pickled numpy scalar to a float."""
    try:
        number = to_array(value).item() if isinstance(value, Record) else value
        if isinstance(number, int | float):
            return float(number)
    except (ValueError, OverflowError):  # not a scalar, or out of range
        pass
    raise ExpertError("the VecNormalize lacks a number that it must have")


def to_array(value: Any) -> Array:
    """Converts the record of a numpy array or scalar to float64; raises ExpertError otherwise."""
    if not isinstance(value, Record):
        raise ExpertError("the VecNormalize lacks an array that it must have")
    place = value.name.removeprefix(next(filter(value.name.startswith, _NUMPY), ""))
    if place == "multiarray._reconstruct":
        _, shape, dtype, fortran, raw = _fields(value.state, 5)
        return _decode(raw, dtype, shape, "F" if fortran else "C")
    if place == "multiarray.scalar":
        dtype, raw = _fields(value.args, 2)
        return _decode(raw, dtype, (), "C")
    if place == "numeric._frombuffer":
        raw, dtype, shape, order = _fields(value.args, 4)
        return _decode(raw, dtype, shape, "F" if order == "F" else "C")
    raise ExpertError(f"'{value.name[:80]}' is not an array of statistics")


def _decode(raw: Any, dtype: Any, shape: Any, order: Any) -> Array:
    raw = _bytes(raw)
    kind = np.dtype(_dtype(dtype))
    whole = isinstance(shape, tuple) and all(isinstance(n, int) and n >= 0 for n in shape)
    if not whole or len(shape) > 8 or math.prod(shape) * kind.itemsize != len(raw):
        raise ExpertError("an array of the statistics declares another size than it has")
    array: Array = np.frombuffer(raw, kind).reshape(shape, order=order)
    return array.astype(np.float64)


def _dtype(record: Any) -> str:
    """Returns the name of a numeric dtype; raises ExpertError for objects, structures, etc."""
    if isinstance(record, Record) and record.name == "numpy.dtype" and record.args:
        code = record.args[0]
        order = (
            record.state[1] if isinstance(record.state, tuple) and len(record.state) > 1 else "<"
        )
        if code in _NUMBERS and order in ("<", "=", "|", ">"):
            return f"{order}{code}"
    raise ExpertError("an array of the statistics does not hold plain numbers")


def _bytes(value: Any) -> bytes:
    """Returns bytes, also as protocol 2 writes them: text to be encoded as latin-1."""
    if (
        isinstance(value, Record)
        and value.name == "_codecs.encode"
        and isinstance(value.args, tuple)
    ):
        value = value.args[0] if value.args else None
    if isinstance(value, str):
        value = value.encode("latin-1", "replace")
    if not isinstance(value, (bytes, bytearray)):
        raise ExpertError("an array of the statistics has no bytes")
    return bytes(value)


def _fields(value: Any, n: int) -> Sequence[Any]:
    if not isinstance(value, tuple) or len(value) != n:
        raise ExpertError("an array of the statistics is not laid out as numpy does it")
    return value
