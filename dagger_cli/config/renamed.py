"""Renamed keys and classes: old runs stay readable, and errors name the new key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED = {
    "policy.optimiser": "policy.optimizer",
    "policy.normalise": "policy.normalize",
    "policy.regularisation": "policy.regularization",
    "policy.heed": "policy.unsafe_penalty",
    "policy.last_fit": "policy.final_fit",
    "trainer.coin": "trainer.mix_per",
    "trainer.fit": "trainer.update",
    "trainer.fit=newest": "trainer.update=latest",
    "trainer.tries": "trainer.cost_rollouts",
    "env.watch_test": "env.validate_on_test",
    "dagger_cli.core.rewind.Tries": "dagger_cli.loop.cost_to_go.CostRollouts",
}


def new_name(key: str) -> str | None:
    """Returns the new name of an old key (`trainer.tries.horizon` too), None for any other."""
    for old, new in RENAMED.items():
        if key == old or key.startswith(f"{old}."):
            return new + key.removeprefix(old)
    return None


def with_new_names(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a checkpoint's config with new names; nodes of other packages are not changed."""
    return {
        group: _renamed(node, group) if isinstance(node, Mapping) and _is_ours(node) else node
        for group, node in saved.items()
    }


def _is_ours(node: Mapping[str, Any]) -> bool:
    return str(node.get("_target_", "")).startswith("dagger_cli.")


def _renamed(node: Mapping[str, Any], group: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in node.items():
        old = f"{group}.{key}"
        if f"{old}={value}" in RENAMED:
            value = RENAMED[f"{old}={value}"].partition("=")[2]
        elif isinstance(value, Mapping) and str(value.get("_target_")) in RENAMED:
            value = {**value, "_target_": RENAMED[str(value["_target_"])]}
        result[RENAMED.get(old, old).removeprefix(f"{group}.")] = value
    return result
