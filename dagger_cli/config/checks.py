"""Checks of config values beyond their types: ranges, seeds, keys without effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dagger_cli.config.components import built, typed_group
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.seeds import TEST_SEEDS, VALIDATION_SEEDS
from dagger_cli.core.values import at_least, in_range, one_of
from dagger_cli.loop.trainer import Trainer, completed

Config = Mapping[str, Any]


def check_values(config: Config) -> None:
    """Raises ConfigError for invalid values of root keys."""
    validation, evaluation = config["validation"], config["evaluation"]
    at_least("seed", config["seed"], 0)
    in_range("validation.tolerance", validation["tolerance"], "[0, 1)", 0.01)
    at_least("validation.queries", validation["queries"], 0, 500)
    if evaluation["checkpoint"] not in ("best", "last"):
        raise ConfigError(
            f"evaluation.checkpoint must be best or last, got '{evaluation['checkpoint']}'"
        )
    one_of("best", config.get("best", "return"), ("return", "agreement"))
    if config.get("best") == "agreement" and 0 in (validation["episodes"], validation["queries"]):
        raise ConfigError(
            "best=agreement compares student and expert in validation states: it needs "
            "validation.episodes and validation.queries of 1 or more"
        )
    if config["env"].get("validate_on_test", False) and evaluation["checkpoint"] != "last":
        raise ConfigError(
            "env.validate_on_test=true would select the best policy on the test fold: add "
            "evaluation.checkpoint=last"
        )


def image_notes(config: Config, source: Any) -> tuple[str, ...]:
    """Returns a note where a policy made for vectors is given images."""
    space = source.observation_space
    name = config["policy"].get("name")
    if name not in ("mlp", "linear", "svm") or space.dtype != "uint8" or len(space.shape) != 3:
        return ()
    shape = " x ".join(map(str, space.shape))
    return (f"observations are images ({shape}), which policy={name} flattens: try policy=cnn",)


def final_fit_must_come(config: Config, trainer: Trainer) -> None:
    """Raises ConfigError for a longer final fit with a trainer that never fits on all rounds."""
    final_fit = config["policy"].get("final_fit", 1)
    if final_fit != 1 and not trainer.fits_on_aggregate:
        raise ConfigError(
            f"policy.final_fit={final_fit} has no effect, as trainer={config['trainer']['name']} "
            "with these settings never fits on all rounds: set it to 1, or use "
            "trainer=dagger trainer.update=aggregate"
        )


def warm_start_must_be_possible(config: Config) -> None:
    """Raises ConfigError where the trainer warm-starts a policy that cannot be warm-started."""
    policy = config["policy"]
    if config["trainer"].get("update") == "ogd" and not policy.get("warm_start", False):
        raise ConfigError(
            f"trainer.update=ogd continues from the last policy, but policy={policy['name']} "
            "starts from scratch: use policy=mlp policy.warm_start=true, or trainer.update=latest"
        )


def never_read(cfg: DictConfig, touched: Collection[str]) -> Iterator[str]:
    """Yields a message for each key that the user set and this run does not read."""
    trainer = OmegaConf.to_container(cfg.trainer, resolve=False)
    tried = [key for key in touched if key.startswith("trainer.cost_rollouts.")]
    if tried and not _trainer(cfg).needs_state_restore:
        yield (
            f"'{tried[0]}={value_of(cfg, tried[0])}' has no effect: trainer '{cfg.trainer.name}' "
            "with these settings runs no cost roll-outs; leave it out, or add trainer.costs=rollout"
        )
    unseen = {"validation.queries", "validation.tolerance"}.intersection(touched)
    if unseen and cfg.validation.episodes == 0:
        yield f"'{min(unseen)}' has no effect with validation.episodes=0; leave one of them out"
    if "policy.chunk_decay" in touched and cfg.policy.get("chunk", 1) == 1:
        yield (
            f"'policy.chunk_decay={value_of(cfg, 'policy.chunk_decay')}' has no effect with "
            "policy.chunk=1; leave it out, or add policy.chunk=4"
        )
    for key in touched:
        if key.split(".")[0] == "beta_schedule" and "${beta_schedule}" not in str(trainer):
            yield (
                f"'{key}={value_of(cfg, key)}' has no effect: trainer '{cfg.trainer.name}' never "
                "reads beta_schedule; leave it out or use trainer=dagger"
            )


def value_of(cfg: DictConfig, key: str) -> Any:
    """Returns a value as the user wrote it; for a group, the name of the option."""
    from hydra.core.hydra_config import HydraConfig

    choice = HydraConfig.get().runtime.choices.get(key)
    return choice if choice is not None else OmegaConf.select(cfg, key)


def _trainer(cfg: DictConfig) -> Trainer:
    node = OmegaConf.to_container(cfg.trainer, resolve=True)
    return completed(built(typed_group(node, "trainer"), "trainer", drop=("name",)))


def chosen_seeds(cfg: DictConfig, default: Config, source: Any) -> range:
    """Returns the seeds of `dagger eval`: the user's, else the default of the environment."""
    wanted = default["episodes"] if cfg.episodes is None else cfg.episodes
    seed = default.get("seed", 1000) if cfg.seed is None else cfg.seed
    return unseen_seeds("episodes", episodes_of("test", wanted, source), seed)


def validation_seeds(wanted: int | None, source: Any) -> range:
    """Returns the seeds of each round's validation episodes."""
    n, most = episodes_of("validation", wanted, source), len(VALIDATION_SEEDS)
    at_least("validation.episodes", n, 0, 10)
    if n > most:
        raise ConfigError(
            f"validation.episodes={n} is more than the {most:,} seeds reserved for validation; "
            "try 10"
        )
    return VALIDATION_SEEDS[:n]


def episodes_of(part: str, wanted: int | None, source: Any) -> int:
    """Returns a number of episodes; None means all episodes of a data set."""
    if wanted is not None:
        return wanted
    whole = getattr(source, f"{part}_episodes", None)
    if whole is None:
        raise ConfigError(
            f"env '{source.id}' has no fixed number of {part} episodes: give a number, not null"
        )
    return int(whole)


def unseen_seeds(key: str, episodes: int, first: int) -> range:
    """Returns `episodes` seeds from `first` on; raises ConfigError unless all are test seeds."""
    at_least(key, episodes, 1)
    seeds = range(first, first + episodes)
    if first not in TEST_SEEDS or seeds[-1] not in TEST_SEEDS:
        raise ConfigError(
            f"seeds {first} to {seeds[-1]} may have been used in training or validation; "
            f"evaluation seeds are those from 0 to {TEST_SEEDS[-1]}"
        )
    return seeds
