"""From a composed config to a job; the last place that sees Hydra's DictConfig.

A DictConfig becomes a plain dict once, with every value of the type its class declares (typed.py).
components.py builds the objects, checks.py refuses values, trust.py decides what the config of a
checkpoint may build.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dagger_cli.config.checks import (
    check_values,
    chosen_seeds,
    episodes_of,
    final_fit_must_come,
    never_read,
    unseen_seeds,
    validation_seeds,
    value_of,
    warm_start_must_be_possible,
)
from dagger_cli.config.components import (
    ENV_NOTES,
    EnvChoice,
    built,
    env_of,
    in_gymnasium,
    learner_of,
    loaded_expert,
    safety_expert_of,
    target_of,
    typed_group,
)
from dagger_cli.config.renamed import with_new_names
from dagger_cli.config.trust import IMPORT_KEYS, check_trust, trusted
from dagger_cli.config.typed import keys_of
from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.kit import Kit, Learner, RngStreams
from dagger_cli.core.types import Expert
from dagger_cli.core.values import at_least
from dagger_cli.loop.trainer import Trainer, completed

Config = dict[str, Any]

RESUME_MAY_CHANGE = (
    "rounds",
    "labels",
    "evaluation.checkpoint",
    "evaluation.episodes",
    "evaluation.seed",
    "env.workers",
    "expert.path",
    "policy.device",
    "aggregate.storage",
)
# Keys of a saved config that are read without a default.
NEEDED = ("rounds", "n_envs", "aggregate.storage", "beta_schedule", "env.id", "trainer.name")
EVAL_MAY_CHANGE = ("env", "env.id", "env.imports", "env.workers", "env.data")
GROUPS = ("env", "expert", "policy", "trainer")  # what a run builds
NOT_SAVED = ("resume", "experiment", "trust", "logger")


@dataclass(frozen=True)
class TrainJob:
    """Everything `dagger train` needs, built and checked."""

    config: Config
    env: EnvChoice
    kit: Kit
    trainer: Trainer
    loggers: Mapping[str, Any]  # by name
    logger_words: tuple[str, ...]  # the overrides that chose them
    validation_seeds: range
    tolerance: float
    queries: int  # of the expert, in each round's validation
    regret: bool
    student: str
    evaluation_seeds: range
    notes: tuple[str, ...]  # shown before it starts


@dataclass(frozen=True)
class EvalJob:
    """Everything `dagger eval` needs apart from the policy itself."""

    env: EnvChoice
    learner: Learner | None  # None: the expert itself is scored
    expert: Expert | None
    seeds: range


def train_job(cfg: DictConfig, words: Sequence[str], *, sweep: bool) -> TrainJob:
    """Builds a new run; `words` are the user's overrides, `sweep` says they are of several jobs.

    Raises DaggerError with the sentence for the user.
    """
    touched = keys_in(words)
    if cfg.labels is not None and "steps_per_round" not in touched:
        cfg.steps_per_round = None
    unread = tuple(never_read(cfg, touched))
    if unread and not sweep:
        raise ConfigError(unread[0])
    config = _with_replaced_targets(_plain(cfg), touched)
    trust = trusted(cfg.get("trust"), _named(cfg, touched))
    return _train_job(config, cfg.get("logger"), words, trust, notes=unread)


def _with_replaced_targets(config: Config, touched: Collection[str]) -> Config:
    """Returns the config where `group._target_=...` replaced the class of the option chosen."""
    replaced = [g for g in (*GROUPS, "beta_schedule") if f"{g}._target_" in touched]
    new = {group: _of_another_target(config[group], group, touched) for group in replaced}
    trainer = new["trainer"] if "trainer" in new else config["trainer"]
    if "beta_schedule" in new and trainer.get("beta") == config["beta_schedule"]:
        new["trainer"] = {**trainer, "beta": new["beta_schedule"]}  # ${beta_schedule}, resolved
    return {**config, **new}


def _of_another_target(node: Config, group: str, touched: Collection[str]) -> Config:
    """Returns a group whose target the user replaced, without the keys of the option before.

    What the user typed stays, and so does what the new target takes.
    """
    target = target_of(node, group)
    taken = {"_target_", *keys_of(target), *(ENV_NOTES if group == "env" else ())}
    kept = {k: v for k, v in node.items() if k in taken or f"{group}.{k}" in touched}
    name = {"name": target.__name__.lower()} if "name" in node else {}
    return {**kept, **name} if f"{group}.name" not in touched else kept


def resumed_job(cfg: DictConfig, words: Sequence[str], saved: Mapping[str, Any]) -> TrainJob:
    """Builds a run from its own saved config, with the few things a resumed run may change."""
    touched, config = keys_in(words), with_new_names(saved)
    trust = trusted(cfg.get("trust"), _named(cfg, touched))
    check_trust(config, trust, GROUPS)
    free = {"resume", "trust", *RESUME_MAY_CHANGE, *IMPORT_KEYS}
    if cfg.expert.get("_target_") == config["expert"].get("_target_"):
        free.add("expert")  # the option it had, chosen again: expert.target= needs that
    for key in touched:
        if key not in free and not key.startswith(("hydra", "logger")):
            raise ConfigError(
                f"'{key}' cannot change when a run is resumed: it keeps its own config "
                f"(free to change: {', '.join(RESUME_MAY_CHANGE)}, logger)"
            )
        if key in IMPORT_KEYS and _select(cfg, key) != _select(config, key):
            raise ConfigError(
                f"'{key}={_select(cfg, key)}' is not what this run began with "
                f"({_select(config, key)}), and cannot change"
            )
    if "labels" in touched and config.get("steps_per_round") is not None:
        raise ConfigError(
            f"this run has {config['steps_per_round']} steps a round: to go on longer raise rounds "
            "instead of labels"
        )
    before = config["rounds"]
    for key in RESUME_MAY_CHANGE:
        if key in touched:
            config = _updated(config, key, _select(cfg, key))
    for key in NEEDED:
        if _select(config, key) is None:
            raise CheckpointError(f"the checkpoint's config makes no run: it has no '{key}'")
    with _of_a_checkpoint():
        notes = tuple(_beta_stays(config, before))
        return _train_job(config, cfg.get("logger"), words, trust, notes)


def _beta_stays(config: Config, before: int) -> Iterator[str]:
    """Yields a note where rounds are added to a schedule that was made for those before."""
    beta = config["trainer"].get("beta")
    over = beta.get("over") if isinstance(beta, Mapping) else None
    if over is not None and before == over < config["rounds"]:
        yield (
            f"beta goes on as this run began: it ends after {over:g} rounds, and a run of "
            f"{config['rounds']} from the start would spread it over all of them"
        )


def eval_job(cfg: DictConfig, words: Sequence[str], saved: Mapping[str, Any]) -> EvalJob:
    """Builds what a checkpoint with the config `saved` needs to be scored."""
    touched, config = keys_in(words), with_new_names(saved)
    trust = trusted(cfg.get("trust"), _named(cfg, touched))
    check_trust(config, trust, ("env", "policy"))
    own = config["env"].get("id")
    for key in touched:
        part = key.split(".")[0]
        other = key in ("env", "env.id") and cfg.env.get("id") != own
        if other or part == "expert" or (part == "env" and key not in EVAL_MAY_CHANGE):
            raise ConfigError(
                f"{key}={value_of(cfg, key)} has no effect on a checkpoint: this one was trained "
                f"on {own} and brings its own config; leave it out"
            )
    for key in ("env.workers", "env.data"):
        if key in touched:
            config = _updated(config, key, _select(cfg, key))
    env, learner = student_parts(config, trust)
    return EvalJob(env, learner, None, chosen_seeds(cfg, config["evaluation"], env.source))


def student_parts(saved: Mapping[str, Any], trust: tuple[str, ...]) -> tuple[EnvChoice, Learner]:
    """Returns the environment and the learner that a checkpoint's policy needs.

    The expert and the trainer are not built, so nothing of them is imported. Raises CheckpointError
    for what is neither of this package nor below `trust`.
    """
    config = with_new_names(saved)
    check_trust(config, trust, ("env", "policy"))
    if "device" in config["policy"]:
        config = _updated(config, "policy.device", "cpu")  # nothing is fitted
    with _of_a_checkpoint():
        env = env_of(in_gymnasium(typed_group(config["env"], "env")))
        return env, learner_of(typed_group(config["policy"], "policy"), env)


def expert_job(cfg: DictConfig) -> EvalJob:
    """Builds the environment and its expert, to score the expert itself."""
    env, expert = expert_parts(cfg, in_gymnasium)
    evaluation = _plain(cfg)["env"]["evaluation"]
    return EvalJob(env, None, expert, chosen_seeds(cfg, evaluation, env.source))


def expert_parts(
    cfg: DictConfig, played: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
) -> tuple[EnvChoice, Expert]:
    """Returns the environment, with its config changed by `played`, and the expert for it."""
    config = _plain(cfg)
    env = env_of(played(typed_group(config["env"], "env")))
    expert = loaded_expert(
        typed_group(config["expert"], "expert"), env, trusted(cfg.get("trust"), {})
    )
    return env, expert


def keys_in(words: Sequence[str]) -> frozenset[str]:
    """Returns the keys that overrides set, without signs, packages and values."""
    return frozenset(word.lstrip("+~").partition("=")[0].partition("@")[0] for word in words)


@contextmanager
def _of_a_checkpoint() -> Iterator[None]:
    """Reports errors of a config that was not composed: it may have anything in any place."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise CheckpointError(
            f"the checkpoint's config makes no run ({type(err).__name__}: {err}): it was altered, "
            "or written by another version of dagger-cli"
        ) from err


