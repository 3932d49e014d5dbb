"""Rebuilds a policy from its arrays and the config that its checkpoint has saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagger_cli.config.components import built, typed_group
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

    Only the policy of the config `saved` is created. Raises CheckpointError for classes that are
    neither part of this package nor below `trust`, and DaggerError where arrays or spaces differ.
    """
    config = with_new_names(saved)
    check_trust(config, trust, ("policy",))
    node = {key: value for key, value in config["policy"].items() if key != "device"}
    spaces: dict[str, Any] = {"observations": observation_space, "actions": action_space}
    try:
        learner = built(typed_group(node, "policy"), "policy", drop=("name", *spaces), **spaces)
        return unpack(arrays, learner, action_space)
    except (RuntimeError, LookupError, TypeError, ValueError) as err:
        raise CheckpointError(
            f"the checkpoint's config does not create a policy ({type(err).__name__}: {err}): it "
            "was altered, or written by another version of dagger-cli"
        ) from err
