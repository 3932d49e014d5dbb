"""The objects that the groups of a config stand for.

Groups arrive by `_target_`, so nothing here knows which options exist.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from math import ceil
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from dagger_cli.core.errors import ConfigError, DaggerError
from dagger_cli.core.types import Expert, SafetyExpert, Space
from dagger_cli.loop.run import Trainer

MAX_SLOTS = 32  # of evaluation: more simulators gain nothing on a few cores
ENV_NOTES = (  # not the source's
    *("name", "failure_name", "per_step_name", "hub_algo", "best"),
    *("budget", "evaluation", "seen_by"),
)


@dataclass(frozen=True)
class EnvChoice:
    """An environment source and what the config says about showing and scoring it."""

    source: Any
    eval_source: (
        Any  # the source that final scores are played in: always Gymnasium's own environment
    )
    name: str
    failure_name: str | None
    per_step_name: str | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user must know of the environment before anybody plays there."""
        if self.source.horizon is not None:
            return ()
        return (
            f"{self.source.id} sets no limit to an episode, and a score waits for the end of every "
            "one: if some never end, give env.max_episode_steps=1000",
        )


def env_of(cfg: DictConfig) -> EnvChoice:
    """Where is collected, and where is scored."""
    silent = cfg.env.get("failure", "none") == "none"
    failure_name = None if silent else cfg.env.failure_name
    source = instantiated(cfg.env, drop=ENV_NOTES)
    other = "backend" in cfg.env
    eval_source = instantiated(in_gymnasium(cfg.env), drop=ENV_NOTES) if other else source
    return EnvChoice(source, eval_source, cfg.env.name, failure_name, cfg.env.get("per_step_name"))


def in_gymnasium(env: DictConfig) -> DictConfig:
    """The same environment, played by Gymnasium itself where it could be played by others."""
    plain = OmegaConf.merge(env, {"backend": "gymnasium"}) if "backend" in env else env
    assert isinstance(plain, DictConfig)
    return plain


def open_for(source: Any, episodes: int) -> Any:
    """Environments that play so many episodes in waves of nearly equal size.

    A source whose slots are cheap says with `most_slots` how many may play at once.
    """
    most = getattr(source, "most_slots", MAX_SLOTS)
    return source.open(ceil(episodes / ceil(episodes / most)))


def learner_of(cfg: DictConfig, env: EnvChoice, actions: Space | None = None) -> Any:
    """What fits to labels; `actions` stands for the environment's where those are not learned."""
    spaces: dict[str, Any] = {
        "observations": env.source.observation_space,
        "actions": actions or env.source.action_space,
    }
    if actions is not None and env.source.action_space.kind == "box" and "loss" in cfg.policy:
        spaces["loss"] = "auto"  # the one that was chosen is for distances
    return instantiated(cfg.policy, drop=("name", *spaces), **spaces)


def loaded_expert(cfg: DictConfig, env: EnvChoice) -> Any:
    """Who is asked; raises ExpertError where it cannot be had or does not fit the environment."""
    source = env.source
    return instantiated(cfg.expert).load(source.id, source.observation_space, source.action_space)


def safety_expert_of(cfg: DictConfig, expert: Expert, trainer: Trainer) -> SafetyExpert:
    """The expert, where it is one that can say what is fatal and the trainer asks for labels."""
    if trainer.needs_state_restore:
        raise ConfigError(
            f"trainer={cfg.trainer.name} learns from what actions cost and does not ask what is "
            "fatal: add policy.unsafe_penalty=0, or use trainer=dagger"
        )
    if not isinstance(expert, SafetyExpert):
        raise ConfigError(
            f"policy.unsafe_penalty={cfg.policy.unsafe_penalty} needs an expert that reports "
            "unsafe actions, as expert=mario_planner does: add policy.unsafe_penalty=0"
        )
    return expert


def instantiated(node: DictConfig, drop: Collection[str] = (), **given: Any) -> Any:
    """The node's `_target_`, called with its keys but those of `drop`, and with what is `given`.

    Raises what the target says against its values, not Hydra's words around it.
    """
    config = OmegaConf.to_container(node, resolve=True, throw_on_missing=True)
    assert isinstance(config, dict)
    kept = {key: value for key, value in config.items() if key not in drop}
    try:
        # Values go by attribute, not by merging: Hydra would try to make config nodes of them.
        return instantiate(kept, _partial_=True, _convert_="all")(**given)
    except InstantiationException as err:
        cause: BaseException | None = err
        while cause is not None and not isinstance(cause, DaggerError):
            cause = cause.__cause__
        raise cause or err from err
    except TypeError as err:
        # +env.foo=1 passes by the schema.
        unknown = re.search(r"unexpected keyword argument '(\w+)'", str(err))
        if unknown is None or unknown[1] not in kept:
            raise
        raise ConfigError(
            f"there is no key '{unknown[1]}' in {kept['_target_']}: leave it out"
        ) from err
