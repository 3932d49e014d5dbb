"""Rebuilds a policy from its arrays and the config that its checkpoint has saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagger_cli.config.components import FULL, NAMED, built, typed_group
from dagger_cli.config.renamed import with_new_names
from dagger_cli.config.trust import check_trust
from dagger_cli.core.errors import CheckpointError
from dagger_cli.core.serialization import unpack
from dagger_cli.core.types import Array, Policy, Space


def policy_of(
    saved: Mapping[str, Any],
    arrays: Mapping[str, Array],
    observation_space: Space,
    action_space: Space,
    trust: tuple[str, ...],
) -> Policy:
    """Returns the policy of a checkpoint for an environment with these spaces.

    Only the policy of the config `saved` is created, and its view, so that it acts in the full
    observations of `observation_space`. Raises CheckpointError for classes that are
    neither part of this package nor below `trust`, and DaggerError where arrays or spaces differ.
    """
    config = with_new_names(saved)
    config = config if "view" in config else {**config, "view": FULL}
    check_trust(config, trust, ("view", "policy"))
    node = {key: value for key, value in config["policy"].items() if key != "device"}
    try:
        view = built(typed_group(config["view"], "view"), "view", drop=tuple(NAMED))
        seen, in_full = view.without(observation_space, action_space)
        spaces: dict[str, Any] = {"observations": seen, "actions": action_space}
        learner = built(typed_group(node, "policy"), "policy", drop=("name", *spaces), **spaces)
        policy: Policy = in_full(unpack(arrays, learner, action_space))
        return policy
    except (RuntimeError, LookupError, TypeError, ValueError) as err:
        raise CheckpointError(
            f"the checkpoint's config does not create a policy ({type(err).__name__}: {err}): it "
            "was altered, or written by another version of dagger-cli"
        ) from err
