"""The labeller of a run: a group of the command line, which no run saves."""

from __future__ import annotations

from functools import partial
from typing import Any

from omegaconf import OmegaConf

from dagger_cli.config.components import (
    NAMED,
    EnvChoice,
    Node,
    answers,
    built,
    expert_for,
    loaded_expert,
    typed_group,
    with_parts,
)
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import InCharge

LOCAL = "dagger_cli.labellers.local.Local"


def labelled(
    chosen: Any, node: Node, env: EnvChoice, trust: tuple[str, ...]
) -> tuple[EnvChoice, Any, tuple[str, ...], Any]:
    """Loads the expert; returns the environment that fits it, the expert, notes and a function.

    The notes are for the user, the function ends the workers.

    `chosen` is the composed node of the labeller, `node` the config of the expert, which workers
    load again for the same environment.
    """
    source = env.full
    load = partial(
        expert_for, node, str(source.id), source.observation_space, source.action_space, trust
    )
    group = typed_group(OmegaConf.to_container(chosen, resolve=True), "labeller")
    labeller = with_parts(built(group, "labeller", drop=tuple(NAMED)), "labeller", "labelled")
    env, loaded = env.asking(loaded_expert(node, env, trust))
    if not answers(loaded) and group["_target_"] != LOCAL:
        raise ConfigError(
            f"labeller={group['_target_']} has no effect: the answers of {loaded.card.name} are in "
            "files; leave it out"
        )
    expert, notes, close = labeller.labelled(loaded, load)
    # A person sees pictures, whatever the students see.
    sees = expert if isinstance(expert, InCharge) else env.sighted(expert)
    return env, sees, notes, close
