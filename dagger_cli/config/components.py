"""Builds the objects that the groups of a config stand for.

A group's `_target_` names the class or function to call, so nothing here knows which options exist.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

from dagger_cli.config.schema import EnvNotes
from dagger_cli.config.typed import is_function, keys_of, needed_by, takes_any_key, typed
from dagger_cli.core.errors import ConfigError, DaggerError
from dagger_cli.core.types import Expert, SafetyExpert, Space
from dagger_cli.loop.trainer import Trainer
from dagger_cli.utils.imports import import_object

Node = Mapping[str, Any]

MAX_SLOTS = 32  # of evaluation: more simulators gain nothing on a few cores
ENV_NOTES = keys_of(EnvNotes)
PARTIAL = "_partial_"
_HYDRAS = ("_target_", PARTIAL)
NAMED = {"name": str}  # the key that other groups have beside those of their target


@dataclass(frozen=True)
class EnvChoice:
    """An environment source and what the config says about showing and scoring it."""

    source: Any
    eval_source: Any  # plays the final scores: always Gymnasium's own environment
    name: str
    failure_name: str | None
    per_step_name: str | None

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns what the user must know of the environment before it is played."""
        if self.source.horizon is not None:
            return ()
        return (
            f"{self.source.id} sets no limit to an episode, and a score waits for the end of every "
            "one: if some never end, give env.max_episode_steps=1000",
        )


def typed_group(node: Any, place: str) -> dict[str, Any]:
    """Returns a group's config with every value converted to the type its target declares.

    Raises ConfigError for a target that cannot be imported, an unknown key and a wrong type.
    """
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise ConfigError(f"{place} has no _target_: name the class to build, {place}._target_=...")
    target = target_of(node, place)
    keys = {**(ENV_NOTES if place == "env" else NAMED), PARTIAL: bool, **keys_of(target)}
    if place == "expert":
        keys.pop("trust", None)  # comes from the command line alone, never from a config
    values = typed(node, keys, place, any_key=takes_any_key(target))
    return {
        key: typed_group(value, f"{place}.{key}") if _has_target(value) else value
        for key, value in values.items()
    }


def target_of(node: Node, place: str) -> Any:
    """Returns the class or function that a node names; ConfigError where it cannot be imported."""
    try:
        target = import_object(str(node["_target_"]))
    except DaggerError:
        raise
    except (Exception, SystemExit) as err:  # an import may raise anything
        raise ConfigError(
            f"{place}._target_={node['_target_']} cannot be imported "
            f"({type(err).__name__}: {err}): "
            "it must name a class of an installed package or of a module in the current folder"
        ) from err
    if not callable(target):
        raise ConfigError(f"{place}._target_={node['_target_']} is not a class or a function")
    return target


def _has_target(value: Any) -> bool:
    return isinstance(value, Mapping) and "_target_" in value


def built(node: Node, place: str, drop: Collection[str] = (), **given: Any) -> Any:
    """Calls the target of the node at `place` with its keys but `drop`, and with what is `given`.

    Nodes inside that have a target are built first; `_partial_: true` gives the target with its
    arguments bound. This is Hydra's `instantiate` without `_args_`, `_recursive_` and `_convert_`,
    and without the errors that it wraps around those of the target. Raises ConfigError for a key
    that the target needs and the node lacks.
    """
    target = import_object(str(node["_target_"]))
    kept = {key: value for key, value in node.items() if key not in (*drop, *_HYDRAS)}
    later = {key for key, kind in keys_of(target).items() if is_function(kind)} & kept.keys()
    # What the target declares as a function is to be called by it.
    kept |= {key: {**kept[key], PARTIAL: True} for key in later if _has_target(kept[key])}
    values = {key: _inner(value, f"{place}.{key}") for key, value in kept.items()}
    for key in needed_by(target):
        if key not in values and key not in given and not node.get(PARTIAL):
            raise ConfigError(f"{place}.{key} needs a value: give +{place}.{key}=...")
    return partial(target, **values, **given) if node.get(PARTIAL) else target(**values, **given)


def _inner(value: Any, place: str) -> Any:
    if _has_target(value):
        return built(value, place)
    if isinstance(value, Mapping):
        return {key: _inner(item, f"{place}.{key}") for key, item in value.items()}
    return [_inner(item, place) for item in value] if isinstance(value, list) else value


def env_of(env: Node) -> EnvChoice:
    """Returns where labels are collected and where policies are scored."""
    silent = env.get("failure", "none") == "none"
    failure_name = None if silent else env.get("failure_name", "failures")
    notes = ENV_NOTES.keys() - keys_of(target_of(env, "env"))
    source = built(env, "env", drop=notes)
    other = "backend" in env
    eval_source = built(in_gymnasium(env), "env", drop=notes) if other else source
    return EnvChoice(source, eval_source, env["name"], failure_name, env.get("per_step_name"))


def in_gymnasium(env: Node) -> Node:
    """Returns the config of the same environment, played by Gymnasium itself."""
    return {**env, "backend": "gymnasium"} if "backend" in env else env


def open_for(source: Any, episodes: int) -> Any:
    """Opens environments that play so many episodes in waves of nearly equal size.

    A source whose slots are cheap says with `most_slots` how many may play at once.
    """
    most = getattr(source, "most_slots", MAX_SLOTS)
    return source.open(ceil(episodes / ceil(episodes / most)))


def learner_of(policy: Node, env: EnvChoice, actions: Space | None = None) -> Any:
    """Returns the learner of a policy's config; `actions` replaces the environment's own space."""
    spaces: dict[str, Any] = {
        "observations": env.source.observation_space,
        "actions": actions or env.source.action_space,
    }
    if actions is not None and env.source.action_space.kind == "box" and "loss" in policy:
        spaces["loss"] = "auto"  # the chosen one is for distances
    return built(policy, "policy", drop=("name", *spaces), **spaces)


def loaded_expert(expert: Node, env: EnvChoice, trust: tuple[str, ...] = ()) -> Any:
    """Loads the expert; raises ExpertError where it is missing or does not fit the environment.

    A source with a parameter `trust` gets the packages that this command line trusts.
    """
    source = env.source
    given = {"trust": trust} if "trust" in keys_of(target_of(expert, "expert")) else {}
    loader = built(expert, "expert", drop=("name",), **given)
    return loader.load(source.id, source.observation_space, source.action_space)


def safety_expert_of(config: Node, expert: Expert, trainer: Trainer) -> SafetyExpert:
    """Returns the expert where it reports unsafe actions; raises ConfigError where it cannot."""
    penalty = config["policy"]["unsafe_penalty"]
    if trainer.needs_state_restore:
        raise ConfigError(
            f"trainer={config['trainer']['name']} learns from the costs of actions and does not "
            "use unsafe actions: add policy.unsafe_penalty=0, or use trainer=dagger"
        )
    if not isinstance(expert, SafetyExpert):
        raise ConfigError(
            f"policy.unsafe_penalty={penalty} needs an expert that reports unsafe actions, as "
            "expert=mario_planner does: add policy.unsafe_penalty=0"
        )
    return expert
