"""Jobs from a composed config.

The DictConfig is converted once to a dict, with values of the types that the classes declare
(typed.py). components.py creates the objects, checks.py checks values; jobs of checkpoints are in
from_checkpoint.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dagger_cli.config.checks import (
    check_values,
    chosen_seeds,
    episodes_of,
    final_fit_must_come,
    image_notes,
    never_read,
    unseen_seeds,
    validation_seeds,
    warm_start_must_be_possible,
)
from dagger_cli.config.components import (
    ENV_NOTES,
    EnvChoice,
    answers,
    built,
    env_of,
    for_evaluation,
    learner_of,
    loaded_expert,
    safety_expert_of,
    target_of,
    typed_group,
)
from dagger_cli.config.labelling import labelled
from dagger_cli.config.person import asks_a_person, check_swept, for_a_person, seated
from dagger_cli.config.plain import Config, keys_in, named, plain, updated
from dagger_cli.config.quick_checks import check_policy_and_view
from dagger_cli.config.recorded import with_recorded
from dagger_cli.config.trust import check_can_be_loaded, trusted
from dagger_cli.config.typed import signature_of
from dagger_cli.core.budget import Budget
from dagger_cli.core.errors import ConfigError
from dagger_cli.core.kit import Kit, Learner, RngStreams
from dagger_cli.core.row_forms import form_of
from dagger_cli.core.types import Expert
from dagger_cli.core.values import at_least
from dagger_cli.loop.trainer import Trainer, completed
from dagger_cli.utils.system import one_torch_thread

# Groups whose objects a run creates; view after policy, whose keys it takes: errors name those.
GROUPS = ("env", "expert", "policy", "view", "trainer")
UNSAVED = ("labeller", "logger")  # groups that a resumed run takes from its command line


@dataclass(frozen=True)
class TrainJob:
    """Job of `dagger train`: its objects and checked settings."""

    config: Config
    env: EnvChoice
    kit: Kit
    trainer: Trainer
    loggers: Mapping[str, Any]  # by name
    logger_words: tuple[str, ...]  # the overrides that selected them, and the labeller
    validation_seeds: range
    tolerance: float
    best_by: str  # return or agreement
    queries: int  # of the expert, in each round's validation
    regret: bool
    student: str
    scores_expert: bool
    plays_expert: bool  # even where its score is known
    evaluation_seeds: range
    notes: tuple[str, ...]  # shown before it starts
    words: tuple[str, ...]  # the user's overrides
    objective: str  # of a sweep, see commands/objective.py
    gif: bool  # of the student, at the end


@dataclass(frozen=True)
class EvalJob:
    """Job of `dagger eval`, without the policy."""

    env: EnvChoice
    learner: Learner | None  # None: the expert is evaluated
    expert: Expert | None
    seeds: range


def train_job(cfg: DictConfig, words: Sequence[str], *, sweep: bool) -> TrainJob:
    """Creates the job of a new run; `words` are the user's overrides, `sweep`: of several jobs.

    Raises DaggerError with a message for the user.
    """
    touched = keys_in(words)
    if cfg.labels is not None and "steps_per_round" not in touched:
        cfg.steps_per_round = None
    unread = tuple(never_read(cfg, touched))
    if unread and not sweep:
        raise ConfigError(unread[0])
    config = _with_replaced_targets(plain(cfg), touched)
    if sweep:
        check_swept(config["expert"])
    if asks_a_person(config):
        config = for_a_person(config, touched, cfg.objective)
    check_can_be_loaded(config, GROUPS)
    trust = trusted(cfg.get("trust"), named(cfg, touched))
    all_rows = cfg.labels is None and "steps_per_round" not in touched
    return assembled(config, cfg, words, trust, notes=unread, new=True, all_rows=all_rows)


def _with_replaced_targets(config: Config, touched: Collection[str]) -> Config:
    """Returns the config where `group._target_=...` replaced the class of the option chosen."""
    replaced = [g for g in (*GROUPS, "beta_schedule") if f"{g}._target_" in touched]
    new = {group: _of_another_target(config[group], group, touched) for group in replaced}
    trainer = new["trainer"] if "trainer" in new else config["trainer"]
    if "beta_schedule" in new and trainer.get("beta") == config["beta_schedule"]:
        new["trainer"] = {**trainer, "beta": new["beta_schedule"]}  # ${beta_schedule}, resolved
    return {**config, **new}


def _of_another_target(node: Config, group: str, touched: Collection[str]) -> Config:
    """Returns a group whose target the user replaced, without keys of the old option.

    Keys given on the command line and parameters of the new target are kept.
    """
    target = target_of(node, group)
    taken = {"_target_", *signature_of(target).keys, *(ENV_NOTES if group == "env" else ())}
    kept = {k: v for k, v in node.items() if k in taken or f"{group}.{k}" in touched}
    name = {"name": target.__name__.lower()} if "name" in node else {}
    return {**kept, **name} if f"{group}.name" not in touched else kept


def expert_job(cfg: DictConfig) -> EvalJob:
    """Creates the environment and its expert, to evaluate the expert."""
    if asks_a_person(plain(cfg)):
        raise ConfigError("expert=human plays no test episodes: a person is asked by dagger train")
    env, expert = expert_parts(cfg, for_evaluation)
    if not answers(expert):
        raise ConfigError(
            f"the expert '{expert.card.name}' plays no test episodes: it has no answers in new "
            "states; choose another one"
        )
    env, expert = env.asking(expert)
    one_torch_thread()
    return EvalJob(env, None, expert, chosen_seeds(cfg, cfg.env.evaluation, env.source))


def expert_parts(
    cfg: DictConfig, played: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
) -> tuple[EnvChoice, Expert]:
    """Returns the environment, with its config changed by `played`, and the expert for it."""
    config = plain(cfg)
    env = env_of(played(typed_group(config["env"], "env")))
    expert = loaded_expert(
        typed_group(config["expert"], "expert"), env, trusted(cfg.get("trust"), {})
    )
    return env, expert


def assembled(
    config: Config,
    cfg: DictConfig,
    words: Sequence[str],
    trust: tuple[str, ...],
    notes: tuple[str, ...] = (),
    *,
    new: bool = False,
    all_rows: bool = False,
) -> TrainJob:
    """Creates the objects of a run, new or resumed, and checks its settings.

    `cfg` is this command line's, for the labeller and the loggers, which no run saves; `words` are
    the user's overrides, `trust` the packages that the user trusts. `new`: not resumed; `all_rows`:
    the budget of a run that learns from a data set alone is the whole of it. Raises DaggerError
    with a message for the user.
    """
    check_values(config)
    budget = Budget(config["rounds"], config["steps_per_round"], config["labels"])
    check_policy_and_view(config, keys_in(words))
    config = {**config, **{group: typed_group(config[group], group) for group in GROUPS}}
    config = _with_whole_paths(config)
    trainer = completed(built(config["trainer"], "trainer", drop=("name",)))
    final_fit_must_come(config, trainer)
    warm_start_must_be_possible(config)
    env = env_of(config["env"], config["view"])
    source, evaluation = env.source, config["evaluation"]
    n_evaluation = episodes_of("test", evaluation["episodes"], source)
    config = updated(config, "env.id", str(source.id))
    if "backend" in config["env"]:
        # Saved, so that a resumed run uses the same backend whatever is installed.
        config = updated(config, "env.backend", source.chosen)
    if source is not env.full and config["view"].get("keep") is not None:
        # Saved as indexes: a checkpoint is read without the names of its environment's parts.
        config = updated(config, "view.keep", source.layout.index.tolist())
    learner = learner_of(config["policy"], env)
    env, expert, labeller_notes, close_labeller = labelled(
        cfg.get("labeller"), config["expert"], env, trust
    )
    source = env.source
    config, budget, recorded = with_recorded(
        config, budget, expert, env, trainer, new=new, all_rows=all_rows
    )
    unsafe = getattr(learner, "uses_unsafe_actions", False)
    n_envs, restores = config["n_envs"], trainer.needs_state_restore
    at_least("n_envs", n_envs, 1)
    asked = asks_a_person(config)
    kit = Kit(
        seated(expert, source, config, trainer, budget) if asked else source.open(n_envs),
        expert,
        learner,
        budget,
        RngStreams.spawn(config["seed"]),
        horizon=source.horizon,
        scratch=source.open(n_envs) if restores else None,
        learner_for=lambda actions: learner_of(config["policy"], env, actions),
        safety_expert=safety_expert_of(config, expert, trainer) if unsafe else None,
        close_labeller=close_labeller,
        hides=getattr(source, "hides", source is not env.full),
        form=form_of(source.observation_space, getattr(source, "frame_split", None)),
        recorded=recorded,
    )
    rollouts = getattr(trainer, "cost_rollouts", None) if restores else None
    rolled_out = rollouts.notes(source.action_space) if rollouts else ()
    return TrainJob(
        config,
        env,
        kit,
        trainer,
        _loggers(cfg.get("logger")),
        tuple(word for word in words if word.lstrip("+~").startswith(UNSAVED)),
        validation_seeds(config["validation"]["episodes"], source),
        config["validation"]["tolerance"],
        config.get("best", "return"),  # runs before this key have none
        config["validation"]["queries"] if answers(expert) else 0,
        config["regret"],
        evaluation["checkpoint"],
        evaluation.get("expert", True) and answers(expert),
        evaluation.get("fresh", False),  # runs before this key have none
        unseen_seeds("evaluation.episodes", n_evaluation, evaluation["seed"]),
        notes=(
            *notes,
            *env.notes,
            *rolled_out,
            *image_notes(config, source),
            *((recorded.note,) if recorded.note else ()),
            *expert.card.notes,
            *(expert.notes if asked else ()),
            *labeller_notes,
        ),
        words=tuple(words),
        objective=cfg.get("objective", "return"),
        gif=cfg.get("gif", True),
    )


def _loggers(chosen: Any) -> dict[str, Any]:
    """Returns the loggers of the command line, by name."""
    nodes = OmegaConf.to_container(chosen, resolve=True) if chosen else {}
    assert isinstance(nodes, dict)
    return {
        name: built(typed_group(node, f"logger.{name}"), f"logger.{name}", drop=("name",))
        for name, node in ((str(key), node) for key, node in nodes.items())
    }


_PATHS = (
    ("env", "path"),
    ("expert", "path"),
    ("expert", "folder"),
    ("trainer", "demonstrations"),
)


def _with_whole_paths(config: Config) -> Config:
    """Returns the config with absolute paths, as a run may be resumed from another folder."""
    for group, key in (("env", "data"), *_PATHS):
        path = config[group].get(key)
        if path == "":
            raise ConfigError(f"{group}.{key}= is empty: give a path, {group}.{key}=PATH")
        # env.data may also be a name such as `synthetic`, even if a folder has that name.
        exists = Path.is_file if key == "data" else Path.exists
        if path is not None and exists(Path(str(path))):
            config = updated(config, f"{group}.{key}", os.path.abspath(path))
    return config
