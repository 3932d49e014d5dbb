"""Checks of policy and view that need no environment, before torch and Gymnasium are imported."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dagger_cli.config.components import NAMED, built, typed_group
from dagger_cli.core.errors import ConfigError
from dagger_cli.utils.imports import import_object

Node = Mapping[str, Any]
OURS = "dagger_cli.policies."
CHECK_RANGES = OURS + "ranges.check_ranges"


def check_policy_and_view(config: Mapping[str, Node], touched: Collection[str]) -> None:
    """Raises ConfigError for values that no environment would accept; `touched`: the keys typed."""
    policy, view = config["policy"], config["view"]
    if str(policy.get("_target_")).startswith(OURS):
        import_object(CHECK_RANGES)(policy)
        _check_stack(policy, view, touched)
        _check_past(policy, view)
    # A value of a wrong type is reported later, by the key that was typed: the view takes some of
    # its values from keys of the policy.
    try:
        typed = typed_group(view, "view")
    except ConfigError:
        return
    built(typed, "view", drop=tuple(NAMED))


def _check_past(policy: Node, view: Node) -> None:
    """Raises ConfigError where a policy that carries a state would not see whole episodes."""
    if bool(policy.get("carry", False)) != bool(view.get("past", False)):
        raise ConfigError(
            f"view.past={str(view.get('past', False)).lower()} does not fit policy="
            f"{policy.get('name')}: leave view.past out, as policy.carry sets it"
        )


def _check_stack(policy: Node, view: Node, touched: Collection[str]) -> None:
    """Raises ConfigError where the view stacks another number than the policy's window."""
    window, stack = policy.get("window"), view.get("stack")
    pictures = view.get("pixels") is not None  # refused for their shape, which is said later
    if window is None or pictures or stack in (None, window):
        return
    by_key = "view.stack" in touched or view.get("name", "full") == "full"
    said = f"view.stack={stack}" if by_key else f"view={view['name']}"
    shown = "one observation" if stack == 1 else f"the last {stack} observations"
    other = "" if stack == 1 else f", or add policy.window={stack}"
    raise ConfigError(
        f"{said} shows {shown}, but policy={policy.get('name')} acts on "
        f"{window} (policy.window): leave {said} out, as policy.window sets the stack{other}"
    )
