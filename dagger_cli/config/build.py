"""From a composed config to a job; the last place that sees a DictConfig.

Its groups become objects in parts.py, its values are checked in checks.py. What the config of a
checkpoint may have built or imported is checked first (trust.py).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dagger_cli.config.checks import (
    at_least_one,
    check_values,
    chosen_seeds,
    episodes_of,
    final_fit_must_come,
    going_on_must_be_possible,
    never_read,
    unseen_seeds,
    value_of,
)
from dagger_cli.config.components import (
    EnvChoice,
    env_of,
    in_gymnasium,
    instantiated,
    learner_of,
    loaded_expert,
    safety_expert_of,
)
from dagger_cli.config.trust import IMPORT_KEYS, check_trust, foreign
from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.kit import Kit, Learner, RngStreams
from dagger_cli.core.seeds import VALIDATION_SEEDS
from dagger_cli.core.types import Expert
from dagger_cli.loop.run import Trainer

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
# Keys of a saved config that are read where nobody expects one to be missing.
NEEDED = ("rounds", "n_envs", "aggregate.storage", "beta_schedule", "env.id", "trainer.name")
EVAL_MAY_CHANGE = ("env", "env.id", "env.imports", "env.workers", "env.data")


@dataclass(frozen=True)
class TrainJob:
    """Everything `dagger train` needs, built and checked."""

    config: dict[str, Any]
    env: EnvChoice
    kit: Kit
    trainer: Trainer
    validation_seeds: range
    tolerance: float
    queries: int  # of the expert, in each round's validation
    regret: bool
    student: str
    evaluation_seeds: range
    notes: tuple[str, ...]  # what the user must see before it starts


@dataclass(frozen=True)
class EvalJob:
    """Everything `dagger eval` needs apart from the policy itself."""

    env: EnvChoice
    learner: Learner | None  # None: the expert itself is scored
    expert: Expert | None
    seeds: range


def train_job(cfg: DictConfig, touched: Collection[str], *, sweep: bool) -> TrainJob:
    """Build a new run; `touched` are the keys the user set, `sweep` says they cover several jobs.

    Raises DaggerError with the sentence for the user.
    """
    if cfg.labels is not None and "steps_per_round" not in touched:
        cfg.steps_per_round = None
    unread = tuple(never_read(cfg, touched))
    if unread and not sweep:
        raise ConfigError(unread[0])
    config = _plain(cfg)
    return _train_job(config, notes=(*unread, *foreign(config)))


def resumed_job(cfg: DictConfig, touched: Collection[str], saved: Mapping[str, Any]) -> TrainJob:
    """Build a run from its own saved config, with the few things a resumed run may change."""
    check_trust(saved, cfg, touched, IMPORT_KEYS)
    config = OmegaConf.create(dict(saved))
    free = {"resume", *RESUME_MAY_CHANGE, *IMPORT_KEYS}
    if cfg.expert.get("_target_") == saved["expert"].get("_target_"):
        free.add("expert")  # saying again what it was, as expert.target needs it
    for key in touched:
        if key not in free and not key.startswith("hydra"):
            raise ConfigError(
                f"'{key}' cannot change when a run is resumed: it keeps its own config "
                f"(free to change: {', '.join(RESUME_MAY_CHANGE)})"
            )
        if key in IMPORT_KEYS and OmegaConf.select(cfg, key) != OmegaConf.select(config, key):
            raise ConfigError(
                f"'{key}={OmegaConf.select(cfg, key)}' is not what this run began with "
                f"({OmegaConf.select(config, key)}), and cannot change"
            )
    if "labels" in touched and saved.get("steps_per_round") is not None:
        raise ConfigError(
            f"this run has {saved['steps_per_round']} steps a round: to go on longer raise rounds "
            "instead of labels"
        )
    for key in RESUME_MAY_CHANGE:
        if key in touched:
            OmegaConf.update(config, key, OmegaConf.select(cfg, key))
    for key in NEEDED:
        if OmegaConf.select(config, key) is None:
            raise CheckpointError(f"the checkpoint's config makes no run: it has no '{key}'")
    with _of_a_checkpoint():
        return _train_job(_plain(config), tuple(_beta_stays(config, saved)))


def _beta_stays(config: Any, saved: Mapping[str, Any]) -> Iterator[str]:
    """What the user must see who adds rounds to a schedule that was made for those before."""
    beta = saved["trainer"].get("beta")
    over = beta.get("over") if isinstance(beta, Mapping) else None
    if over is not None and saved["rounds"] == over < config.rounds:
        yield (
            f"beta goes on as this run began: it ends after {over:g} rounds, and a run of "
            f"{config.rounds} from the start would spread it over all of them"
        )


def eval_job(cfg: DictConfig, touched: Collection[str], saved: Mapping[str, Any]) -> EvalJob:
    """Build what a checkpoint with the config `saved` needs to be scored."""
    # The expert is not built, so nothing of it is imported.
    check_trust(saved, cfg, touched, ("env.imports", "env.id"))
    own = saved["env"].get("id")
    for key in touched:
        part = key.split(".")[0]
        other = key in ("env", "env.id") and cfg.env.id != own
        if other or part == "expert" or (part == "env" and key not in EVAL_MAY_CHANGE):
            raise ConfigError(
                f"{key}={value_of(cfg, key)} has no effect on a checkpoint: this one was trained "
                f"on {own} and brings its own config; leave it out"
            )
    config = OmegaConf.create(dict(saved))
    for key in ("env.workers", "env.data"):
        if key in touched:
            OmegaConf.update(config, key, OmegaConf.select(cfg, key))
    if "device" in config.policy:
        config.policy.device = "cpu"  # nothing is fitted, and there may be no GPU here
    with _of_a_checkpoint():
        config.env = in_gymnasium(config.env)
        env = env_of(config)
        learner = learner_of(config, env)
        return EvalJob(env, learner, None, chosen_seeds(cfg, config.evaluation, env.source))


def expert_job(cfg: DictConfig) -> EvalJob:
    """Build the environment and its expert, to score the expert itself."""
    cfg.env = in_gymnasium(cfg.env)
    env = env_of(cfg)
    seeds = chosen_seeds(cfg, cfg.env.evaluation, env.source)
    return EvalJob(env, None, loaded_expert(cfg, env), seeds)


def source_of(cfg: DictConfig, touched: Collection[str], saved: Mapping[str, Any]) -> Any:
    """The environment's source that a checkpoint with the config `saved` was trained in."""
    check_trust(saved, cfg, touched, ("env.imports", "env.id"))
    with _of_a_checkpoint():
        config = OmegaConf.create(dict(saved))
        config.env = in_gymnasium(config.env)
        return env_of(config).source


