"""What a checkpoint's config may have built or imported: it is not the user's word."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from dagger_cli.config.schema import shipped_targets
from dagger_cli.core.errors import CheckpointError

IMPORT_KEYS = ("env.imports", "env.id", "expert.target")

DEEPEST = 20  # of a saved config; ours are four deep, and a thousand would end in a RecursionError
# Where a config may build what: anywhere else even our own classes could be made to import.
_PLACES = {
    "env": "dagger_cli.envs.",
    "expert": "dagger_cli.experts.",
    "policy": "dagger_cli.policies.",
    "beta_schedule": "dagger_cli.core.schedules.",
    "trainer": "dagger_cli.trainers.",
    "trainer.beta": "dagger_cli.core.schedules.",
    "trainer.cost_rollouts": "dagger_cli.loop.cost_to_go.",
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
    ours = shipped_targets()
    for place, node in _nodes(saved):
        keys = [str(key) for key in node] if isinstance(node, Mapping) else []
        for key in keys:
            # Hydra's own: `_args_` would give a class of ours what it is not asked for by name.
            if key != "_target_" and re.fullmatch(r"_\w+_", key):
                raise CheckpointError(
                    f"the checkpoint's config wants to use Hydra's '{key}', which no run of ours "
                    "has; it is refused because a checkpoint must not choose what is run"
                )
        for text in (*keys, node):
            if isinstance(text, str) and "${" in text:  # runs are saved with all of it worked out
                raise CheckpointError(
                    f"the checkpoint's config wants to have {text!r} worked out where it is read; "
                    "it is refused because a checkpoint must not choose what is run or read"
                )
        target = _target(node)
        if target and (target not in ours or not target.startswith(_PLACES.get(place, "?"))):
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
            names = f"[{','.join(map(str, value))}]" if isinstance(value, ListConfig) else value
            raise CheckpointError(
                f"the checkpoint's config wants to import {value!r}, which is not part of "
                f"dagger-cli; if you trust it, say so with {option}{key}={names}"
            )


def foreign(config: Mapping[str, Any]) -> Iterator[str]:
    """What the user must know who has options of their own in a --config-dir."""
    ours = shipped_targets()
    for place, node in _nodes(config):
        target = _target(node)
        if target and target not in ours:
            yield (
                f"{place} is built by {target}, which is not part of dagger-cli and so is never "
                "built from a checkpoint: this run can be neither resumed nor evaluated later"
            )


def _nodes(node: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The node and all in it, each with its place; CheckpointError where that is absurdly deep."""
    if depth > DEEPEST:
        raise CheckpointError(
            "the checkpoint's config wants to be nested deeper than any run of ours: it was altered"
        )
    yield place, node
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _nodes(value, f"{place}.{key}" if place else str(key), depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value, f"{place}[]", depth + 1)


def _target(node: Any) -> str | None:
    return str(node["_target_"]) if isinstance(node, Mapping) and "_target_" in node else None
