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
BACKEND = "env.backend"
BETA = {"_target_": "dagger_cli.core.schedules.Indicator", "by": "round"}
LINEAR = "dagger_cli.core.schedules.Linear"


def asks_a_person(config: Config) -> bool:
    """Returns whether the expert of this config is a person."""
    return bool(getattr(target_of(config["expert"], "expert"), "asks_a_person", False))


def for_a_person(config: Config, touched: Collection[str], *, sweep: bool) -> Config:
    """Returns the config of a new run with a person's defaults; others stay as they are.

    `touched` are the keys that the user set. Raises ConfigError where they exclude a person.
    """
    if not asks_a_person(config):
        return config
    if sweep:
        raise ConfigError("expert=human cannot be swept: a person answers one run at a time")
    for key, value, reason in FIXED:
        if key in touched and select(config, key) not in (value, None):
            raise ConfigError(f"{key}={_word(select(config, key))}: {reason}; leave it out")
        config = updated(config, key, value)
    _check_others(config)
    if "backend" in config["env"]:
        if config["env"]["backend"] == "envpool":
            raise ConfigError(
                "env.backend=envpool draws no pictures, which expert=human needs: leave it out"
            )
        config = updated(config, BACKEND, "gymnasium")
    return config if "beta_schedule" in touched else _with_indicator(config)


def seated(expert: Any, source: Any, config: Config, trainer: Trainer, budget: Budget) -> Env:
    """Returns the environment in which the person is asked; ConfigError where none can be.

    Trainers with `person_gates` leave it to the person who acts.
    """
    if trainer.needs_state_restore:
        raise ConfigError(
            f"trainer={config['trainer']['name']} with these settings tries actions in copies of "
            "visited states, which a person cannot play: use trainer=dagger, hg_dagger or sup"
        )
    gated = bool(getattr(trainer, "person_gates", False))
    env: Env = expert.opened(source, rounds=budget.rounds, total=budget.total, gated=gated)
    return env


def _check_others(config: Config) -> None:
    if config.get("best") == "agreement":
        raise ConfigError(
            "best=agreement asks the expert in validation, which a person is not: use best=return"
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
