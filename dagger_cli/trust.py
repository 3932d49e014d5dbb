"""What a checkpoint's config may have built or imported: it is not the user's word."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dagger_cli.core.errors import CheckpointError
from dagger_cli.schema import shipped_targets

IMPORT_KEYS = ("env.imports", "env.id", "expert.target")

# Where a config may build what: anywhere else even our own classes could be made to import.
_PLACES = {
    "env": "dagger_cli.envs.",
    "expert": "dagger_cli.experts.",
    "policy": "dagger_cli.policies.",
    "beta_schedule": "dagger_cli.core.schedules.",
    "trainer": "dagger_cli.trainers.",
    "trainer.beta": "dagger_cli.core.schedules.",
    "trainer.tries": "dagger_cli.core.rewind.",
}


def check_trust(
    saved: Mapping[str, Any], cfg: DictConfig, touched: Collection[str], imports: Collection[str]
) -> None:
    """Nothing named by a checkpoint is imported unless it is ours or the user names it again.

    `imports` are the keys whose value would be imported.
    """
    for name in ("env", "expert", "policy", "trainer"):
        if not isinstance(saved.get(name), Mapping):
            raise CheckpointError(f"the checkpoint's config does not say what its {name} was")
    for text in _texts(saved):
        if "${" in text:  # runs are saved with every value worked out
            raise CheckpointError(
                f"the checkpoint's config wants to have {text!r} worked out where it is read; "
                "it is refused because a checkpoint must not choose what is run or read"
            )
    ours = shipped_targets()
    for place, target in _targets(saved):
        if target not in ours or not target.startswith(_PLACES.get(place, "?")):
            raise CheckpointError(
                f"the checkpoint's config wants to build '{target}' as {place}, which is not part "
                "of dagger-cli; it is refused because a checkpoint must not choose what is run"
            )
    wanted = OmegaConf.create(dict(saved))
    for key in imports:
        value = OmegaConf.select(wanted, key)
        imported = value is not None and (key != "env.id" or ":" in str(value))
        if imported and (key not in touched or OmegaConf.select(cfg, key) != value):
            option = "expert=python " if key == "expert.target" else ""
            raise CheckpointError(
                f"the checkpoint's config wants to import {value!r}, which is not part of "
                f"dagger-cli; if you trust it, say so with {option}{key}={value}"
            )


def _targets(node: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        if "_target_" in node:
            yield place, str(node["_target_"])
        for key, value in node.items():
            yield from _targets(value, f"{place}.{key}" if place else str(key))
    elif isinstance(node, list):
        for value in node:
            yield from _targets(value, f"{place}[]")


def _texts(node: Any) -> Iterator[str]:
    """Every key and every value that is a text, as deep as they lie."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
    elif isinstance(node, str):
        yield node
