"""From a composed config to objects; the last place that sees a DictConfig.

Groups arrive by `_target_`, so nothing here knows which options exist. What the config of a
checkpoint may have built or imported is checked first (trust.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import CheckpointError, ConfigError, DaggerError
from dagger_cli.core.kit import Kit, Learner, Streams
from dagger_cli.core.loop import Trainer
from dagger_cli.core.seeds import TEST_SEEDS, VALIDATION_SEEDS
from dagger_cli.core.types import Expert, Space, Warner
from dagger_cli.trust import IMPORT_KEYS, check_trust

MAX_SLOTS = 32  # of evaluation: more simulators gain nothing on a few cores
ENV_NOTES = (  # not the source's
    *("name", "failure_name", "per_step_name", "hub_algo", "best"),
    *("budget", "evaluation", "seen_by"),
)
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
EVAL_MAY_CHANGE = ("env", "env.id", "env.imports", "env.workers", "env.data")


@dataclass(frozen=True)
class EnvChoice:
    """An environment source and what the config says about showing and scoring it."""

    source: Any
    judge: Any  # the source that final scores are played in: always Gymnasium's own environment
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
    unread = tuple(_unread(cfg, touched))
    if unread and not sweep:
        raise ConfigError(unread[0])
    return _train_job(_plain(cfg), notes=unread)


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
                f"{key}={_value(cfg, key)} has no effect on a checkpoint: this one was trained "
                f"on {own} and brings its own config; leave it out"
            )
    config = OmegaConf.create(dict(saved))
    for key in ("env.workers", "env.data"):
        if key in touched:
            OmegaConf.update(config, key, OmegaConf.select(cfg, key))
    if "device" in config.policy:
        config.policy.device = "cpu"  # nothing is fitted, and there may be no GPU here
    with _of_a_checkpoint():
        config.env = _in_gymnasium(config.env)
        env = _env(config)
        learner = _learner(config, env)
        return EvalJob(env, learner, None, _seeds(cfg, config.evaluation, env.source))


def expert_job(cfg: DictConfig) -> EvalJob:
    """Build the environment and its expert, to score the expert itself."""
    cfg.env = _in_gymnasium(cfg.env)
    env = _env(cfg)
    return EvalJob(env, None, _expert(cfg, env), _seeds(cfg, cfg.env.evaluation, env.source))


def source_of(cfg: DictConfig, touched: Collection[str], saved: Mapping[str, Any]) -> Any:
    """The environment's source that a checkpoint with the config `saved` was trained in."""
    check_trust(saved, cfg, touched, ("env.imports", "env.id"))
    with _of_a_checkpoint():
        return _env(OmegaConf.create(dict(saved))).source


def expert_of(cfg: DictConfig) -> tuple[Expert, str]:
    """The expert alone, and the id of the environment that it is for."""
    env = _env(cfg)
    return _expert(cfg, env), str(env.source.id)


@contextmanager
def _of_a_checkpoint() -> Iterator[None]:
    """A config that Hydra has not composed may have anything in any place."""
    try:
        yield
    except (TypeError, ValueError, AttributeError, OmegaConfBaseException) as err:
        raise CheckpointError(
            f"the checkpoint's config makes no run ({type(err).__name__}: {err}): it was altered, "
            "or written by another version of dagger-cli"
        ) from err


def open_for(source: Any, episodes: int) -> Any:
    """Environments that play so many episodes in waves of nearly equal size.

    A source whose slots are cheap says with `most_slots` how many may play at once.
    """
    most = getattr(source, "most_slots", MAX_SLOTS)
    return source.open(ceil(episodes / ceil(episodes / most)))


def _train_job(config: dict[str, Any], notes: tuple[str, ...] = ()) -> TrainJob:
    _root(config)
    cfg = OmegaConf.create(config)
    if not isinstance(cfg, DictConfig):
        raise CheckpointError("the saved config is not a mapping of keys to values")
    _check_values(cfg)
    budget = Budget(cfg.rounds, cfg.steps_per_round, cfg.labels)
    trainer = _instantiate(cfg.trainer, drop=("name",))
    env = _env(cfg)
    n_validation = _episodes("validation", cfg.validation.episodes, env.source)
    if n_validation < 0:
        raise ConfigError(f"validation.episodes must be 0 or more, got {n_validation}; try 10")
    validation_seeds = VALIDATION_SEEDS[:n_validation]
    n_evaluation = _episodes("test", cfg.evaluation.episodes, env.source)
    evaluation_seeds = _test_seeds("evaluation.episodes", n_evaluation, cfg.evaluation.seed)
    if "backend" in cfg.env:
        # What is saved says who plays, whatever is installed where the run is resumed.
        config["env"]["backend"] = env.source.chosen
    _last_fit_must_come(cfg, trainer)
    learner = _learner(cfg, env)
    expert = _expert(cfg, env)
    warner = _warner(cfg, expert, trainer) if getattr(learner, "heeds", False) else None
    n_envs = _at_least_one("n_envs", cfg.n_envs)
    kit = Kit(
        env.source.open(n_envs),
        expert,
        learner,
        budget,
        Streams.spawn(cfg.seed),
        horizon=env.source.horizon,
        scratch=env.source.open(n_envs) if trainer.rewinds else None,
        learner_for=lambda actions: _learner(cfg, env, actions),
        warner=warner,
    )
    tried = trainer.tries.notes(env.source.action_space) if trainer.rewinds else ()
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