def expert_of(cfg: DictConfig) -> tuple[Expert, str]:
    """The expert alone, and the id of the environment that it is for."""
    env = env_of(cfg)
    return loaded_expert(cfg, env), str(env.source.id)


@contextmanager
def _of_a_checkpoint() -> Iterator[None]:
    """A config that Hydra has not composed may have anything in any place."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OmegaConfBaseException) as err:
        raise CheckpointError(
            f"the checkpoint's config makes no run ({type(err).__name__}: {err}): it was altered, "
            "or written by another version of dagger-cli"
        ) from err


def _train_job(config: dict[str, Any], notes: tuple[str, ...] = ()) -> TrainJob:
    _root(config)
    cfg = OmegaConf.create(config)
    if not isinstance(cfg, DictConfig):
        raise CheckpointError("the saved config is not a mapping of keys to values")
    check_values(cfg)
    budget = Budget(cfg.rounds, cfg.steps_per_round, cfg.labels)
    trainer = instantiated(cfg.trainer, drop=("name",))
    env = env_of(cfg)
    n_validation = episodes_of("validation", cfg.validation.episodes, env.source)
    if n_validation < 0:
        raise ConfigError(f"validation.episodes must be 0 or more, got {n_validation}; try 10")
    if n_validation > len(VALIDATION_SEEDS):
        raise ConfigError(
            f"validation.episodes={n_validation} is more than the {len(VALIDATION_SEEDS):,} seeds "
            "there are for validation; try 10"
        )
    validation_seeds = VALIDATION_SEEDS[:n_validation]
    n_evaluation = episodes_of("test", cfg.evaluation.episodes, env.source)
    evaluation_seeds = unseen_seeds("evaluation.episodes", n_evaluation, cfg.evaluation.seed)
    if "backend" in cfg.env:
        # What is saved says who plays, whatever is installed where the run is resumed.
        config["env"]["backend"] = env.source.chosen
    final_fit_must_come(cfg, trainer)
    going_on_must_be_possible(cfg)
    learner = learner_of(cfg, env)
    expert = loaded_expert(cfg, env)
    safety_expert = (
        safety_expert_of(cfg, expert, trainer) if getattr(learner, "heeds", False) else None
    )
    n_envs = at_least_one("n_envs", cfg.n_envs)
    kit = Kit(
        env.source.open(n_envs),
        expert,
        learner,
        budget,
        RngStreams.spawn(cfg.seed),
        horizon=env.source.horizon,
        scratch=env.source.open(n_envs) if trainer.needs_state_restore else None,
        learner_for=lambda actions: learner_of(cfg, env, actions),
        safety_expert=safety_expert,
    )
    tried = (
        trainer.cost_rollouts.notes(env.source.action_space) if trainer.needs_state_restore else ()
    )
    tolerance, student = cfg.validation.tolerance, cfg.evaluation.checkpoint
    return TrainJob(
        config,
        env,
        kit,
        trainer,
        validation_seeds,
        tolerance,
        cfg.validation.queries,
        cfg.regret,
        student,
        evaluation_seeds,
        notes=(*notes, *env.notes, *tried, *expert.card.notes),
    )


def _root(config: dict[str, Any]) -> None:
    """Files are saved with their whole path: a run may be resumed or scored from elsewhere."""
    for group, key in (("env", "data"), ("expert", "path"), ("expert", "folder")):
        path = config.get(group, {}).get(key)
        # Data may also be a word such as `synthetic`, whatever folder has that name.
        there = Path.is_file if group == "env" else Path.exists
        if path is not None and there(Path(str(path))):
            config[group][key] = os.path.abspath(path)


def _plain(cfg: DictConfig) -> dict[str, Any]:
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items() if key not in ("resume", "experiment")}
