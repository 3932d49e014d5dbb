"""What a config may not say though every value has its type: numbers, seeds, what nobody reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dagger_cli.config.components import instantiated
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.seeds import TEST_SEEDS
from dagger_cli.loop.run import Trainer


def check_values(cfg: DictConfig) -> None:
    """Those that no group reads."""
    if cfg.seed < 0:
        raise ConfigError(f"seed must be 0 or more, got {cfg.seed}")
    if not 0 <= cfg.validation.tolerance < 1:
        raise ConfigError(
            f"validation.tolerance must be in [0, 1), got {cfg.validation.tolerance}; try 0.01"
        )
    if cfg.validation.queries < 0:
        raise ConfigError(
            f"validation.queries must be 0 or more, got {cfg.validation.queries}; try 500"
        )
    if cfg.evaluation.checkpoint not in ("best", "last"):
        raise ConfigError(
            f"evaluation.checkpoint must be best or last, got '{cfg.evaluation.checkpoint}'"
        )
    if cfg.env.get("validate_on_test", False) and cfg.evaluation.checkpoint != "last":
        raise ConfigError(
            "env.validate_on_test=true would let the test choose the best student: add "
            "evaluation.checkpoint=last"
        )


def final_fit_must_come(cfg: DictConfig, trainer: Trainer) -> None:
    """Raises ConfigError where a last fit is to be longer that the trainer never makes."""
    final_fit = cfg.policy.get("final_fit", 1)
    if final_fit != 1 and not trainer.fits_on_aggregate:
        raise ConfigError(
            f"policy.final_fit={final_fit} lengthens the last fit on all rounds, which "
            f"trainer={cfg.trainer.name} does not make as it is set: leave it at 1, or use "
            "trainer=dagger trainer.update=aggregate"
        )


def going_on_must_be_possible(cfg: DictConfig) -> None:
    """Raises ConfigError where fits are to go on from the last policy and none does."""
    if cfg.trainer.get("update") == "ogd" and not cfg.policy.get("warm_start", False):
        raise ConfigError(
            f"trainer.update=ogd continues from the last policy, but policy={cfg.policy.name} "
            "starts from scratch: use policy=mlp policy.warm_start=true, or trainer.update=latest"
        )


def never_read(cfg: DictConfig, touched: Collection[str]) -> Iterator[str]:
    """What the user chose and nobody will read, as sentences."""
    trainer = OmegaConf.to_container(cfg.trainer, resolve=False)
    tried = [key for key in touched if key.startswith("trainer.cost_rollouts.")]
    if tried and not instantiated(cfg.trainer, drop=("name",)).needs_state_restore:
        yield (
            f"'{tried[0]}={value_of(cfg, tried[0])}' has no effect: trainer '{cfg.trainer.name}' "
            "as it is set rolls out no costs; leave it out, or add trainer.costs=rollout"
        )
    unseen = {"validation.queries", "validation.tolerance"}.intersection(touched)
    if unseen and cfg.validation.episodes == 0:
        yield f"'{min(unseen)}' has no effect with validation.episodes=0; leave one of them out"
    for key in touched:
        if key.split(".")[0] == "beta_schedule" and "${beta_schedule}" not in str(trainer):
            yield (
                f"'{key}={value_of(cfg, key)}' has no effect: trainer '{cfg.trainer.name}' never "
                "reads beta_schedule; leave it out or take trainer=dagger"
            )


def value_of(cfg: DictConfig, key: str) -> Any:
    """As the user wrote it: of a group the option's name."""
    from hydra.core.hydra_config import HydraConfig

    choice = HydraConfig.get().runtime.choices.get(key)
    return choice if choice is not None else OmegaConf.select(cfg, key)


def chosen_seeds(cfg: DictConfig, default: DictConfig, source: Any) -> range:
    """Of `dagger eval`: what was asked for, else the environment's own."""
    wanted = default.episodes if cfg.episodes is None else cfg.episodes
    episodes = episodes_of("test", wanted, source)
    seed = default.get("seed", 1000) if cfg.seed is None else cfg.seed
    return unseen_seeds("episodes", episodes, seed)


def episodes_of(part: str, wanted: int | None, source: Any) -> int:
    """None (null) stands for all there are, in an environment made of data."""
    if wanted is not None:
        return wanted
    whole = getattr(source, f"{part}_episodes", None)
    if whole is None:
        raise ConfigError(
            f"env '{source.id}' has no last {part} episode: give a number of episodes, not null"
        )
    return int(whole)


def unseen_seeds(key: str, episodes: int, first: int) -> range:
    """So many from the first on; raises ConfigError where training or validation may have them."""
    seeds = range(first, first + at_least_one(key, episodes))
    if first not in TEST_SEEDS or seeds[-1] not in TEST_SEEDS:
        raise ConfigError(
            f"seeds {first} to {seeds[-1]} may have been used in training or validation; "
            f"evaluation seeds are those from 0 to {TEST_SEEDS[-1]}"
        )
    return seeds


def at_least_one(key: str, value: int) -> int:
    """The value; raises ConfigError where it is less."""
    if value < 1:
        raise ConfigError(f"{key} must be at least 1, got {value}")
    return value
