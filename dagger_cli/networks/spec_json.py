"""Parser of a `Spec` from a card's JSON; the input is untrusted, so every value is checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

from dagger_cli.core.errors import ExpertError
from dagger_cli.core.types import Space, SpaceKind
from dagger_cli.networks.spec import Head, HeadKind, Layer, Noise, Spec

_MAX_LAYERS = 1000
_MAX_COUNT = 2**31
_DTYPES = {
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "bool"),
}

Check = Callable[[Any], bool]


def spec_from_json(values: Any) -> Spec:
    """Returns the inverse of `Spec.to_json`; raises ExpertError where a value is invalid."""
    fields = _checked(values, _SPEC, "network")
    try:
        layers = [Layer(**_checked(v, _LAYER, "layers")) for v in fields.pop("layers")]
        head = Head(**_checked(fields.pop("head"), _HEAD, "head"))
        observed, acted = (_space(fields, name) for name in ("observation_space", "action_space"))
        return Spec(observed, acted, tuple(layers), head, **fields)
    except (KeyError, TypeError) as err:  # a key without a default is missing
        raise ExpertError(f"the description of the network is damaged ({err})") from err


def _space(fields: dict[str, Any], name: str) -> Space:
    checked = _checked(fields.pop(name), _SPACE, name)
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in checked.items()
    }
    return Space(**values)


def _checked(values: Any, checks: Mapping[str, Check], what: str) -> dict[str, Any]:
    """Returns `values` as a dict; raises ExpertError for unknown keys or invalid values."""
    if not isinstance(values, dict) or not set(values) <= set(checks):
        raise ExpertError(f"the description of the network is damaged (its {what})")
    for key, value in values.items():
        if not checks[key](value):
            raise ExpertError(f"the description of the network is damaged ({what}.{key})")
    return dict(values)


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MAX_COUNT


def _small(value: int) -> bool:
    return abs(value) < _MAX_COUNT


def _number(value: Any) -> bool:
    return math.isfinite(value) if type(value) is float else type(value) is int and _small(value)


def _bound(value: Any) -> bool:
    return type(value) is float and not math.isnan(value)


def _flag(value: Any) -> bool:
    return type(value) is bool


def _among(*choices: Any) -> Check:
    return lambda value: isinstance(value, str) and value in choices


def _list(good: Check, most: int) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(good, value))


def _or_none(good: Check) -> Check:
    return lambda value: value is None or good(value)


def _positive(value: Any) -> bool:
    return _number(value) and value > 0


_SPACE: dict[str, Check] = {
    "kind": _among(*get_args(SpaceKind)),
    "shape": _list(_count, 8),
    "dtype": _among(*_DTYPES),
    "low": _list(_bound, 10_000),
    "high": _list(_bound, 10_000),
    "sizes": _list(_count, 10_000),
    "start": lambda value: type(value) is int and _small(value),
}
_LAYER: dict[str, Check] = {
    "kind": lambda value: isinstance(value, str) and len(value) < 40,
    "stride": lambda value: _count(value) and 1 <= value <= 100,
    "epsilon": _number,
}
_HEAD: dict[str, Check] = {
    "kind": _among(*get_args(HeadKind)),
    "squash": _flag,
    "mean_limit": _or_none(_positive),
    "noise": _among(*get_args(Noise)),
    "expln": _flag,
    "epsilon": _number,
}
_SPEC: dict[str, Check] = {
    "observation_space": lambda value: isinstance(value, dict),
    "action_space": lambda value: isinstance(value, dict),
    "layers": lambda value: isinstance(value, list) and 0 < len(value) <= _MAX_LAYERS,
    "head": lambda value: isinstance(value, dict),
    "clip": _or_none(_positive),
    "epsilon": _number,
    "scale": _positive,
    "channels_last": _flag,
    "double": _flag,
    "time_feature": _flag,
    "lstm": _flag,
}
