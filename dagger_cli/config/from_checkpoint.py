"""Jobs built from the config that a checkpoint has saved: resume, eval, export.

trust.py decides what such a config may build.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from omegaconf import DictConfig

from dagger_cli.config.build import GROUPS, UNSAVED, EvalJob, TrainJob, assembled
from dagger_cli.config.checks import chosen_seeds, value_of
from dagger_cli.config.components import (
    FULL,
    EnvChoice,
    env_of,
    for_evaluation,
    learner_of,
    typed_group,
)
from dagger_cli.config.plain import Config, keys_in, named, select, updated
from dagger_cli.config.renamed import with_new_names
from dagger_cli.config.trust import IMPORT_KEYS, check_trust, trusted
from dagger_cli.core.errors import CheckpointError, ConfigError
from dagger_cli.core.kit import Learner

RESUME_MAY_CHANGE = (
    "rounds",
    "labels",
    "evaluation.checkpoint",
    "evaluation.episodes",
    "evaluation.expert",
    "evaluation.fresh",
    "evaluation.seed",
    "env.workers",
    "env.step_timeout",
    "expert.path",
    "expert.timeout",
    "expert.ui",
    "expert.port",
    "expert.pace",
    "expert.speed",
    "expert.undo",
    "expert.keys",
    "expert.least",
    "policy.device",
    "aggregate.storage",
)
# Keys of a saved config that are read without a default.
NEEDED = ("rounds", "n_envs", "aggregate.storage", "beta_schedule", "env.id", "trainer.name")
EVAL_MAY_CHANGE = ("env", "env.id", "env.imports", "env.workers", "env.step_timeout", "env.data")


def told_again(words: Sequence[str]) -> list[str]:
    """Returns the overrides that a run needs again when it is resumed: its config has the rest."""
    needed = {"trust", "objective", "gif", *IMPORT_KEYS}
    return [w for w in words if w.lstrip("+~").startswith(UNSAVED) or keys_in([w]) & needed]


def with_view(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a saved config in the new names; runs before the group `view` saw everything."""
    config = with_new_names(saved)
    return config if "view" in config else {**config, "view": FULL}


@contextmanager
def of_a_checkpoint() -> Iterator[None]:
    """Converts errors of a saved config, whose values are unchecked, to CheckpointError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as err:
        raise CheckpointError(
            f"the checkpoint's config is invalid ({type(err).__name__}: {err}): it was altered, "
            "or written by another version of dagger-cli"
        ) from err


@of_a_checkpoint()
def resumed_job(cfg: DictConfig, words: Sequence[str], saved: Mapping[str, Any]) -> TrainJob:
    """Creates the job of a resumed run from its saved config and overrides.

    Raises ConfigError for an override that a resumed run may not change.
    """
    touched, config = keys_in(words), with_view(saved)
    trust = trusted(cfg.get("trust"), named(cfg, touched))
    check_trust(config, trust, GROUPS)
    free = {"resume", "trust", "objective", "gif", *RESUME_MAY_CHANGE, *IMPORT_KEYS}
    if cfg.expert.get("_target_") == config["expert"].get("_target_"):
        free.add("expert")  # the same option again: expert.target= needs it
    for key in touched:
        if key not in free and not key.startswith(("hydra", *UNSAVED)):
            raise ConfigError(
                f"'{key}' cannot change when a run is resumed: it keeps its own config "
                f"(free to change: {', '.join(RESUME_MAY_CHANGE)}, labeller, logger)"
            )
        if key in IMPORT_KEYS and select(cfg, key) != select(config, key):
            raise ConfigError(
                f"'{key}={select(cfg, key)}' differs from the run's own value "
                f"({select(config, key)}), which cannot change; leave it out"
            )
    if "labels" in touched and config.get("steps_per_round") is not None:
        raise ConfigError(
            f"this run has {config['steps_per_round']} steps per round: to continue longer, raise "
            "rounds, not labels"
        )
    before = config["rounds"]
    for key in RESUME_MAY_CHANGE:
        if key in touched:
            config = updated(config, key, select(cfg, key))
    for key in NEEDED:
        if select(config, key) is None:
            raise CheckpointError(f"the checkpoint's config is incomplete: it has no '{key}'")
    for key in (*GROUPS, "beta_schedule"):
        if "_target_" not in dict(config[key]):
            raise CheckpointError(f"the checkpoint's config is incomplete: '{key}' names no class")
    notes = tuple(_beta_stays(config, before))
    return assembled(config, cfg, words, trust, notes)


def _beta_stays(config: Config, before: int) -> Iterator[str]:
    """Yields a note where rounds are added after the end of the beta schedule."""
    beta = config["trainer"].get("beta")
    over = beta.get("over") if isinstance(beta, Mapping) else None
    if over is not None and before == over < config["rounds"]:
        yield (
            f"beta_schedule.over stays {over:g} rounds, although the run now has "
            f"{config['rounds']}: the added rounds use the final beta"
        )


@of_a_checkpoint()
def eval_job(cfg: DictConfig, words: Sequence[str], saved: Mapping[str, Any]) -> EvalJob:
    """Creates the evaluation job of a checkpoint with the config `saved`.

    Raises ConfigError for an override that has no effect on a checkpoint.
    """
    touched, config = keys_in(words), with_new_names(saved)
    trust = trusted(cfg.get("trust"), named(cfg, touched))
    check_trust(config, trust, ("env", "policy"))
    own = config["env"].get("id")
    for key in touched:
        part = key.split(".")[0]
        other = key in ("env", "env.id") and cfg.env.get("id") != own
        if other or part == "expert" or (part == "env" and key not in EVAL_MAY_CHANGE):
            raise ConfigError(
                f"{key}={value_of(cfg, key)} has no effect on a checkpoint: this one was trained "
                f"on {own} and has its own config; leave it out"
            )
    for key in ("env.workers", "env.step_timeout", "env.data"):
        if key in touched:
            config = updated(config, key, select(cfg, key))
    env, learner = student_parts(config, trust)
    return EvalJob(env, learner, None, chosen_seeds(cfg, config["evaluation"], env.source))


@of_a_checkpoint()
def student_parts(saved: Mapping[str, Any], trust: tuple[str, ...]) -> tuple[EnvChoice, Learner]:
    """Returns the environment and the learner that a checkpoint's policy needs.

    The expert and the trainer are not created, so their packages are not imported. Raises
    CheckpointError for classes that are neither part of this package nor below `trust`.
    """
    config = with_view(saved)
    check_trust(config, trust, ("env", "view", "policy"))
    if "device" in config["policy"]:
        config = updated(config, "policy.device", "cpu")  # nothing is fitted
    view = typed_group(config["view"], "view")
    env = env_of(for_evaluation(typed_group(config["env"], "env")), view)
    return env, learner_of(typed_group(config["policy"], "policy"), env)