def _train_job(
    config: Config,
    loggers: Any,
    words: Sequence[str],
    trust: tuple[str, ...],
    notes: tuple[str, ...] = (),
) -> TrainJob:
    config = {**config, **{group: typed_group(config[group], group) for group in GROUPS}}
    config = _with_whole_paths(config)
    check_values(config)
    budget = Budget(config["rounds"], config["steps_per_round"], config["labels"])
    trainer = completed(built(config["trainer"], "trainer", drop=("name",)))
    env = env_of(config["env"])
    source, evaluation = env.source, config["evaluation"]
    n_evaluation = episodes_of("test", evaluation["episodes"], source)
    config = _updated(config, "env.id", str(source.id))
    if "backend" in config["env"]:
        # What is saved says who plays, whatever is installed where the run is resumed.
        config = _updated(config, "env.backend", source.chosen)
    final_fit_must_come(config, trainer)
    warm_start_must_be_possible(config)
    learner = learner_of(config["policy"], env)
    expert = loaded_expert(config["expert"], env, trust)
    unsafe = getattr(learner, "uses_unsafe_actions", False)
    n_envs, restores = config["n_envs"], trainer.needs_state_restore
    at_least("n_envs", n_envs, 1)
    kit = Kit(
        source.open(n_envs),
        expert,
        learner,
        budget,
        RngStreams.spawn(config["seed"]),
        horizon=source.horizon,
        scratch=source.open(n_envs) if restores else None,
        learner_for=lambda actions: learner_of(config["policy"], env, actions),
        safety_expert=safety_expert_of(config, expert, trainer) if unsafe else None,
    )
    rollouts = getattr(trainer, "cost_rollouts", None) if restores else None
    rolled_out = rollouts.notes(source.action_space) if rollouts else ()
    return TrainJob(
        config,
        env,
        kit,
        trainer,
        _loggers(loggers),
        tuple(word for word in words if word.lstrip("+~").startswith("logger")),
        validation_seeds(config["validation"]["episodes"], source),
        config["validation"]["tolerance"],
        config["validation"]["queries"],
        config["regret"],
        evaluation["checkpoint"],
        unseen_seeds("evaluation.episodes", n_evaluation, evaluation["seed"]),
        notes=(*notes, *env.notes, *rolled_out, *expert.card.notes),
    )


