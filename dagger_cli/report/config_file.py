"""config.yaml of a run as flat keys with new names, such as `policy.sizes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dagger_cli.config.renamed import with_new_names
from dagger_cli.tracking.run_paths import CONFIG
from dagger_cli.utils.files import read_bytes

Settings = Mapping[str, str]
_MAX_BYTES = 2**20
_MAX_NODES = 20_000  # aliases may expand exponentially
_MAX_TEXT = 500  # characters of a value


def read_settings(run: Path) -> Settings:
    """Returns the config with every value as text, empty without a file.

    Raises OSError and ValueError where it is damaged.
    """
    if not (run / CONFIG).exists():
        return {}
    config = _parsed(read_bytes(run / CONFIG, _MAX_BYTES))
    if not isinstance(config, dict):
        raise ValueError(f"{CONFIG} is not a mapping")
    left = [_MAX_NODES]
    try:
        _check_size(config, left)
        named = with_new_names({str(key): value for key, value in config.items()})
    except RecursionError as err:
        raise ValueError(f"{CONFIG} is nested too deep") from err
    return {key: _text(value) for key, value in _flat(named)}


def _parsed(text: bytes) -> Any:
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as err:
        raise ValueError(f"{CONFIG} is not valid YAML") from err


def _check_size(node: Any, left: list[int]) -> None:
    left[0] -= 1
    if left[0] < 0:
        raise ValueError(f"{CONFIG} has more than {_MAX_NODES:,} values")
    if isinstance(node, Mapping):
        for key, value in node.items():
            if not isinstance(key, (str, int)):
                raise ValueError(f"{CONFIG} has a key that is no text")
            _check_size(value, left)
    elif isinstance(node, (list, set, tuple)):
        for value in node:
            _check_size(value, left)


def _flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)[:_MAX_TEXT]
