"""What a run with a person as the expert has in place of other defaults.

A person answers in one environment, plays no test episodes, and answers no questions in validation.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dagger_cli.config.components import target_of
from dagger_cli.config.plain import Config, select, updated
from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.types import Env
from dagger_cli.loop.trainer import Trainer

# Keys, the only value with a person, and why.
FIXED = (
    ("n_envs", 1, "a person answers in one environment"),
    ("evaluation.expert", False, "a person plays no test episodes"),
    ("validation.queries", 0, "a person is not asked in validation"),
)
PENALTY = "policy.unsafe_penalty"
BETA = {"_target_": "dagger_cli.core.schedules.Indicator", "by": "round"}
# Experts, by target, that cannot answer the jobs of a sweep.
NOT_SWEPT = {
    "dagger_cli.experts.human.source.Human": "expert=human cannot be swept: a person answers one "
    "run at a time",
    "dagger_cli.experts.file.File": "expert=file cannot be swept: each run pauses until its labels "
    "are there; start the runs one by one",
}
LINEAR = "dagger_cli.core.schedules.Linear"


def check_swept(expert: Config) -> None:
    """Raises ConfigError for an expert, a config, that cannot answer the jobs of a sweep."""
    sentence = NOT_SWEPT.get(str(expert.get("_target_")))
    if sentence is not None:
        raise ConfigError(sentence)


def asks_a_person(config: Config) -> bool:
    """Returns whether the expert of this config is a person."""
    return bool(getattr(target_of(config["expert"], "expert"), "asks_a_person", False))


def for_a_person(config: Config, touched: Collection[str], objective: str) -> Config:
    """Returns the config of a new run with a person's defaults.

    `touched` are the keys that the user set. Raises ConfigError where they exclude a person.
    """
    if objective == "labels_to_95":
        raise ConfigError(
            "objective=labels_to_95 compares with the expert's return, which a person has not: "
            "use objective=return"
        )
    if config.get("best") == "agreement":
        raise ConfigError(
            "best=agreement asks the expert in validation, which a person is not: use best=return"
        )
    for key, value, _ in FIXED:
        if key not in touched:
            config = updated(config, key, value)
    if "unsafe_penalty" in config["policy"] and PENALTY not in touched:
        config = updated(config, PENALTY, 0.0)  # a person does not list unsafe actions
    if config["env"].get("backend") == "auto":
        config = updated(config, "env.backend", "gymnasium")
    return config if "beta_schedule" in touched else _with_indicator(config)


def seated(expert: Any, source: Any, config: Config, trainer: Trainer, budget: Budget) -> Env:
    """Returns the environment in which the person is asked; ConfigError where none can be.

    Trainers with `person_gates` leave it to the person who acts.
    """
    _check_values(config)
    if trainer.needs_state_restore:
        raise ConfigError(
            f"trainer={config['trainer']['name']} with these settings tries actions in copies of "
            "visited states, which a person cannot play: use trainer=dagger, hg_dagger or sup"
        )
    gated = bool(getattr(getattr(trainer, "trainer", trainer), "person_gates", False))
    env: Env = expert.opened(source, budget, gated=gated)
    return env


def _check_values(config: Config) -> None:
    """Raises ConfigError for values that exclude a person."""
    for key, value, reason in FIXED:
        if select(config, key) != value:
            raise ConfigError(
                f"{key}={_word(select(config, key))} does not go with expert=human: {reason}; "
                f"leave it out, or use {key}={_word(value)}"
            )
    if config["env"].get("backend") == "envpool":
        raise ConfigError(
            "env.backend=envpool draws no pictures, which expert=human needs: leave it out"
        )


def _with_indicator(config: Config) -> Config:
    """Returns the config in which the person acts in the first round, and the student afterwards.

    The default, a share of the person that falls round by round, would let both act in turns.
    """
    if config["beta_schedule"].get("_target_") != LINEAR:
        return config  # an experiment chose it
    trainer = config["trainer"]
    if trainer.get("beta") == config["beta_schedule"]:
        config = updated(config, "trainer.beta", BETA)
    return {**config, "beta_schedule": BETA}


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
