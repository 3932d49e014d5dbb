"""Conversion of a composed config to a dict, and access by dotted keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dagger_cli.config.trust import IMPORT_KEYS

Config = dict[str, Any]

NOT_SAVED = ("resume", "objective", "gif", "retry", "experiment", "trust", "labeller", "logger")


def keys_in(words: Sequence[str]) -> frozenset[str]:
    """Returns the keys that overrides set, without signs, packages and values."""
    return frozenset(word.lstrip("+~").partition("=")[0].partition("@")[0] for word in words)


def plain(cfg: DictConfig) -> Config:
    """Returns a composed config as a dict with every value resolved, without `NOT_SAVED`."""
    config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items() if key not in NOT_SAVED}


def named(cfg: DictConfig, touched: Collection[str]) -> dict[str, Any]:
    """Returns the imported values on the command line, which are trusted as the user typed them."""
    return {key: select(cfg, key) for key in IMPORT_KEYS if key in touched}


def select(config: Any, key: str) -> Any:
    """Returns the value at a dotted key, None where there is none."""
    for part in key.split("."):
        if not isinstance(config, (Mapping, DictConfig)) or config.get(part) is None:
            return None
        config = config[part]
    is_node = OmegaConf.is_config(config)
    return OmegaConf.to_container(config, resolve=True) if is_node else config


def updated(config: Config, key: str, value: Any) -> Config:
    """Returns the config with another value at a dotted key."""
    first, _, rest = key.partition(".")
    return {**config, first: updated(config.get(first, {}), rest, value) if rest else value}
