"""Creates the objects of a config's groups.

A group's `_target_` names the class or function to call; the options are not listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import ceil
from typing import Any

from dagger_cli.config.schema import EnvNotes
from dagger_cli.config.typed import is_function, signature_of, typed
from dagger_cli.core.errors import ConfigError, DaggerError
from dagger_cli.core.types import Expert, History, RecurrentExpert, SafetyExpert, Space
from dagger_cli.core.windows import Windows
from dagger_cli.loop.trainer import Trainer
from dagger_cli.utils.imports import import_object

Node = Mapping[str, Any]

MAX_SLOTS = 32  # slots in an evaluation: more are not faster on a few cores
ENV_NOTES = signature_of(EnvNotes).keys
PARTIAL = "_partial_"
WRAPPED = "dagger_cli.views.wrapped.wrapped"
ASKED, TOLD = "dagger_cli.views.asked.AskedSource", "dagger_cli.views.asked.Told"
_HYDRAS = ("_target_", PARTIAL)
ENV_PARTS = ("id", "observation_space", "action_space", "horizon", "open")
FULL = {"_target_": "dagger_cli.views.view.View"}  # the view of configs saved before the group
NAMED = {"name": str}  # the key that other groups have beside those of their target


@dataclass(frozen=True)
class EnvChoice:
    """Environment as experts and as students see it, and the names of its metrics.

    `full` is the source as experts see it, `eval_full` that of the final scores: Gymnasium's own
    environment where there is one. `show` makes the students' source of it.
    """

    full: Any
    eval_full: Any
    show: Callable[[Any], Any]
    name: str
    failure_name: str | None
    per_step_name: str | None
    return_name: str = "return"

    @cached_property
    def source(self) -> Any:
        """Source whose observations are what students see."""
        return self.show(self.full)

    @cached_property
    def eval_source(self) -> Any:
        """The same for the final scores."""
        return self.source if self.eval_full is self.full else self.show(self.eval_full)

    def sighted(self, expert: Any) -> Any:
        """Returns the expert for the environments of `source`, whose students may see less.

        One that answers nothing at once sees what the students see.
        """
        same = self.source is self.full or not answers(expert)
        return expert if same else self.source.sighted(expert)

    def asking(self, expert: Any) -> tuple[EnvChoice, Any]:
        """Returns the environment that asks an expert with a memory, and the expert as a policy.

        Both are returned as they are where the expert has none.
        """
        if not isinstance(expert, RecurrentExpert):
            return self, expert
        full = built({"_target_": ASKED}, "expert", inner=self.full, expert=expert)
        last = built({"_target_": ASKED}, "expert", inner=self.eval_full, expert=expert)
        same = self.eval_full is self.full
        told = built({"_target_": TOLD}, "expert", card=expert.card)
        return replace(self, full=full, eval_full=full if same else last), told

    @property
    def history(self) -> History:
        """What a student's observation consists of."""
        space: Space = self.source.observation_space
        return getattr(self.source, "history", None) or History(1, space.size, 0)

    @property
    def windows(self) -> Windows | None:
        """Where a row has the observations of the last steps; None where it is one observation."""
        return getattr(self.source, "windows", None)

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns notes for the user, printed before the first episode."""
        own = getattr(self.source, "notes", ())
        if self.source.horizon is not None:
            return own
        return (
            *own,
            f"{self.source.id} has no step limit, and an evaluation runs until all episodes end: "
            "if some never end, set env.max_episode_steps=1000",
        )


def answers(expert: Any) -> bool:
    """Returns whether an expert answers at once in any state: files and data sets do not."""
    return bool(getattr(expert, "answers_at_once", True))


def typed_group(node: Any, place: str) -> dict[str, Any]:
    """Returns a group's config with every value converted to the type its target declares.

    Raises ConfigError for a target that cannot be imported, an unknown key and a wrong type.
    """
    target = target_of(node, place)
    signature = signature_of(target)
    keys = {**(ENV_NOTES if place == "env" else NAMED), PARTIAL: bool, **signature.keys}
    if place == "expert":
        keys.pop("trust", None)  # only from the command line, never from a config
    values = typed(node, keys, place, any_key=signature.any_key)
    return {
        key: typed_group(value, f"{place}.{key}") if _has_target(value) else value
        for key, value in values.items()
    }


def target_of(node: Any, place: str) -> Any:
    """Returns the class or function that a node names; ConfigError where it cannot be imported."""
    if not isinstance(node, Mapping) or "_target_" not in node:
        raise ConfigError(f"{place} has no _target_: name the class to build, {place}._target_=...")
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
    """Calls the target of the node at `place` with its keys (without `drop`) and with `given`.

    Inner nodes with a target are created first; `_partial_: true` returns the target with its
    arguments bound. This is Hydra's `instantiate` without `_args_`, `_recursive_` and `_convert_`,
    and errors of the target are not wrapped. Raises ConfigError for a key that the target needs and
    the node lacks, and where a target of another package cannot be called with these keys.
    """
    target = import_object(str(node["_target_"]))
    kept = {key: value for key, value in node.items() if key not in (*drop, *_HYDRAS)}
    signature = signature_of(target)
    later = {key for key, kind in signature.keys.items() if is_function(kind)} & kept.keys()
    # Parameters declared as functions are passed as functions, not called here.
    kept |= {key: {**kept[key], PARTIAL: True} for key in later if _has_target(kept[key])}
    values = {key: _inner(value, f"{place}.{key}") for key, value in kept.items()}
    for key in signature.needed:
        if key not in values and key not in given and not node.get(PARTIAL):
            raise ConfigError(f"{place}.{key} needs a value: give +{place}.{key}=...")
    if node.get(PARTIAL):
        return partial(target, **values, **given)
    try:
        return target(**values, **given)
    except TypeError as err:
        if str(node["_target_"]).startswith("dagger_cli."):
            raise
        reason = f"{type(err).__name__}: {err}"
        raise ConfigError(f"{place}._target_={node['_target_']} fails ({reason})") from err


def with_parts(thing: Any, place: str, *parts: str) -> Any:
    """Returns the object; raises ConfigError where it lacks an attribute or method."""
    for part in parts:
        if not hasattr(thing, part):
            raise ConfigError(
                f"{place} builds a {type(thing).__name__}, which has no '{part}': see "
                "docs/extending.md"
            )
    return thing


def _inner(value: Any, place: str) -> Any:
    if _has_target(value):
        return built(value, place)
    if isinstance(value, Mapping):
        return {key: _inner(item, f"{place}.{key}") for key, item in value.items()}
    return [_inner(item, place) for item in value] if isinstance(value, list) else value


def env_of(env: Node, view: Node = FULL) -> EnvChoice:
    """Returns the environment sources for rollouts and for the final evaluation.

    Their observations are those of `view`.
    """
    silent = env.get("failure", "none") == "none"
    failure_name = None if silent else env.get("failure_name", "failures")
    notes = ENV_NOTES.keys() - signature_of(target_of(env, "env")).keys.keys()
    wrappers = env.get("wrappers", ())
    source = with_parts(built(env, "env", drop=notes), "env", *ENV_PARTS)
    # EnvPool's numbers are close to Gymnasium's but not the same, so scores come from Gymnasium's.
    eval_source = built(for_evaluation(env), "env", drop=notes) if "backend" in env else source
    other = getattr(eval_source, "chosen", None) != getattr(source, "chosen", None)
    show = with_parts(built(view, "view", drop=tuple(NAMED)), "view", "viewed").viewed
    full, eval_full = (_wrapped(of, wrappers) for of in (source, eval_source))
    if not other:
        eval_full = full
    names = failure_name, env.get("per_step_name"), env.get("return_name", "return")
    return EnvChoice(full, eval_full, show, env["name"], *names)


def _wrapped(source: Any, wrappers: Sequence[Any]) -> Any:
    node = {"_target_": WRAPPED, "wrappers": list(wrappers)}
    return built(node, "env", source=source) if wrappers else source


def for_evaluation(env: Node) -> Node:
    """Returns the config of the same environment for final scores, wherever it was trained."""
    return {**env, "backend": "evaluation"} if "backend" in env else env


def open_for(source: Any, episodes: int) -> Any:
    """Opens slots for an evaluation of `episodes` episodes, in batches of nearly equal size.

    A source with cheap slots raises their maximum number with `most_slots`.
    """
    most = getattr(source, "most_slots", MAX_SLOTS)
    return source.open(ceil(episodes / ceil(episodes / most)))


def learner_of(policy: Node, env: EnvChoice, actions: Space | None = None) -> Any:
    """Returns the learner of a policy's config; `actions` replaces the environment's own space."""
    spaces: dict[str, Any] = {
        "observations": env.source.observation_space,
        "actions": actions or env.source.action_space,
    }
    keys, windows = signature_of(target_of(policy, "policy")).keys, env.windows
    if keys.get("past") is History:
        spaces["past"] = env.history
    _check_chunk(policy, windows, policy.get("chunk", 1) if "windows" in keys else 1)
    if windows is not None:
        spaces |= {"observations": windows.space, "windows": windows}
    if actions is not None and env.source.action_space.kind == "box" and "loss" in policy:
        spaces["loss"] = "auto"  # the chosen loss is for Box actions
    learner = built(policy, "policy", drop=("name", *spaces), **spaces)
    return with_parts(learner, "policy", "fit", "loss", "pack", "unpack")


def _check_chunk(policy: Node, windows: Windows | None, chunk: int) -> None:
    """Raises ConfigError unless a row has the `chunk` observations that the policy acts by."""
    shown = 1 if windows is None else windows.chunk
    if chunk != shown:
        raise ConfigError(
            f"view.chunk={shown} does not fit policy={policy.get('name', policy['_target_'])}, "
            f"which predicts chunks of {chunk}: use view.chunk={chunk}, or leave it out, as "
            "policy.chunk sets it"
        )


def expert_for(
    expert: Node, env_id: str, observations: Space, actions: Space, trust: tuple[str, ...]
) -> Any:
    """Loads the expert for an environment with these spaces, as `loaded_expert` says."""
    given = {"trust": trust} if "trust" in signature_of(target_of(expert, "expert")).keys else {}
    loader = with_parts(built(expert, "expert", drop=("name",), **given), "expert", "load")
    return loader.load(env_id, observations, actions)


def loaded_expert(expert: Node, env: EnvChoice, trust: tuple[str, ...] = ()) -> Any:
    """Loads the expert; raises ExpertError where it is missing or does not fit the environment.

    A source with a parameter `trust` gets the packages that this command line trusts.
    """
    source = env.full
    loaded = expert_for(expert, source.id, source.observation_space, source.action_space, trust)
    if hasattr(loaded, "limited"):
        loaded = loaded.limited(source.horizon)
    if not hasattr(loaded, "tried"):
        return loaded
    with closing(source.open(1)) as played:
        return loaded.tried(played)


def safety_expert_of(config: Node, expert: Expert, trainer: Trainer) -> SafetyExpert:
    """Returns the expert where it reports unsafe actions; raises ConfigError where it cannot."""
    penalty = config["policy"]["unsafe_penalty"]
    if trainer.needs_state_restore:
        raise ConfigError(
            f"trainer={config['trainer']['name']} learns from cost roll-outs and does not use "
            "unsafe actions: add policy.unsafe_penalty=0, or use trainer=dagger"
        )
    if not isinstance(expert, SafetyExpert):
        raise ConfigError(
            f"policy.unsafe_penalty={penalty} needs an expert that reports unsafe actions, as "
            "expert=mario_planner does: add policy.unsafe_penalty=0"
        )
    return expert
