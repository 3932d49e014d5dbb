"""Checks of the composed config for keys that Hydra lets a user add or remove."""

from __future__ import annotations

from dataclasses import fields

from omegaconf import DictConfig, OmegaConf

from dagger_cli.config.schema import NODES, ROOTS
from dagger_cli.config.typed import unknown_key
from dagger_cli.core.errors import ConfigError


def root_of(command: str) -> str:
    """Returns the name of a command's config in conf/."""
    return command.replace(" ", "_")


def refuse_unknown(command: str, cfg: DictConfig) -> None:
    """Raises ConfigError for an unknown key added with `+`, or a key removed with `~`."""
    for place, kind in {"": ROOTS[root_of(command)], **NODES}.items():
        node = OmegaConf.select(cfg, place) if place else cfg
        prefix = f"{place}." if place else ""
        known = [prefix + field.name for field in fields(kind)]
        names = [f"{prefix}{name!s}" for name in node or ()]
        for key in names:
            if key not in known:
                raise unknown_key(key, known)
        if not place and set(known) - set(names):
            key = min(set(known) - set(names))
            raise ConfigError(f"'~' removed {key}, which is needed: leave it out")