def _loggers(chosen: Any) -> dict[str, Any]:
    """Returns the loggers of the command line, by name."""
    nodes = OmegaConf.to_container(chosen, resolve=True) if chosen else {}
    assert isinstance(nodes, dict)
    return {
        name: built(typed_group(node, f"logger.{name}"), f"logger.{name}", drop=("name",))
        for name, node in ((str(key), node) for key, node in nodes.items())
    }


def _with_whole_paths(config: Config) -> Config:
    """Returns the config with whole paths of files: a run may be resumed from another folder."""
    for group, key in (("env", "data"), ("expert", "path"), ("expert", "folder")):
        path = config[group].get(key)
        # Data may also be a word such as `synthetic`, whatever folder has that name.
        exists = Path.is_file if group == "env" else Path.exists
        if path is not None and exists(Path(str(path))):
            config = _updated(config, f"{group}.{key}", os.path.abspath(path))
    return config


def _plain(cfg: DictConfig) -> Config:
    config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items() if key not in NOT_SAVED}


def _named(cfg: DictConfig, touched: Collection[str]) -> dict[str, Any]:
    """Returns what the user typed that is imported: typing it says that it is trusted."""
    return {key: _select(cfg, key) for key in IMPORT_KEYS if key in touched}


def _select(config: Any, key: str) -> Any:
    """Returns the value at a dotted key, None where there is none."""
    for part in key.split("."):
        if not isinstance(config, (Mapping, DictConfig)) or config.get(part) is None:
            return None
        config = config[part]
    is_node = OmegaConf.is_config(config)
    return OmegaConf.to_container(config, resolve=True) if is_node else config


def _updated(config: Config, key: str, value: Any) -> Config:
    """Returns the config with another value at a dotted key."""
    first, _, rest = key.partition(".")
    return {**config, first: _updated(config.get(first, {}), rest, value) if rest else value}
