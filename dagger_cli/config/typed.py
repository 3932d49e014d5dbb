"""Types of an option's keys, read from the annotations of the class or function it names.

A wrong type or an unknown key raises ConfigError, for options of this package and of users.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from dagger_cli.core.errors import ConfigError

Target = Callable[..., Any]

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_PLURALS = {bool: "truth values", int: "whole numbers", float: "numbers", str: "texts"}


class _Mismatch(Exception):
    """Raised where a value does not have the type."""


class Signature(NamedTuple):
    """Keywords of a target with their types, `Any` where it declares none.

    `needed` are those without a default; `any_key`: it accepts any further keywords (`**`).
    """

    keys: dict[str, Any]
    needed: tuple[str, ...]
    any_key: bool


@cache
def signature_of(target: Any) -> Signature:
    """Returns the signature of a class or function.

    The `**` keywords of a function are those of the class that it returns.
    """
    hints = _hints(target)
    keys: dict[str, Any] = {}
    needed: list[str] = []
    any_key = False
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:
        raise ConfigError(f"{target!r} tells no parameters, so it cannot be built") from None
    for name, parameter in parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            makes_a_class = not inspect.isclass(target) and inspect.isclass(hints.get("return"))
            rest = signature_of(hints["return"]) if makes_a_class else Signature({}, (), True)
            keys, any_key = rest.keys | keys, rest.any_key
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            keys[name] = hints.get(name, Any)
            if parameter.default is parameter.empty:
                needed.append(name)
    return Signature(keys, tuple(needed), any_key)


def typed(
    values: Mapping[str, Any], keys: Mapping[str, Any], place: str, *, any_key: bool = False
) -> dict[str, Any]:
    """Returns the values converted to the types of `keys`; `place` is their node, such as `policy`.

    Raises ConfigError for an unknown key (unless `any_key`) and for a value of another type.
    """
    result = {}
    for key, value in values.items():
        name = f"{place}.{key}" if place else key
        if is_dataclass(keys.get(key)) and isinstance(value, Mapping):
            result[key] = typed(value, signature_of(keys[key]).keys, name)
        elif key in keys:
            result[key] = _converted(value, keys[key], name)
        elif any_key or key == "_target_":
            result[key] = value
        else:
            raise unknown_key(name, (f"{place}.{known}" if place else known for known in keys))
    return result


def unknown_key(name: str, known: Collection[str] | Any) -> ConfigError:
    """Returns the error for a key that does not exist, with the closest one that does."""
    near = get_close_matches(name, list(known), n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ": leave it out"
    return ConfigError(f"there is no key '{name}'{hint}")


def _converted(value: Any, kind: Any, name: str) -> Any:
    try:
        return _as(value, kind)
    except _Mismatch:
        raise ConfigError(f"{name} must be {in_words(kind)}, got {_shown(value)}") from None


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)


def is_function(kind: Any) -> bool:
    """Returns whether a type is a function type, or a union with one."""
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return any(get_origin(option) is Callable or option is Callable for option in options)


def in_words(kind: Any) -> str:
    """Returns a type in words, such as `a whole number or null`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        parts = [in_words(part) for part in inner if part is not type(None)]
        return " or ".join([*parts, *(["null"] if type(None) in inner else [])])
    if origin is Literal:
        return " or ".join(map(str, inner))
    if _is_list(origin or kind):
        return f"a list of {_PLURALS.get(inner[0], 'values')}" if inner else "a list"
    if _is_mapping(origin or kind):
        return "a mapping of keys to values"
    return _NAMES.get(kind, "a value")


def _as(value: Any, kind: Any) -> Any:
    """Returns the value as this type; raises `_Mismatch`."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _as_one_of(value, inner)
    if origin is Literal:
        return value if value in inner else _mismatch()
    if kind is type(None):
        return None if value is None else _mismatch()
    if kind in _NAMES:
        return _as_scalar(value, kind)
    if _is_list(origin or kind):
        if not isinstance(value, Sequence) or isinstance(value, str):
            _mismatch()
        return [_as(item, inner[0]) for item in value] if inner else list(value)
    if _is_mapping(origin or kind):
        if not isinstance(value, Mapping):
            _mismatch()
        return {k: _as(v, inner[1]) for k, v in value.items()} if inner else dict(value)
    return value  # an object: its own class checks it


def _as_one_of(value: Any, kinds: tuple[Any, ...]) -> Any:
    exact = [kind for kind in kinds if type(value) is kind]
    for kind in (*exact, *kinds):
        try:
            return _as(value, kind)
        except _Mismatch:
            continue
    return _mismatch()


def _as_scalar(value: Any, kind: type) -> Any:
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if kind is str and type(value) in (int, float, bool):
        return str(value)
    return _mismatch()


def _mismatch() -> Any:
    raise _Mismatch


def _is_list(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, Sequence) and not issubclass(kind, str)


def _is_mapping(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, Mapping)


def _hints(target: Target) -> dict[str, Any]:
    """Returns the annotations as types; those that cannot be resolved are left out."""
    described: Any = target
    if inspect.isclass(target) and not hasattr(target, "__dataclass_fields__"):
        described = target.__init__
    try:
        return get_type_hints(described)
    except (
        NameError,
        TypeError,
        AttributeError,
    ):  # imported for type checkers alone, or not a type
        return {}
