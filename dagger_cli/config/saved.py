"""Rebuilds a policy from its arrays and the config that its checkpoint has saved."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from dagger_cli.config.components import FULL, NAMED, built, learner_of, typed_group
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
) -> tuple[Policy, Any]:
    """Returns the policy of a checkpoint for an environment with these spaces, and its view.

    Only the policy of the config `saved` is created, and its view. The view is None where the
    policy acts in the full observations of `observation_space`: where it selects components of
    them, this is done here. Raises CheckpointError for classes that are
    neither part of this package nor below `trust`, and DaggerError where arrays or spaces differ.
    """
    config = with_new_names(saved)
    config = config if "view" in config else {**config, "view": FULL}
    check_trust(config, trust, ("view", "policy"))
    node = {key: value for key, value in config["policy"].items() if key != "device"}
    try:
        view = built(typed_group(config["view"], "view"), "view", drop=tuple(NAMED))
        layout = view.laid_out(observation_space, action_space)
        source = SimpleNamespace(observation_space=layout.space, action_space=action_space)
        shown: Any = SimpleNamespace(source=source, history=layout.history, windows=layout.windows)
        policy = unpack(arrays, learner_of(typed_group(node, "policy"), shown), action_space)
        if not view.selects_only:
            return policy, view
        return view.in_full(observation_space, action_space)(policy), None
    except (RuntimeError, LookupError, TypeError, ValueError) as err:
        raise CheckpointError(
            f"the checkpoint's config does not create a policy ({type(err).__name__}: {err}): it "
            "was altered, or written by another version of dagger-cli"
        ) from err