def _check_values(cfg: DictConfig) -> None:
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
    if cfg.env.get("watch_test", False) and cfg.evaluation.checkpoint != "last":
        raise ConfigError(
            "env.watch_test=true would let the test choose the best student: add "
            "evaluation.checkpoint=last"
        )


def _env(cfg: DictConfig) -> EnvChoice:
    silent = cfg.env.get("failure", "none") == "none"
    failure_name = None if silent else cfg.env.failure_name
    source = _instantiate(cfg.env, drop=ENV_NOTES)
    other = "backend" in cfg.env
    judge = _instantiate(_in_gymnasium(cfg.env), drop=ENV_NOTES) if other else source
    return EnvChoice(source, judge, cfg.env.name, failure_name, cfg.env.get("per_step_name"))


def _in_gymnasium(env: DictConfig) -> DictConfig:
    """The same environment, played by Gymnasium itself where it could be played by others."""
    plain = OmegaConf.merge(env, {"backend": "gymnasium"}) if "backend" in env else env
    assert isinstance(plain, DictConfig)
    return plain


def _learner(cfg: DictConfig, env: EnvChoice, actions: Space | None = None) -> Any:
    spaces = {
        "observations": env.source.observation_space,
        "actions": actions or env.source.action_space,
    }
    return _instantiate(cfg.policy, drop=("name",), **spaces)


def _last_fit_must_come(cfg: DictConfig, trainer: Trainer) -> None:
    last_fit = cfg.policy.get("last_fit", 1)
    if last_fit != 1 and not trainer.aggregates:
        raise ConfigError(
            f"policy.last_fit={last_fit} lengthens the last fit on all rounds, which "
            f"trainer={cfg.trainer.name} does not make as it is set: leave it at 1, or use "
            "trainer=dagger trainer.fit=aggregate"
        )


def _warner(cfg: DictConfig, expert: Expert, trainer: Trainer) -> Warner:
    """The expert, where it is one that can say what is fatal and the trainer asks for labels."""
    if trainer.rewinds:
        raise ConfigError(
            f"trainer={cfg.trainer.name} learns from what actions cost and does not ask what is "
            "fatal: add policy.heed=0, or use trainer=dagger"
        )
    if not isinstance(expert, Warner):
        raise ConfigError(
            f"policy.heed={cfg.policy.heed} needs an expert that can say which actions are fatal, "
            "as expert=mario_planner can: add policy.heed=0"
        )
    return expert


def _expert(cfg: DictConfig, env: EnvChoice) -> Any:
    source = env.source
    return _instantiate(cfg.expert).load(source.id, source.observation_space, source.action_space)


def _instantiate(node: DictConfig, drop: Collection[str] = (), **given: Any) -> Any:
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


def _seeds(cfg: DictConfig, default: DictConfig, source: Any) -> range:
    wanted = default.episodes if cfg.episodes is None else cfg.episodes
    episodes = _episodes("test", wanted, source)
    seed = default.get("seed", 1000) if cfg.seed is None else cfg.seed
    return _test_seeds("episodes", episodes, seed)


def _episodes(part: str, wanted: int | None, source: Any) -> int:
    """None (null) stands for all there are, in an environment made of data."""
    if wanted is not None:
        return wanted
    whole = getattr(source, f"{part}_episodes", None)
    if whole is None:
        raise ConfigError(
            f"env '{source.id}' has no last {part} episode: give a number of episodes, not null"
        )
    return int(whole)


def _at_least_one(key: str, value: int) -> int:
    if value < 1:
        raise ConfigError(f"{key} must be at least 1, got {value}")
    return value


def _test_seeds(key: str, episodes: int, first: int) -> range:
    seeds = range(first, first + _at_least_one(key, episodes))
    if first not in TEST_SEEDS or seeds[-1] not in TEST_SEEDS:
        raise ConfigError(
            f"seeds {first} to {seeds[-1]} may have been used in training or validation; "
            f"evaluation seeds are those from 0 to {TEST_SEEDS[-1]}"
        )
    return seeds


def _unread(cfg: DictConfig, touched: Collection[str]) -> Iterator[str]:
    """What the user chose and nobody will read, as sentences."""
    trainer = OmegaConf.to_container(cfg.trainer, resolve=False)
    tries = [key for key in touched if key.startswith("trainer.tries.")]
    if tries and not _instantiate(cfg.trainer, drop=("name",)).rewinds:
        yield (
            f"'{tries[0]}={_value(cfg, tries[0])}' has no effect: trainer '{cfg.trainer.name}' as "
            "it is set tries no actions; leave it out, or add trainer.costs=rollout"
        )
    unseen = {"validation.queries", "validation.tolerance"}.intersection(touched)
    if unseen and cfg.validation.episodes == 0:
        yield f"'{min(unseen)}' has no effect with validation.episodes=0; leave one of them out"
    for key in touched:
        if key.split(".")[0] == "beta_schedule" and "${beta_schedule}" not in str(trainer):
            yield (
                f"'{key}={_value(cfg, key)}' has no effect: trainer '{cfg.trainer.name}' never "
                "reads beta_schedule; leave it out or take trainer=dagger"
            )


def _value(cfg: DictConfig, key: str) -> Any:
    from hydra.core.hydra_config import HydraConfig

    choice = HydraConfig.get().runtime.choices.get(key)
    return choice if choice is not None else OmegaConf.select(cfg, key)


def _plain(cfg: DictConfig) -> dict[str, Any]:
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    return {str(key): value for key, value in config.items() if key not in ("resume", "experiment")}
